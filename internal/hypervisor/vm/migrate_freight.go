package vm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/machines"
)

// cargo is one disk of a machine that moves.
type cargo struct {
	name   string         // of the disk, or domainxml.SeedDisk
	source libvirt.Volume // on the host that the machine leaves
	base   *libvirt.Volume
	by     transport
	same   bool // what stands below it is the same on both hosts
}

// transport is how a disk gets to the other host.
type transport int

const (
	shared   transport = iota // both hosts have it
	mirrored                  // QEMU copies it while the guest writes to it
	streamed                  // we copy it, since nobody writes to it
)

// freight is all that a machine takes along.
type freight []cargo

// pack finds out how each disk of the machine gets to the other host, and refuses what would overwrite somebody's data
// there. It changes nothing.
func (m *move) pack(ctx context.Context) (freight, error) {
	var all freight

	for _, name := range slices.Sorted(maps.Keys(m.here.stored.Disks)) {
		disk := m.here.stored.Disks[name]

		item, err := m.packDisk(ctx, name, disk)
		if err != nil {
			return nil, fmt.Errorf("disk %q: %w", name, err)
		}

		all = append(all, item)
	}

	if seed := m.here.stored.Seed; seed != nil {
		item, err := m.packSeed(ctx, *seed)
		if err != nil {
			return nil, fmt.Errorf("the seed: %w", err)
		}

		all = append(all, item...)
	}

	return all, nil
}

func (m *move) packDisk(ctx context.Context, name string, disk domainxml.Disk) (cargo, error) {
	source, err := m.source(ctx, disk)
	if err != nil {
		return cargo{}, err
	}

	if err := m.checkTarget(name, source); err != nil {
		return cargo{}, err
	}

	item := cargo{name: name, source: source, by: mirrored}
	if disk.ReadOnly || !m.here.domain.Active {
		item.by = streamed
	}

	_, err = m.to.Volume(ctx, source.Pool, source.Name)

	switch {
	case errors.Is(err, libvirt.ErrNotFound):
		return m.packBase(ctx, item)
	case err != nil:
		return cargo{}, err
	}

	item.by = shared

	return item, m.meet(ctx, source, disk.ReadOnly)
}

// source is the volume that the disk is now.
func (m *move) source(ctx context.Context, disk domainxml.Disk) (libvirt.Volume, error) {
	if disk.Volume == (domainxml.Volume{}) {
		return m.from.VolumeAt(ctx, disk.File)
	}

	return m.from.Volume(ctx, disk.Volume.Pool, disk.Volume.Name)
}

// checkTarget wants the disk to be the same volume on the other host: another one would be another disk.
func (m *move) checkTarget(name string, source libvirt.Volume) error {
	declared, found := m.plan.Disks[name]
	if !found {
		return nil // it is detached once the machine is there
	}

	ref, err := libvirt.ParseVolumeRef(declared.Volume.ValueString())
	if err == nil && (ref.Pool != source.Pool || ref.Name != source.Name) {
		err = fmt.Errorf("it is volume %q of pool %q, and on host %q it is to be %s. A machine takes its disks along as they are: change the disk before or after the move", source.Name, source.Pool, m.to.Name(), ref)
	}

	return err
}

// meet refuses a volume that the other host has already, unless it is the same one or, of a disk that nobody writes to, has
// the same content.
func (m *move) meet(ctx context.Context, source libvirt.Volume, readOnly bool) error {
	together, err := m.together(ctx, source.Pool)
	if err != nil || together {
		return err
	}

	there, err := m.to.Volume(ctx, source.Pool, source.Name)
	if err != nil {
		return err
	}

	if readOnly {
		same, err := machines.SameContent(ctx, m.from, source, m.to, there)
		if err != nil || same {
			return err
		}
	}

	return fmt.Errorf("pool %q of host %q has a volume %q already, and it is not this one. Remove it there, or give one of the two another name", there.Pool, m.to.Name(), there.Name)
}

// together reports whether a pool is the same storage on both hosts.
func (m *move) together(ctx context.Context, pool string) (bool, error) {
	if known, found := m.pools[pool]; found {
		return known, nil
	}

	together, err := m.from.SharedPool(ctx, m.to, pool, m.plan.Name.ValueString()+probeEnding)
	if err == nil {
		m.pools[pool] = together
	}

	return together, err
}

// probeEnding is the ending of volumes that are made for a moment, to see whether another host has them too.
const probeEnding = ".probe"

// packBase finds what the disk stands on at the other host.
func (m *move) packBase(ctx context.Context, item cargo) (cargo, error) {
	if item.source.BackingPath == "" {
		item.same = true

		return item, nil
	}

	here, err := m.from.VolumeAt(ctx, item.source.BackingPath)
	if err != nil {
		return cargo{}, err
	}

	there, err := m.to.Volume(ctx, here.Pool, here.Name)
	if errors.Is(err, libvirt.ErrNotFound) {
		err = fmt.Errorf("it is an overlay on volume %q of pool %q, which host %q does not have. Declare that volume there as well", here.Name, here.Pool, m.to.Name())
	}

	if err != nil {
		return cargo{}, err
	}

	item.base = &there

	if here.BackingPath == "" && there.BackingPath == "" {
		if item.same, err = machines.SameContent(ctx, m.from, here, m.to, there); err != nil {
			return cargo{}, err
		}
	}

	if item.by == streamed && (!item.same || here.Path != there.Path) {
		err = fmt.Errorf("it is an overlay, and what it stands on is not the same on host %q, or not at the same path. Start the machine: a running one takes the whole content along", m.to.Name())
	}

	return item, err
}

// packSeed takes the seed along as it is. One that somebody removed is written anew when the machine next starts.
func (m *move) packSeed(ctx context.Context, seed domainxml.Volume) (freight, error) {
	source, err := m.from.Volume(ctx, seed.Pool, seed.Name)
	if errors.Is(err, libvirt.ErrNotFound) && !m.here.domain.Active {
		return nil, nil
	}

	if err != nil {
		return nil, err
	}

	item := cargo{name: domainxml.SeedDisk, source: source, by: streamed, same: true}

	_, err = m.to.Volume(ctx, seed.Pool, seed.Name)

	switch {
	case errors.Is(err, libvirt.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		together, err := m.together(ctx, seed.Pool)
		if err != nil {
			return nil, err
		}

		if together {
			item.by = shared
		}
	}

	return freight{item}, nil
}

// copied are the names of the disks that are copied.
func (f freight) copied() string {
	var names []string

	for _, item := range f {
		if item.by != shared {
			names = append(names, item.name)
		}
	}

	return strings.Join(names, " ")
}

// any reports whether one of the disks travels so.
func (f freight) any(by transport) bool {
	return slices.ContainsFunc(f, func(item cargo) bool { return item.by == by })
}

// overlays reports whether no disk needs more than what stands in its own volume.
func (f freight) overlays() bool {
	return !slices.ContainsFunc(f, func(item cargo) bool { return item.by == mirrored && !item.same })
}
