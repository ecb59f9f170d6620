package wire

import (
	"net"
	"sync"
	"time"
)

// pipeline is how many packets may be on their way in one direction.
const pipeline = 1024

// link is one client's connection and the one to the daemon that belongs to it.
type link struct {
	proxy          *Proxy
	client, daemon net.Conn

	once   sync.Once
	closed chan struct{}

	mutex    sync.Mutex // guards what follows
	withheld *Fault     // happens in place of the answer to the call that has this
	serial   uint32
}

func (l *link) close() {
	l.once.Do(func() {
		close(l.closed)
		_ = l.client.Close()
		_ = l.daemon.Close()
		l.proxy.remove(l)
	})
}

// fromClient forwards what the client sends.
func (l *link) fromClient() {
	forward, end := l.lane(l.daemon)
	defer end()
	for {
		sent, err := readPacket(l.client)
		if err != nil || !l.wait() {
			return
		}
		fault := (*Fault)(nil)
		if sent.asks() {
			fault = l.proxy.count(sent.call)
		}
		switch {
		case fault == nil:
			forward(sent.raw)
		case fault.Action == Lose && !fault.After:
		case !fault.After:
			l.proxy.act(fault.Action, l)
			if fault.Action != Stall || !l.wait() {
				return
			}
			forward(sent.raw)
		case sent.answered():
			l.withhold(fault, sent.call.Serial)
			forward(sent.raw)
		default:
			forward(sent.raw)
			l.proxy.act(fault.Action, l)
		}
	}
}

// fromDaemon forwards what the daemon sends.
func (l *link) fromDaemon() {
	forward, end := l.lane(l.client)
	defer end()
	for {
		sent, err := readPacket(l.daemon)
		if err != nil || !l.wait() {
			return
		}
		if fault := l.withholds(sent.call.Serial); fault != nil {
			if fault.Action == Lose {
				continue
			}

			l.proxy.act(fault.Action, l)
			if fault.Action != Stall || !l.wait() {
				return
			}
		}
		forward(sent.raw)
	}
}

func (l *link) withhold(fault *Fault, serial uint32) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.withheld, l.serial = fault, serial
}

// withholds returns the fault that happens in place of the answer of that serial, once.
func (l *link) withholds(serial uint32) *Fault {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.withheld == nil || l.serial != serial {
		return nil
	}
	fault := l.withheld
	l.withheld = nil
	return fault
}

// wait waits for the end of a stall and reports whether the link is still there.
func (l *link) wait() bool {
	if stalled := l.proxy.stall(); stalled != nil {
		select {
		case <-stalled:
		case <-l.closed:
		}
	}
	select {
	case <-l.closed:
		return false
	default:
		return true
	}
}

// lane returns a function that sends packets with the proxy's latency, in order and without one waiting for another, and
// one that ends the link.
func (l *link) lane(to net.Conn) (forward func([]byte), end func()) {
	if l.proxy.options.Latency == 0 {
		return func(raw []byte) { _, _ = to.Write(raw) }, l.close // a lost connection is noticed by its reader
	}
	type parcel struct {
		raw []byte
		due time.Time
	}
	parcels := make(chan parcel, pipeline)
	l.proxy.serving.Go(func() {
		for {
			select {
			case next := <-parcels:
				select {
				case <-time.After(time.Until(next.due)):
					_, _ = to.Write(next.raw)
				case <-l.closed:
					return
				}
			case <-l.closed:
				return
			}
		}
	})
	return func(raw []byte) {
		select {
		case parcels <- parcel{raw: raw, due: time.Now().Add(l.proxy.options.Latency)}:
		case <-l.closed:
		}
	}, l.close
}
