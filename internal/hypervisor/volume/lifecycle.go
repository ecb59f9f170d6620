package volume

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/machines"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
)

// create makes the volume, or takes over what an interrupted creation left of it.
func create(ctx context.Context, host *libvirt.Host, plan *model, store func(model)) error {
	err := establish(ctx, host, plan, store)
	if !errors.Is(err, libvirt.ErrNotFound) {
		return err
	}

	pool := plan.Pool.ValueString()
	if _, missing := host.Pool(ctx, pool); errors.Is(missing, libvirt.ErrNotFound) {
		return fmt.Errorf("host %q has no pool %q. Make it with hypervisor_pool or, on the host, with virsh pool-define-as, or name another one (virsh pool-list --all has those that there are)", host.Name(), pool)
	}

	return err
}

// establish makes the volume in a pool that is there.
//
// An empty volume and an overlay come into being in one step. An upload takes many, so a marker volume stands beside it
// until it is complete: a volume with a marker is the rest of an interrupted upload and is made anew, and one without
// is somebody's. store is called before the first object of an upload is made.
func establish(ctx context.Context, host *libvirt.Host, plan *model, store func(model)) error {
	if err := plan.settle(ctx, host); err != nil {
		return err
	}

	if plan.Source != nil {
		return createFromImage(ctx, host, plan, func() { store(plan.begun()) })
	}

	spec := libvirt.VolumeSpec{
		Pool: plan.Pool.ValueString(), Name: plan.Name.ValueString(), Format: plan.Format.ValueString(),
		Full: plan.Allocation.ValueString() == full,
	}

	if !plan.Size.IsUnknown() {
		spec.Capacity = plan.Size.Bytes()
	}

	if backing := plan.Backing.ValueString(); backing != "" {
		below, err := backingVolume(ctx, host, backing)
		if errors.Is(err, libvirt.ErrNotFound) {
			return fmt.Errorf("the volume below is missing: %w. Make it on this host first, and give its id as backing", err)
		}

		if err != nil {
			return err
		}

		spec.Backing = &below

		if spec.Capacity == 0 {
			spec.Capacity = below.Capacity
		}

		if spec.Capacity < below.Capacity {
			return fmt.Errorf("size %s is less than that of the volume below, %s. Give it at least as much", tf.FormatSize(spec.Capacity), tf.FormatSize(below.Capacity))
		}
	}

	existing, err := host.Volume(ctx, spec.Pool, spec.Name)

	switch {
	case errors.Is(err, libvirt.ErrNotFound):
		if err := host.CreateVolume(ctx, spec); err != nil {
			return err
		}

		return whole(ctx, host, spec)
	case err != nil:
		return err
	}

	if moved, err := wasMoved(ctx, host, spec.Pool, spec.Name); moved || err != nil {
		return err
	}

	return takeOver(ctx, host, existing, spec)
}

// takeOver accepts a volume that is just what would have been made: a run that was killed before Terraform could store
// its state left it. Anything else is somebody's data.
func takeOver(ctx context.Context, host *libvirt.Host, existing libvirt.Volume, spec libvirt.VolumeSpec) error {
	below := ""
	if spec.Backing != nil {
		below = spec.Backing.Path
	}

	if existing.Format != spec.Format || existing.Capacity != spec.Capacity || existing.BackingPath != below {
		return fmt.Errorf("pool %q of host %q has a volume of this name already, and it is another one: %s of %s%s. Import it, remove it, or choose another name",
			spec.Pool, host.Name(), existing.Format, tf.FormatSize(existing.Capacity), over(existing.BackingPath))
	}

	users, err := users(ctx, host, existing)
	if err != nil {
		return err
	}

	for _, user := range users {
		if !user.Managed {
			return fmt.Errorf("pool %q of host %q has a volume of this name already, and machine %q uses it. Import it, or choose another name", spec.Pool, host.Name(), user.Domain.Name)
		}
	}

	return nil
}

func over(path string) string {
	if path == "" {
		return ""
	}

	return " over " + path
}

// backingVolume finds the volume below an overlay.
func backingVolume(ctx context.Context, host *libvirt.Host, id string) (libvirt.Volume, error) {
	ref, err := libvirt.ParseVolumeRef(id)
	if err != nil {
		return libvirt.Volume{}, err
	}

	if ref.Host != host.Name() {
		return libvirt.Volume{}, fmt.Errorf("the volume below, %s, is on host %q, and this one is on host %q. An overlay and the volume below it stand on one host", id, ref.Host, host.Name())
	}

	return host.Volume(ctx, ref.Pool, ref.Name)
}

// refresh reads the volume from its host.
func refresh(ctx context.Context, host *libvirt.Host, m *model) error {
	ref := m.ref()

	volume, err := host.Volume(ctx, ref.Pool, ref.Name)
	if err != nil {
		return err
	}

	if volume.BackingPath == "" {
		m.set(volume, nil)

		return nil
	}

	below, err := host.VolumeAt(ctx, volume.BackingPath)
	if err != nil && !errors.Is(err, libvirt.ErrNotFound) {
		return err
	}

	if err != nil { // it lies outside of every pool; its path is the best name it has
		below = libvirt.Volume{Name: volume.BackingPath}
	}

	m.set(volume, &below)

	return nil
}

// grow makes the volume larger if it is smaller than that. A running machine that uses it sees the new size at once.
func grow(ctx context.Context, host *libvirt.Host, ref libvirt.VolumeRef, size uint64) error {
	volume, err := host.Volume(ctx, ref.Pool, ref.Name)
	if err != nil || volume.Capacity >= size {
		return err
	}

	users, err := users(ctx, host, volume)
	if err != nil {
		return err
	}

	group, err := host.InVolumeGroup(ctx, ref.Pool)
	if err != nil {
		return err
	}

	if group {
		return growGroup(volume.Path, size)
	}

	for _, user := range users {
		if user.Domain.Active {
			return host.ResizeDisk(ctx, user.Domain.UUID, volume.Path, size)
		}
	}

	return host.ResizeVolume(ctx, ref.Pool, ref.Name, size)
}

// remove deletes the volume, with what an interrupted upload left beside it, unless a machine or an overlay uses it.
func remove(ctx context.Context, host *libvirt.Host, state model) error {
	ref := state.ref()

	volume, err := host.Volume(ctx, ref.Pool, ref.Name)
	if errors.Is(err, libvirt.ErrNotFound) {
		return host.DeleteVolume(ctx, ref.Pool, markerName(ref.Name))
	}

	if err != nil {
		return err
	}

	if err := state.spared(volume); err != nil {
		return err
	}

	users, err := users(ctx, host, volume)
	if err != nil {
		return err
	}

	if len(users) > 0 {
		return fmt.Errorf("machine %q of host %q uses it. Remove the machine or its disk first", users[0].Domain.Name, host.Name())
	}

	overlays, err := host.Overlays(ctx, ref.Pool, ref.Name)
	if err != nil {
		return err
	}

	if len(overlays) > 0 {
		return fmt.Errorf("volume %q of pool %q is an overlay on it and would be lost with it. Remove the overlay first", overlays[0].Name, overlays[0].Pool)
	}

	if err := host.DeleteVolume(ctx, ref.Pool, ref.Name); err != nil {
		return err
	}

	return host.DeleteVolume(ctx, ref.Pool, markerName(ref.Name))
}

// users are the machines that have the volume as a disk, by its name or by its path.
func users(ctx context.Context, host *libvirt.Host, volume libvirt.Volume) ([]machines.User, error) {
	return machines.Using(ctx, host, func(machine domainxml.Spec) bool { return machines.HasDisk(machine, volume) })
}
