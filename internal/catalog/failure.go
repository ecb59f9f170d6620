package catalog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

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
	var status api.StatusError
	if errors.As(err, &status) && status.Code == http.StatusForbidden {
		return fmt.Errorf("%w. %s", err, forbidden)
	}

	var transport *url.Error
	if !errors.As(err, &transport) || errors.Is(err, context.Canceled) {
		return err
	}

	return fmt.Errorf("Consul at %s cannot be reached: %w. %s", c.address, transport.Err, c.remedy(transport.Err))
}

// forbidden is what to do about a token that may not do something. Consul says what.
const forbidden = "Let the token's policies allow it, or give the provider another token (token_file in its block, or CONSUL_HTTP_TOKEN)"

// remedy is what to do about a connection that does not come about.
func (c *Client) remedy(err error) string {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "Give the certificate of the authority that issued the server's in the provider block's consul.ca_file or in CONSUL_CACERT, and the " +
			"name that it is issued to in server_name if that is not the address's"
	}

	// What a server says before it closes a TLS connection has a type that crypto/tls keeps to itself, and whoever is still
	// sending when it does finds the connection closed only.
	closed := errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
	if alert, ok := errors.AsType[*net.OpError](err); ok && (alert.Op == "remote error" || closed && strings.HasPrefix(c.address, "https://")) {
		return "Servers turn away clients that show no certificate of an authority that they trust: give one in the provider block's " +
			"consul, as cert_file and key_file, or in CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY"
	}

	return "Check that Consul runs there, and that the address in the provider block's consul or in CONSUL_HTTP_ADDR is right"
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
		return c.asked(err)
	}

	return fmt.Errorf("%w: %w", ErrUnanswered, c.asked(err))
}

// isMissing reports whether the agent answered that it has no such thing.
func isMissing(err error) bool {
	var status api.StatusError

	return errors.As(err, &status) && status.Code == http.StatusNotFound
}
