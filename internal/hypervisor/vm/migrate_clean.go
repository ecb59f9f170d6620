package vm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/machines"
)

// stay takes a failed move back: the machine goes on where it is, and the other host has nothing of it. The note of where
// it was to go stays, since its volumes may be declared to be there already.
func (m *move) stay(ctx context.Context) error {
	if err := m.clean(ctx); err != nil {
		return err
	}

	if m.here.domain.Active && !m.here.domain.Running && m.plan.Running.ValueBool() {
		if err := m.from.Start(ctx, m.here.stored.UUID); err != nil {
			return err
		}
	}

	return m.from.SetAutostart(ctx, m.here.stored.UUID, m.plan.Autostart.ValueBool())
}

// clean removes what the other host has of a machine that has not arrived.
func (m *move) clean(ctx context.Context) error {
	if m.there == nil {
		return nil
	}

	uuid := m.there.stored.UUID

	if err := m.to.Destroy(ctx, uuid); err != nil {
		return err
	}

	if err := discard(ctx, m.to, m.there.stored, m.there.stored.Mark.Move.Disks); err != nil {
		return err
	}

	m.there = nil

	return m.to.Undefine(ctx, uuid)
}

// leave removes what a machine that has arrived left behind. That it has arrived is written down before: from then on the
// disks there are the machine's.
func (m *move) leave(ctx context.Context) error {
	uuid := m.plan.ID.ValueString()

	there, err := find(ctx, m.to, uuid)
	if err == nil && there == nil {
		err = fmt.Errorf("host %q: %w", m.to.Name(), libvirt.ErrNotFound)
	}

	if err != nil {
		return err
	}

	spec := there.stored
	disks := spec.Mark.Move.Disks
	spec.Mark.Complete, spec.Mark.Claim = true, domainxml.Claim{}

	if err := setMark(ctx, m.to, spec); err != nil {
		return err
	}

	if err := m.vacate(ctx, uuid, disks); err != nil {
		return fmt.Errorf("the machine is on host %q, and host %q keeps something of it: %w", m.to.Name(), m.from.Name(), err)
	}

	spec.Mark.Move = domainxml.Move{}

	return setMark(ctx, m.to, spec)
}

// vacate removes the machine's definition and the originals of its copied disks from the host that it has left.
func (m *move) vacate(ctx context.Context, uuid, disks string) error {
	here, err := find(ctx, m.from, uuid)
	if err != nil || here == nil {
		return err
	}

	if err := m.from.Destroy(ctx, uuid); err != nil { // a paused process, if the last word of the migration was lost
		return err
	}

	if err := discard(ctx, m.from, here.stored, disks); err != nil {
		return err
	}

	return m.from.Undefine(ctx, uuid)
}

// discard deletes the machine's disks of these names from a host, but for those that others use there.
func discard(ctx context.Context, host *libvirt.Host, machine domainxml.Spec, disks string) error {
	for name := range strings.FieldsSeq(disks) {
		volume, err := volumeOf(ctx, host, machine, name)
		if errors.Is(err, libvirt.ErrNotFound) {
			continue
		}

		if err != nil {
			return err
		}

		needed, err := needed(ctx, host, machine.UUID, volume)
		if err != nil {
			return err
		}

		if needed {
			continue
		}

		if err := host.DeleteVolume(ctx, volume.Pool, volume.Name); err != nil {
			return err
		}
	}

	return nil
}

// volumeOf is the volume on the host that is the machine's disk of the name, or its seed.
func volumeOf(ctx context.Context, host *libvirt.Host, machine domainxml.Spec, name string) (libvirt.Volume, error) {
	disk := machine.Disks[name]

	switch {
	case name == domainxml.SeedDisk && machine.Seed != nil:
		return host.Volume(ctx, machine.Seed.Pool, machine.Seed.Name)
	case disk.Volume != (domainxml.Volume{}):
		return host.Volume(ctx, disk.Volume.Pool, disk.Volume.Name)
	default:
		return host.VolumeAt(ctx, disk.File)
	}
}

// needed reports whether another machine has the volume as a disk, or another volume stands on it.
func needed(ctx context.Context, host *libvirt.Host, except string, volume libvirt.Volume) (bool, error) {
	users, err := machines.Using(ctx, host, func(machine domainxml.Spec) bool { return machine.UUID != except && machines.HasDisk(machine, volume) })
	if err != nil || len(users) > 0 {
		return true, err
	}

	overlays, err := host.Overlays(ctx, volume.Pool, volume.Name)

	return len(overlays) > 0, err
}

func setMark(ctx context.Context, host *libvirt.Host, spec domainxml.Spec) error {
	return machines.SetMark(ctx, host, spec)
}
