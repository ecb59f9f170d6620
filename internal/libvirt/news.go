package libvirt

import (
	"context"
	"slices"
	"time"
)

// change is something that happens to a machine.
type change int

const (
	unannounced change = iota // may have no event, and nobody waits for one
	defined
	marked
	powered // starts or goes on; what is stored of it stays, and is what runs
	stopped
	touched // anything else
)

// announcement is an event that somebody waits for.
type announcement struct {
	uuid   string
	change change
}

// expectation is what a write waits for.
type expectation struct {
	change change
	mark   string        // that is written
	come   chan struct{} // closed when the event comes
}

// news is what a host has learnt since it was connected. It is guarded by the host's mutex.
type news struct {
	following bool
	deaf      bool // the daemon sends no events
	tick      uint64
	touched   map[string]uint64 // by UUID: tick of its last change
	altered   map[string]uint64 // by UUID: tick of the last change after which its definitions are not known
	ours      map[string]bool   // machines that this process has started, until they stop
	expected  map[announcement][]*expectation
	renewals  map[string]*renewal
}

func newNews() news {
	return news{
		touched: map[string]uint64{}, altered: map[string]uint64{}, ours: map[string]bool{},
		expected: map[announcement][]*expectation{}, renewals: map[string]*renewal{},
	}
}

// follows reports whether the host's events are followed.
func (h *Host) follows() bool {
	h.mu.Lock()
	defer h.mu.Unlock()

	return h.news.following
}

// forgetNews is called when the connection has gone, and the events with it. The caller holds the mutex.
func (h *Host) forgetNews() {
	for _, waiting := range h.news.expected {
		for _, one := range waiting {
			close(one.come) // whoever waits reads everything again, on the next connection
		}
	}

	h.news = newNews()
}

// note takes down a change. The definitions are known after it if they are what they were, or were taken over. The caller holds the
// mutex.
func (h *Host) note(uuid string, known bool) {
	h.news.tick++
	h.news.touched[uuid] = h.news.tick

	if !known {
		h.news.altered[uuid] = h.news.tick
	}
}

// changed is touch for a change that is no write.
func (h *Host) changed(uuid string) {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.touch(uuid, false)
}

// touch is note for what this process changes. The caller holds the mutex.
func (h *Host) touch(uuid string, known bool) {
	h.wrote[askMachines] = true
	delete(h.reads, askFree)

	h.note(uuid, known)

	if !h.news.following {
		delete(h.reads, askMachines)
	}
}

// heard is called with each event of the host.
func (h *Host) heard(what change, uuid string) {
	h.mu.Lock()
	defer h.mu.Unlock()

	which := announcement{uuid, what}
	waiting := h.news.expected[which]

	// Of a mark of ours and one of others the first event counts as ours, whichever it is; the second then outdates what is known.
	known := what == powered && h.news.ours[uuid] || what == marked && len(waiting) == 1 && h.remark(uuid, waiting[0].mark)
	h.note(uuid, known)

	if what == stopped {
		delete(h.news.ours, uuid)
	}

	for _, one := range waiting {
		close(one.come)
	}

	delete(h.news.expected, which)
}

// Follow subscribes to the host's events unless that was done or is in vain. A list from before is dropped, since what has
// changed is not known; so who will write does well to follow before anything is listed. Writes do it by themselves.
func (h *Host) Follow(ctx context.Context) error {
	h.subscribing.Lock()
	defer h.subscribing.Unlock()

	conn, err := h.connect(ctx)
	if err != nil {
		return err
	}

	defer conn.close()

	h.mu.Lock()
	done := h.news.following || h.news.deaf
	h.mu.Unlock()

	if done {
		return nil
	}

	_, err = do(ctx, h, "follow the machines", func(c connection) (struct{}, error) { return struct{}{}, c.follow(h.heard) })

	h.mu.Lock()
	defer h.mu.Unlock()

	h.news.following, h.news.deaf = err == nil, err != nil
	delete(h.reads, askMachines)

	return nil
}

// write is run for an operation that changes the machine.
func write(ctx context.Context, h *Host, uuid string, what change, doing string, operation func(connection) error) error {
	return announce(ctx, h, uuid, &expectation{change: what}, doing, operation)
}

// announce is write for a change that may be a mark. Until the event of a change that has one has come, what others did before it
// may not be known.
func announce(ctx context.Context, h *Host, uuid string, e *expectation, doing string, operation func(connection) error) error {
	if err := h.Follow(ctx); err != nil {
		return err
	}

	awaited := h.expect(uuid, e)
	_, err := do(ctx, h, doing, func(conn connection) (struct{}, error) { return struct{}{}, operation(conn) })

	h.over(uuid, e, err)

	if err != nil || !awaited {
		return err
	}

	timeout := time.NewTimer(eventTimeout)
	defer timeout.Stop()

	select {
	case <-e.come:
	case <-ctx.Done():
		h.deafen()
	case <-timeout.C:
		h.deafen()
	}

	return nil
}

// expect is called before a write. It returns whether an event of it will come.
func (h *Host) expect(uuid string, e *expectation) bool {
	h.mu.Lock()
	defer h.mu.Unlock()

	if e.change == powered {
		h.news.ours[uuid] = true
	}

	h.touch(uuid, e.change == powered || e.change == marked)

	if !h.news.following || e.change != defined && e.change != marked {
		return false
	}

	e.come = make(chan struct{})
	which := announcement{uuid, e.change}
	h.news.expected[which] = append(h.news.expected[which], e)

	return true
}

// over is called after a write. What one that failed has done is not known.
func (h *Host) over(uuid string, e *expectation, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.touch(uuid, err == nil && (e.change == powered || e.change == marked))

	if err == nil {
		return
	}

	delete(h.news.ours, uuid)

	which := announcement{uuid, e.change}
	h.news.expected[which] = slices.DeleteFunc(h.news.expected[which], func(other *expectation) bool { return other == e })
}

// deafen gives up on events, after one did not come.
func (h *Host) deafen() {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.news.following, h.news.deaf = false, true
	delete(h.reads, askMachines)
}
