package libvirt

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// A process that only reads lists a host's machines once. One that writes must know what others write meanwhile, and must not
// list a thousand machines again for each that it makes. So from its first write on it follows the host's events: a machine
// that somebody touched is read again, alone, when somebody asks.
//
// Events also tell when others' writes are known: a daemon sends the events of one driver in the order in which the
// changes were made, so whoever has the event of its own write has those of all writes before it. A write that is announced
// therefore waits for its event. Where there are no events everything is listed again, as it always was before.

const (
	// eventTimeout is how long a write waits for its event until the host counts as one that sends none.
	eventTimeout = 5 * time.Second
	// rosterAge is how long a list is kept current by events. Some changes to the stored definition of a machine have none.
	rosterAge = time.Minute
	// atOnce is how many machines are asked for at the same time, over one connection.
	atOnce = 8
)

// change is something that the daemon says about a machine.
type change int

const (
	unannounced change = iota // a change that may have no event, and for whose event nobody waits
	defined
	marked
	touched // anything else
)

// roster is what the process knows of a host's machines.
type roster struct {
	machines map[string]entry // by UUID
	began    uint64           // tick at which the list was asked for
	listed   time.Time
}

type entry struct {
	domain Domain
	gone   bool
	began  uint64 // tick at which the machine was asked for
}

// news is what a host has learnt since it was connected. It is guarded by the host's mutex.
type news struct {
	following bool
	deaf      bool // the daemon sends no events
	tick      uint64
	touched   map[string]uint64 // by UUID: tick of its last change
	expected  map[announcement][]chan struct{}
}

// forgetNews is called when the connection has gone, and the events with it. The caller holds the mutex.
func (h *Host) forgetNews() {
	for _, waiters := range h.news.expected {
		for _, waiter := range waiters {
			close(waiter) // whoever waited reads everything again, on the next connection
		}
	}

	h.news = newNews()
}

type announcement struct {
	uuid   string
	change change
}

func newNews() news {
	return news{touched: map[string]uint64{}, expected: map[announcement][]chan struct{}{}}
}

// touch takes down that somebody changed the machine.
func (h *Host) touch(uuid string) {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.wrote[askMachines] = true
	delete(h.reads, askFree)

	h.news.tick++
	h.news.touched[uuid] = h.news.tick

	if !h.news.following {
		delete(h.reads, askMachines)
	}
}

// heard is called with each event of the host.
func (h *Host) heard(what change, uuid string) {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.news.tick++
	h.news.touched[uuid] = h.news.tick

	which := announcement{uuid, what}
	for _, waiter := range h.news.expected[which] {
		close(waiter)
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

// write is run for an operation that changes the machine. Until the event of an announced change has come, what others
// did before it may not be known.
func write(ctx context.Context, h *Host, uuid string, announced change, what string, operation func(connection) error) error {
	if err := h.Follow(ctx); err != nil {
		return err
	}

	event := h.expect(uuid, announced)

	h.touch(uuid)
	defer h.touch(uuid)

	_, err := do(ctx, h, what, func(conn connection) (struct{}, error) { return struct{}{}, operation(conn) })
	if err != nil || event == nil {
		return err
	}

	timeout := time.NewTimer(eventTimeout)
	defer timeout.Stop()

	select {
	case <-event:
	case <-ctx.Done():
		h.deafen()
	case <-timeout.C:
		h.deafen()
	}

	return nil
}

// expect returns what is closed when the event comes, or nil if nobody needs to wait for it.
func (h *Host) expect(uuid string, announced change) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()

	if announced == unannounced || !h.news.following {
		return nil
	}

	event := make(chan struct{})
	which := announcement{uuid, announced}
	h.news.expected[which] = append(h.news.expected[which], event)

	return event
}

// deafen gives up on events, after one did not come.
func (h *Host) deafen() {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.news.following, h.news.deaf = false, true
	delete(h.reads, askMachines)
}

// Domains returns all machines of the host, by name, from one shared read.
func (h *Host) Domains(ctx context.Context) ([]Domain, error) {
	list, err := h.roster(ctx)
	if err != nil {
		return nil, err
	}

	if err := h.renewAll(ctx, list, h.outdated(list)); err != nil {
		return nil, err
	}

	h.mu.Lock()
	defer h.mu.Unlock()

	all := make([]Domain, 0, len(list.machines))
	for _, known := range list.machines {
		if !known.gone {
			all = append(all, known.domain)
		}
	}

	slices.SortFunc(all, func(a, b Domain) int { return cmp.Compare(a.Name, b.Name) })

	return all, nil
}

// DomainsNow is Domains with whatever any run wrote before the call, or before the event of this process's last write to
// a machine.
func (h *Host) DomainsNow(ctx context.Context) ([]Domain, error) {
	h.mu.Lock()
	following := h.news.following
	h.mu.Unlock()

	if !following {
		h.forget(area{askMachines})
	}

	return h.Domains(ctx)
}

// roster returns the list of machines, in which some may be outdated.
func (h *Host) roster(ctx context.Context) (*roster, error) {
	for {
		list, err := shared(ctx, h, askMachines, func(c connection) (*roster, error) {
			list := &roster{machines: map[string]entry{}, began: h.now(), listed: time.Now()}

			domains, err := c.domains()
			for _, domain := range domains {
				list.machines[domain.UUID] = entry{domain: domain, began: list.began}
			}

			return list, err
		})
		if err != nil || !h.expired(list) {
			return list, err
		}
	}
}

// expired drops a list that was kept current for too long.
func (h *Host) expired(list *roster) bool {
	h.mu.Lock()
	defer h.mu.Unlock()

	old := h.news.following && time.Since(list.listed) > rosterAge
	if old && h.listed() == list {
		delete(h.reads, askMachines)
	}

	return old
}

// listed returns the list if there is one. The caller holds the mutex.
func (h *Host) listed() *roster {
	r, found := h.reads[askMachines]
	if !found {
		return nil
	}

	select {
	case <-r.done:
		list, _ := r.value.(*roster)

		return list
	default:
		return nil
	}
}

func (h *Host) now() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()

	return h.news.tick
}

// outdated returns the machines that were touched since they were read.
func (h *Host) outdated(list *roster) []string {
	h.mu.Lock()
	defer h.mu.Unlock()

	if !h.news.following { // a write has dropped the list
		return nil
	}

	var found []string

	for _, uuid := range slices.Sorted(maps.Keys(h.news.touched)) {
		if h.news.touched[uuid] > list.since(uuid) {
			found = append(found, uuid)
		}
	}

	return found
}

// since is the tick up to which the list knows the machine.
func (r *roster) since(uuid string) uint64 {
	if known, found := r.machines[uuid]; found {
		return known.began
	}

	return r.began
}

// renewAll reads machines again, several at a time.
func (h *Host) renewAll(ctx context.Context, list *roster, uuids []string) error {
	var group errgroup.Group

	group.SetLimit(atOnce)

	for _, uuid := range uuids {
		group.Go(func() error {
			_, err := h.renew(ctx, list, uuid)
			if errors.Is(err, ErrNotFound) {
				return nil
			}

			return err
		})
	}

	return group.Wait()
}

// renew reads one machine again.
func (h *Host) renew(ctx context.Context, list *roster, uuid string) (Domain, error) {
	began := h.now()
	domain, err := do(ctx, h, "find a machine", func(c connection) (Domain, error) { return c.domain(uuid) })

	h.mu.Lock()
	defer h.mu.Unlock()

	switch {
	case list.since(uuid) > began: // somebody else read it later
	case err == nil:
		list.machines[uuid] = entry{domain: domain, began: began}
	case errors.Is(err, ErrNotFound):
		list.machines[uuid] = entry{gone: true, began: began}
	}

	return domain, err
}

// known returns the machine if the list is there and the machine in it is current.
func (h *Host) known(uuid string) (list *roster, domain Domain, current bool) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if list = h.listed(); list == nil {
		return nil, Domain{}, false
	}

	held, found := list.machines[uuid]

	return list, held.domain, found && !held.gone && h.news.touched[uuid] <= held.began
}

// uuidIn returns the UUID in a machine's definition.
func uuidIn(xml string) string {
	_, after, _ := strings.Cut(xml, "<uuid>")
	uuid, _, _ := strings.Cut(after, "</uuid>")

	return uuid
}
