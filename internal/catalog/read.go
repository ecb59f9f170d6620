package catalog

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
)

// A read is one answer of Consul, fetched once and shared by everybody who asks for the same before the next write.
type read struct {
	once  sync.Once
	value any
	err   error
}

// shared returns the answer to the question named key, fetching it if nobody has since the last write. A failed
// fetch is not kept.
func shared[T any](ctx context.Context, c *Client, key string, fetch func(context.Context) (T, error)) (T, error) {
	c.mu.Lock()

	r, found := c.reads[key]
	if !found {
		r = &read{}
		c.reads[key] = r
	}

	c.mu.Unlock()

	r.once.Do(func() { r.value, r.err = fetch(ctx) })

	if r.err != nil {
		c.mu.Lock()
		if c.reads[key] == r {
			delete(c.reads, key)
		}
		c.mu.Unlock()

		var none T

		return none, r.err
	}

	value, ok := r.value.(T)
	if !ok {
		return value, fmt.Errorf("read %s from Consul: two readers expect different types", key)
	}

	return value, nil
}

// forget drops every shared read but the nodes; each write calls it before and after.
func (c *Client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()

	maps.DeleteFunc(c.reads, func(key string, _ *read) bool { return !strings.HasPrefix(key, nodesKey) })
}
