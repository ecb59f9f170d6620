package catalog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

const (
	// requestLimit bounds one request. Consul itself holds a request for up to 7 s while the servers elect a leader
	// (rpc_hold_timeout), so that a shorter limit would fail where Consul answers.
	requestLimit = 15 * time.Second

	// patienceInterval is how often a Consul that is away is asked again.
	patienceInterval = 250 * time.Millisecond
)

type patience int

const (
	unwritten patience = iota + 1 // a request is repeated if it is certain that it wrote nothing
	harmless                      // a request is repeated, since it does no harm twice
)

type patienceKey struct{}

// Patiently makes requests wait, for as long as the client's configuration says, for a Consul that restarts or elects a
// leader. It is for writes and for the reads that belong to them: a plan on a Consul that is away should fail at once.
// Writes whose outcome is unknown are not repeated.
func Patiently(ctx context.Context) context.Context {
	return context.WithValue(ctx, patienceKey{}, unwritten)
}

// repeatable is for writes that may be carried out twice.
func repeatable(ctx context.Context) context.Context {
	if ctx.Value(patienceKey{}) == nil {
		return ctx
	}

	return context.WithValue(ctx, patienceKey{}, harmless)
}

// patient repeats requests as their context says, each within the limit of one request.
type patient struct {
	next  http.RoundTripper
	limit time.Duration // of all tries
}

func (p patient) RoundTrip(request *http.Request) (*http.Response, error) {
	patience, _ := request.Context().Value(patienceKey{}).(patience)
	deadline := time.Now().Add(p.limit)

	for {
		response, err := p.try(request)
		if patience == 0 || !outage(response, err) || !repeats(request, patience, err) || time.Now().After(deadline) {
			return response, err
		}

		if response != nil {
			_ = response.Body.Close()
		}

		tflog.Debug(request.Context(), "waiting for Consul", map[string]any{"path": request.URL.Path})

		if err := pause(request.Context(), patienceInterval); err != nil {
			return nil, err
		}

		if request, err = again(request); err != nil {
			return nil, err
		}
	}
}

// try sends the request once.
func (p patient) try(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(request.Context(), requestLimit)

	response, err := p.next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		cancel()

		return nil, err
	}

	response.Body = ending{ReadCloser: response.Body, end: cancel}

	return response, nil
}

// ending is a body whose request ends with it.
type ending struct {
	io.ReadCloser
	end func()
}

func (e ending) Close() error {
	defer e.end()

	return e.ReadCloser.Close()
}

// outages are what servers say that have no leader, or that lost it while they answered.
var outages = []string{"No cluster leader", "leadership lost", "leadership transfer", "rpc error", "raft is", "node is not the leader", "No known Consul servers", "EOF"}

// outage reports whether Consul is away for the moment. It leaves the response readable.
func outage(response *http.Response, err error) bool {
	if err != nil {
		return !errors.Is(err, context.Canceled)
	}

	if response.StatusCode < http.StatusInternalServerError {
		return false
	}

	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(text))

	return err != nil || response.StatusCode == http.StatusServiceUnavailable ||
		slices.ContainsFunc(outages, func(words string) bool { return strings.Contains(string(text), words) })
}

// repeats reports whether the request may be sent once more.
func repeats(request *http.Request, patience patience, err error) bool {
	return request.Method == http.MethodGet || patience == harmless || unsent(err)
}

// unsent reports whether a request failed before any of it was sent.
func unsent(err error) bool {
	dial, ok := errors.AsType[*net.OpError](err)

	return ok && dial.Op == "dial"
}

// again is the request with a fresh body.
func again(request *http.Request) (*http.Request, error) {
	repeated := request.Clone(request.Context())

	if request.GetBody != nil {
		body, err := request.GetBody()
		if err != nil {
			return nil, err
		}

		repeated.Body = body
	}

	return repeated, nil
}

// pause waits, unless the context ends.
func pause(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()

	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
