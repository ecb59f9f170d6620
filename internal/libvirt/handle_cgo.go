//go:build cgo

package libvirt

import (
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"
	"libvirt.org/go/libvirt"
)

// handles are references to machines, kept so that a machine is looked up once a connection and not before each call: a daemon
// takes nothing from one but the UUID. They hold the connection and end with it.
type handles struct {
	mu     sync.Mutex // guards what follows
	byUUID map[string]handle
	ended  bool
}

type handle struct {
	domain *libvirt.Domain
	power  power
}

// power is whether a machine ran when this process last heard. What relies on it makes sure.
type power int

const (
	unheard power = iota
	off
	on
)

func newHandles() *handles { return &handles{byUUID: map[string]handle{}} }

// take returns the machine's handle, which the caller frees, or nil if there is none.
func (h *handles) take(uuid string) *libvirt.Domain {
	h.mu.Lock()
	defer h.mu.Unlock()

	kept, found := h.byUUID[uuid]
	if !found || kept.domain.Ref() != nil {
		return nil
	}

	return kept.domain
}

// keep holds on to a handle that the caller has, and will free.
func (h *handles) keep(uuid string, domain *libvirt.Domain) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if _, found := h.byUUID[uuid]; found || h.ended || domain.Ref() != nil {
		return
	}

	h.byUUID[uuid] = handle{domain: domain}
}

func (h *handles) drop(uuid string) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if kept, found := h.byUUID[uuid]; found {
		_ = kept.domain.Free()
		delete(h.byUUID, uuid)
	}
}

func (h *handles) power(uuid string) power {
	h.mu.Lock()
	defer h.mu.Unlock()

	return h.byUUID[uuid].power
}

func (h *handles) setPower(uuid string, runs bool) {
	h.mu.Lock()
	defer h.mu.Unlock()

	kept, found := h.byUUID[uuid]
	if !found {
		return
	}

	if kept.power = off; runs {
		kept.power = on
	}

	h.byUUID[uuid] = kept
}

// end lets go of all handles; none is kept any more.
func (h *handles) end() {
	h.mu.Lock()
	defer h.mu.Unlock()

	for _, kept := range h.byUUID {
		_ = kept.domain.Free()
	}

	h.byUUID, h.ended = nil, true
}

// lookUp returns a handle of the machine, which the caller frees.
func (s session) lookUp(uuid string) (*libvirt.Domain, error) {
	if kept := s.handles.take(uuid); kept != nil {
		return kept, nil
	}

	domain, err := s.conn.LookupDomainByUUIDString(uuid)
	if err != nil {
		return nil, err
	}

	s.handles.keep(uuid, domain)

	return domain, nil
}

// with does something to the machine.
func (s session) with(uuid string, action func(*libvirt.Domain) error) error {
	domain, err := s.lookUp(uuid)
	if err != nil {
		return fail(err)
	}

	defer func() { _ = domain.Free() }()

	err = fail(action(domain))
	if errors.Is(err, ErrNotFound) {
		s.handles.drop(uuid)
	}

	return err
}

// alter changes the stored definition of a machine, and what runs of it if it runs: libvirt refuses to change what does not.
func (s session) alter(uuid string, change func(*libvirt.Domain, libvirt.DomainModificationImpact) error) error {
	const stored = libvirt.DOMAIN_AFFECT_CONFIG

	return s.with(uuid, func(domain *libvirt.Domain) error {
		var (
			active bool
			asked  errgroup.Group
			known  = s.handles.power(uuid)
		)

		if known == on {
			if err := change(domain, both); !refused(err) {
				return err
			}
		}

		asked.Go(func() (err error) {
			active, err = domain.IsActive()

			return err
		})

		if known == off { // most likely still
			asked.Go(func() error { return change(domain, stored) })
		}

		if err := asked.Wait(); err != nil {
			return err
		}

		s.handles.setPower(uuid, active)

		switch {
		case active:
			return change(domain, both)
		case known == off:
			return nil
		default:
			return change(domain, stored)
		}
	})
}
