package vm

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

// cleanTimeout is how long taking back what a failed move made may take.
const cleanTimeout = time.Minute

// move brings a machine to another host, with its disks, as it runs or as it is off.
type move struct {
	from, to *libvirt.Host
	plan     *model // what is declared, of the host that it moves to
	here     *observed
	there    *observed
	pools    map[string]bool // whether a pool is the same storage on both hosts
}

// relocate moves the machine of the plan. A move that was cut short is continued, or made anew where it must.
//
// Both hosts keep a definition until the end. The first thing that is made is the one there, which says where the machine
// comes from and which disks it takes along, and claims its CPUs; the last that goes is the one here.
func relocate(ctx context.Context, from, to *libvirt.Host, plan *model) error {
	m := &move{from: from, to: to, plan: plan, pools: map[string]bool{}}

	at, err := m.look(ctx)
	if err != nil {
		return err
	}

	switch at {
	case lost:
		return fmt.Errorf("neither host %q nor host %q has the machine: %w", from.Name(), to.Name(), libvirt.ErrNotFound)
	case taken:
		return fmt.Errorf("host %q has another machine with the UUID %s: remove it there", to.Name(), plan.ID.ValueString())
	case settled:
		return nil
	case ahead:
		if err := m.travel(ctx); err != nil {
			return err
		}
	}

	return m.leave(ctx)
}

// look finds out how far the move is, and waits for the hosts if they are at it.
func (m *move) look(ctx context.Context) (at stage, err error) {
	err = poll.Until(ctx, fmt.Sprintf("host %q to finish or give up the migration that it began", m.from.Name()), func(int) error {
		now, job, err := m.glance(ctx)
		if at = now; err == nil && at == underway {
			err = fmt.Errorf("%w: it has %d of %d MiB", poll.ErrNotYet, job.Processed>>20, job.Total>>20)
		}

		return err
	})

	return at, err
}

// glance is look without waiting.
func (m *move) glance(ctx context.Context) (at stage, job libvirt.Job, err error) {
	id := m.plan.ID.ValueString()

	if m.here, err = find(ctx, m.from, id); err != nil {
		return ahead, libvirt.Job{}, err
	}

	if m.there, err = find(ctx, m.to, id); err != nil {
		return ahead, libvirt.Job{}, err
	}

	if job, err = m.from.Moving(ctx, id); err != nil {
		return ahead, libvirt.Job{}, err
	}

	return stageOf(m.here, m.there, m.from.Name(), job.Active), job, nil
}

// find asks a host for the machine; it returns nil if there is none.
func find(ctx context.Context, host *libvirt.Host, uuid string) (*observed, error) {
	domain, err := host.DomainNow(ctx, uuid)
	if errors.Is(err, libvirt.ErrNotFound) {
		return nil, nil
	}

	if err != nil {
		return nil, err
	}

	o, err := observe(domain)

	return &o, err
}

// travel takes the machine and its disks to the other host. If that fails the machine is where it was, and the other host
// has nothing of it.
func (m *move) travel(ctx context.Context) error {
	if err := m.clean(ctx); err != nil {
		return fmt.Errorf("take back what an interrupted move left on host %q: %w", m.to.Name(), err)
	}

	load, err := m.pack(ctx)
	if err != nil {
		return err
	}

	spec := m.plan.arrival(m.here.stored, m.from.Name(), load.copied())
	spec.Mark.Claim = spec.Claim()

	if err := errors.Join(m.checkName(ctx, spec), lacking(ctx, m.to, spec)); err != nil {
		return err
	}

	if err := checkCPUs(ctx, m.to, spec); err != nil {
		return err
	}

	failure := m.carry(ctx, spec, load)
	if failure == nil {
		return nil
	}

	cleaning, cancel := poll.Aftermath(ctx, cleanTimeout)
	defer cancel()

	at, err := m.look(cleaning)
	if err == nil && at == arrived { // the error came on the way back
		return nil
	}

	if err == nil {
		err = m.stay(cleaning)
	}

	if err != nil && poll.Cancelled(ctx) {
		return fmt.Errorf("%w. There was no time to take back what host %q has of the machine: the next apply goes on from there", failure, m.to.Name())
	}

	if err != nil {
		return fmt.Errorf("%w. Taking the move back failed too, which the next apply does again: %w", failure, err)
	}

	return fmt.Errorf("%w. The machine stays on host %q as it was, and host %q has nothing of it", failure, m.from.Name(), m.to.Name())
}

// checkName refuses a host on which another machine has the name.
func (m *move) checkName(ctx context.Context, spec domainxml.Spec) error {
	other, err := m.to.DomainByName(ctx, spec.Name)

	switch {
	case errors.Is(err, libvirt.ErrNotFound):
		return nil
	case err == nil && other.UUID != spec.UUID:
		return fmt.Errorf("host %q has another machine of this name. Remove it there, or rename one of the two", m.to.Name())
	default:
		return err
	}
}

// carry prepares the other host and moves the machine.
func (m *move) carry(ctx context.Context, spec domainxml.Spec, load freight) error {
	stored, err := m.definition(ctx, spec, load)
	if err != nil {
		return err
	}

	if err := m.to.Define(ctx, stored); err != nil {
		return err
	}

	if spec.Mark.Claim != (domainxml.Claim{}) {
		if err := settle(ctx, m.to, spec, nil, func(ctx context.Context) error { return m.to.Undefine(ctx, spec.UUID) }); err != nil {
			return err
		}

		spec.Mark.Claim = domainxml.Claim{}
		if err := setMark(ctx, m.to, spec); err != nil {
			return err
		}
	}

	if err := m.depart(ctx); err != nil {
		return err
	}

	for _, item := range load {
		if err := m.place(ctx, item); err != nil {
			return err
		}
	}

	if !m.here.domain.Active {
		return nil
	}

	return m.migrate(ctx, spec, load)
}

// definition is what the other host stores. Disks that are given by their path here are so there.
func (m *move) definition(ctx context.Context, spec domainxml.Spec, load freight) (string, error) {
	paths := map[string]string{}

	for _, item := range load {
		if m.here.stored.Disks[item.name].File == "" {
			continue
		}

		pool, err := m.to.Pool(ctx, item.source.Pool)
		if err != nil {
			return "", err
		}

		paths[item.name] = path.Join(pool.Path, item.source.Name)
	}

	return domainxml.Relocate(m.here.domain.XML, spec, paths)
}

// depart notes on the host that the machine leaves where it goes, and has it not start there again by itself: if this host
// fails while the machine arrives, there must not be two of it.
func (m *move) depart(ctx context.Context) error {
	spec := m.here.stored
	spec.Mark.Move.To = m.to.Name()

	if err := setMark(ctx, m.from, spec); err != nil {
		return err
	}

	if !m.here.domain.Autostart {
		return nil
	}

	return m.from.SetAutostart(ctx, spec.UUID, false)
}

// place makes the disk's volume on the other host, and fills it unless QEMU does.
func (m *move) place(ctx context.Context, item cargo) error {
	at := libvirt.VolumeSpec{Pool: item.source.Pool, Name: item.source.Name, Private: item.name == domainxml.SeedDisk}

	switch item.by {
	case shared:
		return nil
	case mirrored:
		at.Format, at.Capacity, at.Backing = item.source.Format, item.source.Capacity, item.base
		at.Full = item.base == nil && item.source.Allocation >= item.source.Capacity

		return m.to.CreateVolume(ctx, at)
	}

	at.Format, at.Capacity = "raw", uint64(item.source.Length)

	if err := m.to.DeleteVolume(ctx, at.Pool, at.Name); err != nil { // a seed that somebody left; a disk would have been refused
		return err
	}

	if err := m.to.CreateVolume(ctx, at); err != nil {
		return err
	}

	if err := m.from.CopyVolume(ctx, item.source, m.to, at.Pool, at.Name); err != nil {
		return err
	}

	return m.to.RefreshPool(ctx, at.Pool) // it was made as raw bytes
}

// migrate moves the running machine.
func (m *move) migrate(ctx context.Context, spec domainxml.Spec, load freight) error {
	text, err := m.from.MigratableXML(ctx, spec.UUID)
	if err != nil {
		return err
	}

	running, err := domainxml.Parse(text)
	if err != nil {
		return err
	}

	devices, err := domainxml.Devices(text)
	if err != nil {
		return err
	}

	order, paths := m.plan.Migration.order(), map[string]string{}
	order.UUID, order.Overlays, order.Shared = spec.UUID, load.overlays(), load.any(shared)

	for _, item := range load {
		if item.by != mirrored {
			continue
		}

		there, err := m.to.Volume(ctx, item.source.Pool, item.source.Name)
		if err != nil {
			return err
		}

		order.Disks = append(order.Disks, devices[item.name])
		paths[item.name] = there.Path // libvirt looks for the targets of copies before it knows the paths of volumes
	}

	arriving := m.plan.arrival(running, m.from.Name(), load.copied())
	if order.LiveXML, err = domainxml.Relocate(text, arriving, paths); err != nil {
		return err
	}

	if order.StoredXML, err = m.definition(ctx, spec, load); err != nil {
		return err
	}

	limited, cancel := context.WithTimeout(ctx, m.plan.Migration.timeout())
	defer cancel()

	return m.from.Migrate(limited, m.to, order)
}
