// Package web stands between HTTP clients and a server, as package wire does between libvirt's clients and its daemon: it
// counts the requests that go by, and at a chosen one kills the client, cuts the connection, or has the test do something.
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/wire"
)

// headerLimit is how long a client may take to send a request's header.
const headerLimit = time.Minute

// Proxy is a port of the loopback that leads to a server.
type Proxy struct {
	listener net.Listener
	server   *http.Server
	serving  sync.WaitGroup

	mutex   sync.Mutex // guards what follows
	calls   []string
	fault   *fault
	failure error // why a fault could not be carried out
}

// fault is what happens at one request.
type fault struct {
	when   func(calls []string) bool // the last of which is the request
	after  bool
	strike func(client string) (answer bool, err error) // says whether the client gets its answer
	fired  bool
}

// Listen leads who connects to the proxy to the server at the target, which is the base of a URL.
func Listen(target string) (*Proxy, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("listen for clients of %q: %w", target, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // making a socket waits for nobody
	if err != nil {
		return nil, fmt.Errorf("listen for clients of %s: %w", target, err)
	}
	forward := httputil.NewSingleHostReverseProxy(to)
	forward.Transport = &http.Transport{DisableKeepAlives: true} // a connection that went stale would cut another request
	forward.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	quiet := log.New(io.Discard, "", 0)
	forward.ErrorLog = quiet

	p := &Proxy{listener: listener}
	p.server = &http.Server{Handler: p.handler(forward), ErrorLog: quiet, ReadHeaderTimeout: headerLimit}
	p.serving.Go(func() { _ = p.server.Serve(listener) }) // ends with Close
	return p, nil
}

// URL is the base of the proxy's URLs.
func (p *Proxy) URL() string { return "http://" + p.listener.Addr().String() }

// Close ends all connections.
func (p *Proxy) Close() error {
	err := p.server.Close()
	p.serving.Wait()
	return err
}

// Arm begins to count anew and lets the fault happen at its request, once. Requests do not stall.
func (p *Proxy) Arm(chosen wire.Fault) {
	strike := func(string) (bool, error) { return false, nil }
	if chosen.Action == wire.Kill {
		strike = func(client string) (bool, error) { return false, kill(client) }
	}
	p.arm(&fault{when: func(calls []string) bool { return len(calls) == chosen.At }, after: chosen.After, strike: strike})
}

// Call begins to count anew, and calls do once, before the first request for which when says so, and which then goes on. It is
// told all requests so far, with this one at the end.
func (p *Proxy) Call(when func(calls []string) bool, do func()) {
	p.arm(&fault{when: when, strike: func(string) (bool, error) {
		do()
		return true, nil
	}})
}

// Disarm begins to count anew and lets no fault happen.
func (p *Proxy) Disarm() { p.arm(nil) }

func (p *Proxy) arm(chosen *fault) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.calls, p.fault, p.failure = nil, chosen, nil
}

// Fired reports whether the armed fault has happened, and why it failed if it did.
func (p *Proxy) Fired() (bool, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.fault != nil && p.fault.fired, p.failure
}

// Calls returns the requests that were counted, such as "GET /v1/agent/self", in the order in which they came.
func (p *Proxy) Calls() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.calls
}

func (p *Proxy) handler(forward http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		struck := p.count(r)
		if struck == nil {
			forward.ServeHTTP(w, r)
			return
		}
		if struck.after {
			// The server carries it out even if the client is gone.
			forward.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(r.Context())))
		}
		answer, err := struck.strike(r.RemoteAddr)
		if err != nil {
			p.mutex.Lock()
			p.failure = errors.Join(p.failure, err)
			p.mutex.Unlock()
		}
		if !answer {
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r)
	})
}

// count takes down a request and returns the fault that is to happen at it, if any.
func (p *Proxy) count(r *http.Request) *fault {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.calls = append(p.calls, r.Method+" "+r.URL.Path)
	if p.fault == nil || p.fault.fired || !p.fault.when(p.calls) {
		return nil
	}
	p.fault.fired = true
	return p.fault
}
