// Package wire stands between libvirt's clients and a host's daemon: it counts the calls that go by, and at a chosen one
// kills the client, cuts the connection, or falls silent. It also adds latency. What it does to a client is done from
// outside, so that the client is the very program that people run.
package wire

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// An Action is what the proxy does at the chosen call.
type Action int

// The actions.
const (
	Kill  Action = iota // SIGKILL to the client's process, which must be another one than this
	Cut                 // end the connection; the next one is served
	Stall               // forward nothing more, neither this way nor that, until Resume
	Lose                // forward all but the call, or but its answer: who waits for it waits for ever
)

// A Fault is one action at one call.
type Fault struct {
	Action Action
	At     int // number of the call, from 1, counted since the fault was armed
	// After has the daemon carry the call out, and only its answer never reaches the client. Otherwise the call does not
	// reach the daemon.
	After bool
}

// Options of a proxy.
type Options struct {
	// Latency is what a packet takes longer, each way.
	Latency time.Duration
	// Counts says which calls count; nil counts all.
	Counts func(Call) bool
}

// Proxy is a Unix socket that leads to a daemon's.
type Proxy struct {
	path, target string
	options      Options
	listener     net.Listener
	serving      sync.WaitGroup

	mutex   sync.Mutex // guards what follows
	calls   []Call
	fault   *Fault
	fired   bool
	failure error // why a fault could not be carried out
	stalled chan struct{}
	links   map[*link]bool
	closed  bool
}

// Listen makes the socket at path and leads who connects to it to the daemon's socket.
func Listen(path, target string, options Options) (*Proxy, error) {
	listener, err := net.Listen("unix", path) //nolint:noctx // making a socket waits for nobody
	if err != nil {
		return nil, fmt.Errorf("listen for libvirt's clients: %w", err)
	}
	p := &Proxy{path: path, target: target, options: options, listener: listener, links: map[*link]bool{}}
	p.serving.Go(p.accept)
	return p, nil
}

// URI is libvirt's address of the proxy, for its QEMU driver.
func (p *Proxy) URI() string { return "qemu+unix:///system?socket=" + p.path }

// Close ends all connections and removes the socket.
func (p *Proxy) Close() error {
	p.mutex.Lock()
	p.closed = true
	p.mutex.Unlock()
	p.Resume()
	err := p.listener.Close()
	p.cut()
	p.serving.Wait()
	return err
}

// Arm begins to count anew and lets the fault happen at its call, once.
func (p *Proxy) Arm(fault Fault) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.calls, p.fault, p.fired, p.failure = nil, &fault, false, nil
}

// Disarm begins to count anew and lets no fault happen.
func (p *Proxy) Disarm() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.calls, p.fault, p.fired, p.failure = nil, nil, false, nil
}

// Fired reports whether the armed fault has happened, and why it failed if it did.
func (p *Proxy) Fired() (bool, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.fired, p.failure
}

// Calls returns the calls that counted, in the order in which they came.
func (p *Proxy) Calls() []Call {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.calls
}

// Resume ends a stall. What was held back is forwarded.
func (p *Proxy) Resume() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		daemon, err := net.Dial("unix", p.target) //nolint:noctx // as above
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &link{proxy: p, client: client, daemon: daemon, closed: make(chan struct{})}
		if !p.add(l) {
			l.close()
			return
		}
		p.serving.Go(l.fromClient)
		p.serving.Go(l.fromDaemon)
	}
}

func (p *Proxy) add(l *link) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !p.closed {
		p.links[l] = true
	}
	return !p.closed
}

func (p *Proxy) remove(l *link) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.links, l)
}

// cut ends all connections.
func (p *Proxy) cut() {
	p.mutex.Lock()
	links := p.links
	p.links = map[*link]bool{}
	p.mutex.Unlock()
	for l := range links {
		l.close()
	}
}

// count takes down a call and returns the fault that is to happen at it, if any.
func (p *Proxy) count(call Call) *Fault {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.options.Counts != nil && !p.options.Counts(call) {
		return nil
	}
	p.calls = append(p.calls, call)
	if p.fault == nil || p.fired || len(p.calls) != p.fault.At {
		return nil
	}
	p.fired = true
	if p.fault.Action == Stall {
		p.stalled = make(chan struct{}) // under the same lock: whoever sees that it fired can end it
	}
	return p.fault
}

// act carries out an action against the client of a link.
func (p *Proxy) act(action Action, l *link) {
	switch action {
	case Kill:
		if err := l.kill(); err != nil {
			p.mutex.Lock()
			p.failure = err
			p.mutex.Unlock()
		}
		p.cut()
	case Cut:
		p.cut()
	case Stall: // it holds since the call was counted
	}
}

// stall returns what ends the stall that holds, or nil.
func (p *Proxy) stall() <-chan struct{} {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.stalled
}

// kill ends the process at the other end of the client's socket.
func (l *link) kill() error {
	socket, ok := l.client.(*net.UnixConn)
	if !ok {
		return errors.New("kill a client: it is not connected by a Unix socket")
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return fmt.Errorf("kill a client: %w", err)
	}
	var (
		peer   *syscall.Ucred
		failed error
	)
	if err := raw.Control(func(fd uintptr) {
		peer, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil || failed != nil {
		return fmt.Errorf("kill a client: find its process: %w", errors.Join(err, failed))
	}
	if int(peer.Pid) == os.Getpid() {
		return errors.New("kill a client: it is this process")
	}
	if err := syscall.Kill(int(peer.Pid), syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill a client, process %d: %w", peer.Pid, err)
	}
	return nil
}
