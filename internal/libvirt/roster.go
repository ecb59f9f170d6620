package libvirt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"golang.org/x/sync/errgroup"
)

// A process that only reads lists a host's machines once. One that writes must know what others write meanwhile, and must not
// list a thousand machines again for each that it makes. So from its first write on it follows the host's events: a machine
// that somebody touched is read again, alone, when somebody asks. What this process itself starts and marks is known without:
// a machine that is being started answers nobody until it runs, and whoever makes the next one would wait for that.
//
// Events also tell when others' writes are known: a daemon sends the events of one driver in the order in which the
// changes were made, so whoever has the event of its own write has those of all writes before it. A write that is announced
// therefore waits for its event. Where there are no events everything is listed again, as it always was before.

const (
	// eventTimeout is how long a write waits for its event until the host counts as one that sends none.
	eventTimeout = 5 * time.Second
	// rosterAge is how long a list is kept current by events. Some changes to the stored definition of a machine have none.
	rosterAge = time.Minute
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

// Domains returns all machines of the host, by name, from one shared read.
func (h *Host) Domains(ctx context.Context) ([]Domain, error) {
	return h.current(ctx, func(n news) map[string]uint64 { return n.touched })
}

// DomainsNow returns all machines with the definitions that any run wrote before the call, or before the event of this process's
// last write to a machine. Whether they run may be older.
func (h *Host) DomainsNow(ctx context.Context) ([]Domain, error) {
	if !h.follows() {
		h.forget(area{askMachines})
	}

	return h.current(ctx, func(n news) map[string]uint64 { return n.altered })
}

// current returns all machines, those of them read again that were changed since.
func (h *Host) current(ctx context.Context, changes func(news) map[string]uint64) ([]Domain, error) {
	for {
		list, err := h.roster(ctx)
		if err != nil {
			return nil, err
		}

		if err := h.renewAll(ctx, h.outdated(list, changes)); err != nil {
			return nil, err
		}

		if all, ok := h.machinesIn(list); ok {
			return all, nil
		}
	}
}

// machinesIn returns the machines of the list, unless it is no longer the one that is kept current.
func (h *Host) machinesIn(list *roster) (all []Domain, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if h.news.following && h.listed() != list {
		return nil, false
	}

	for _, known := range list.machines {
		if !known.gone {
			all = append(all, known.domain)
		}
	}

	slices.SortFunc(all, func(a, b Domain) int { return cmp.Compare(a.Name, b.Name) })

	return all, true
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

// outdated returns the machines that were changed since they were read, with the tick of that.
func (h *Host) outdated(list *roster, changes func(news) map[string]uint64) map[string]uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()

	found := map[string]uint64{}

	if !h.news.following { // a write has dropped the list
		return found
	}

	for uuid, tick := range changes(h.news) {
		if tick > list.since(uuid) {
			found[uuid] = tick
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
func (h *Host) renewAll(ctx context.Context, changed map[string]uint64) error {
	var group errgroup.Group

	group.SetLimit(atOnce)

	for uuid, tick := range changed {
		group.Go(func() error {
			_, err := h.renew(ctx, uuid, tick)
			if errors.Is(err, ErrNotFound) {
				return nil
			}

			return err
		})
	}

	return group.Wait()
}

// A renewal is one machine that is read again, by one of those who want that for all of them.
type renewal struct {
	began  uint64 // tick at which it was asked for
	done   chan struct{}
	domain Domain
	err    error
}

// renew reads one machine again, as it was at the tick or later.
func (h *Host) renew(ctx context.Context, uuid string, tick uint64) (Domain, error) {
	for {
		r, found := h.renewing(uuid, tick)
		if !found {
			r.domain, r.err = do(ctx, h, "find a machine", func(c connection) (Domain, error) { return c.domain(uuid) })
			h.renewed(uuid, r)
		}

		select {
		case <-r.done:
		case <-ctx.Done():
			return Domain{}, fmt.Errorf("find a machine on host %q: %w", h.name, ctx.Err())
		}

		if !gaveUp(r.err) || ctx.Err() != nil {
			return r.domain, r.err
		}
	}
}

// renewing returns the renewal that shows the machine as it was at the tick, and whether somebody is at it already.
func (h *Host) renewing(uuid string, tick uint64) (r *renewal, found bool) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if r, found = h.news.renewals[uuid]; !found || r.began < tick {
		r, found = &renewal{began: h.news.tick, done: make(chan struct{})}, false
		h.news.renewals[uuid] = r
	}

	return r, found
}

// renewed takes over what was read, unless somebody has read it later.
func (h *Host) renewed(uuid string, r *renewal) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if h.news.renewals[uuid] == r {
		delete(h.news.renewals, uuid)
	}

	if list := h.listed(); list != nil && list.since(uuid) <= r.began {
		switch {
		case r.err == nil:
			list.machines[uuid] = entry{domain: r.domain, began: r.began}
		case errors.Is(r.err, ErrNotFound):
			list.machines[uuid] = entry{gone: true, began: r.began}
		}
	}

	close(r.done)
}

// known returns the machine if the list is there and the machine in it is current, and otherwise the tick of its last change.
func (h *Host) known(uuid string) (domain Domain, current, listed bool, tick uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()

	list := h.listed()
	if list == nil {
		return Domain{}, false, false, 0
	}

	held, found := list.machines[uuid]
	tick = h.news.touched[uuid]

	return held.domain, found && !held.gone && tick <= held.began, true, tick
}

// noteActive takes down that a machine was seen to have a process, or none, unless that is known. The event of that may be on its way yet.
func (h *Host) noteActive(uuid string, active bool) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if list := h.listed(); list != nil && list.machines[uuid].domain.Active == active {
		return
	}

	h.note(uuid, false)
}

// remark takes over a mark that was written into a machine's definitions, if they are known otherwise. The caller holds the mutex.
func (h *Host) remark(uuid, mark string) bool {
	list := h.listed()
	if list == nil || h.news.renewals[uuid] != nil {
		return false
	}

	held, found := list.machines[uuid]
	if !found || held.gone || h.news.altered[uuid] > held.began {
		return false
	}

	marked := held.domain
	marked.moving = speaksOfMove(mark)

	for _, text := range []*string{&marked.XML, &marked.LiveXML} {
		if *text == "" {
			continue
		}

		var err error
		if *text, err = domainxml.Remark(*text, mark); err != nil {
			return false
		}
	}

	held.domain = marked
	list.machines[uuid] = held

	return true
}

// uuidIn returns the UUID in a machine's definition.
func uuidIn(xml string) string {
	_, after, _ := strings.Cut(xml, "<uuid>")
	uuid, _, _ := strings.Cut(after, "</uuid>")

	return uuid
}
