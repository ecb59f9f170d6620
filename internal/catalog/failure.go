package catalog

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hashicorp/consul/api"
)

var (
	// ErrNotFound is returned if what was asked for does not exist. It is the only error that may remove a resource
	// from state; an unreachable Consul or a token that may not read never look like it.
	ErrNotFound = errors.New("not found in Consul")

	// ErrUnanswered is returned if a write was sent and its outcome is unknown: the connection broke, or the servers
	// lost their leader meanwhile.
	ErrUnanswered = errors.New("Consul gave no answer, so the write may have been carried out")
)

// asked explains the failure of a read.
func (c *Client) asked(err error) error {
	var transport *url.Error
	if !errors.As(err, &transport) || errors.Is(err, context.Canceled) {
		return err
	}

	return fmt.Errorf("Consul at %s cannot be reached: %w. Check that Consul runs there, and that the address in the provider block's consul or in CONSUL_HTTP_ADDR is right", c.address, transport.Err)
}

// told explains the failure of a write, and marks it with ErrUnanswered unless it is certain that nothing was written.
func (c *Client) told(err error) error {
	if err == nil {
		return nil
	}

	if unsent(err) {
		return c.asked(err)
	}

	var status api.StatusError
	if errors.As(err, &status) && status.Code < http.StatusInternalServerError {
		return err
	}

	return fmt.Errorf("%w: %w", ErrUnanswered, c.asked(err))
}

// isMissing reports whether the agent answered that it has no such thing.
func isMissing(err error) bool {
	var status api.StatusError

	return errors.As(err, &status) && status.Code == http.StatusNotFound
}
