package libvirt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"golang.org/x/sync/errgroup"
)

// atOnce is how many questions of one kind are on their way at the same time, over one connection. A daemon works on five calls of a
// client by default; the others wait at its door, so that a host that is far away does not let us wait for each.
const atOnce = 32

// each asks about things that were listed, and leaves out those that have gone since.
func each[T any](listed int, ask func(i int) (T, error)) ([]T, error) {
	var group errgroup.Group

	group.SetLimit(atOnce)

	answers, gone := make([]T, listed), make([]bool, listed)

	for i := range listed {
		group.Go(func() (err error) {
			answers[i], err = ask(i)
			if gone[i] = errors.Is(err, ErrNotFound); gone[i] {
				return nil
			}

			return err
		})
	}

	err := group.Wait()
	there := answers[:0]

	for i, answer := range answers {
		if !gone[i] {
			there = append(there, answer)
		}
	}

	return there, err
}

// A read is one answer of a host, shared by everybody who asks for the same before the next write.
type read struct {
	done  chan struct{}
	value any
	err   error
}

// shared returns the answer to the question named key, asking the host only if nobody has since the last write. A
// failed answer is handed to those who waited for it and not kept, and one that the asker gave up on is asked for again.
func shared[T any](ctx context.Context, h *Host, key string, fetch func(connection) (T, error)) (T, error) {
	var none T

	for {
		r, found := h.reading(key)
		if !found {
			r.value, r.err = do(ctx, h, key, fetch)
			if r.err != nil {
				h.drop(key, r)
			}

			close(r.done)
		}

		select {
		case <-r.done:
		case <-ctx.Done():
			return none, fmt.Errorf("%s on host %q: %w", key, h.name, ctx.Err())
		}

		if gaveUp(r.err) && ctx.Err() == nil {
			continue
		}

		if r.err != nil {
			return none, r.err
		}

		value, _ := r.value.(T)

		return value, nil
	}
}

// gaveUp reports whether whoever asked did not wait for the answer.
func gaveUp(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// reading returns the read of the key, and whether somebody makes or has made it already.
func (h *Host) reading(key string) (r *read, found bool) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if r, found = h.reads[key]; !found {
		r = &read{done: make(chan struct{})}
		h.reads[key] = r
	}

	return r, found
}

func (h *Host) drop(key string, r *read) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if h.reads[key] == r {
		delete(h.reads, key)
	}
}

// The questions that are shared.
const (
	askMachines     = "list the machines"
	askNetworks     = "list the networks"
	askPools        = "list the pools"
	askVolumes      = "list the volumes" // one question for each pool
	askCapabilities = "read the capabilities"
	askCPUModels    = "read the CPU models"
	askFree         = "read the free memory"
	askBridge       = "find the bridge " // one question for each
)

// An area is what a write changes. Hardware is none: it stays as it is while the host runs.
type area []string

var (
	machines = area{askMachines, askFree}
	nets     = area{askNetworks}
	storage  = area{askPools, askVolumes}
)

// forget drops what was read of an area, since somebody writes to it.
func (h *Host) forget(changed area) {
	h.mu.Lock()
	defer h.mu.Unlock()

	for _, key := range changed {
		maps.DeleteFunc(h.reads, func(asked string, _ *read) bool { return strings.HasPrefix(asked, key) })
		h.wrote[key] = true
	}
}

// wroteTo reports whether this process changed the answer to a question.
func (h *Host) wroteTo(key string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()

	return h.wrote[key]
}

// single reports whether one object should be asked for by itself. A refresh reads everything at once; an apply that
// makes a hundred objects must not read all of them after each. wrote is the question to which this process may have changed
// the answer, key the one that would be asked.
func (h *Host) single(wrote, key string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()

	_, read := h.reads[key]

	return h.wrote[wrote] && !read
}
