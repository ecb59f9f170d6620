package libvirt

import "context"

// A read is one answer of a host, shared by everybody who asks for the same before the next write.
type read struct {
	done  chan struct{}
	value any
	err   error
}

// shared returns the answer to the question named key, asking the host only if nobody has since the last write. A
// failed answer is handed to those who waited for it and not kept.
func shared[T any](ctx context.Context, h *Host, key string, fetch func(connection) (T, error)) (T, error) {
	h.mu.Lock()

	r, found := h.reads[key]
	if !found {
		r = &read{done: make(chan struct{})}
		h.reads[key] = r
	}

	h.mu.Unlock()

	if !found {
		r.value, r.err = do(ctx, h, key, fetch)
		if r.err != nil {
			h.drop(key, r)
		}

		close(r.done)
	}

	var none T

	select {
	case <-r.done:
	case <-ctx.Done():
		return none, ctx.Err()
	}

	if r.err != nil {
		return none, r.err
	}

	value, _ := r.value.(T)

	return value, nil
}

func (h *Host) drop(key string, r *read) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if h.reads[key] == r {
		delete(h.reads, key)
	}
}

// forget drops what was read, since somebody writes.
func (h *Host) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.reads = map[string]*read{}
}
