package libvirt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
)

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

		gaveUp := errors.Is(r.err, context.Canceled) || errors.Is(r.err, context.DeadlineExceeded)
		if gaveUp && ctx.Err() == nil {
			continue
		}

		if r.err != nil {
			return none, r.err
		}

		value, _ := r.value.(T)

		return value, nil
	}
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
