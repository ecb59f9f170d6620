package volume

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/machines"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Markers beside a volume that is copied from another host. The first stands until all of the content is there, the second
// until the original is gone, so that whoever finds them knows which of the two volumes counts.
const (
	movingEnding = ".moving"
	movedEnding  = ".moved"
	probeEnding  = ".probe"
)

// move brings the volume to another host. A volume that a machine of ours uses is taken along by the machine, as it runs,
// when its own turn comes; then only a note is made, and carried is true. Any other one is copied here.
func move(ctx context.Context, from, to *libvirt.Host, plan *model) (carried bool, err error) {
	ref := plan.ref()

	source, err := from.Volume(ctx, ref.Pool, ref.Name)
	if errors.Is(err, libvirt.ErrNotFound) {
		return false, adopt(ctx, to, ref)
	}

	if err != nil {
		return false, err
	}

	if err := grow(ctx, from, libvirt.VolumeRef{Host: from.Name(), Pool: ref.Pool, Name: ref.Name}, plan.Size.Bytes()); err != nil {
		return false, err
	}

	users, err := users(ctx, from, source)
	if err != nil {
		return false, err
	}

	if len(users) > 0 {
		return true, entrust(ctx, from, to, users, source, plan)
	}

	if len(overlaid(ctx, from, ref)) > 0 {
		return false, fmt.Errorf("other volumes of host %q stand on it. Move them first, or declare a volume of its own for host %q", from.Name(), to.Name())
	}

	_, err = to.Volume(ctx, ref.Pool, ref.Name)
	if err == nil {
		shared, err := from.SharedPool(ctx, to, ref.Pool, ref.Name+probeEnding)
		if shared || err != nil {
			return false, err
		}
	} else if !errors.Is(err, libvirt.ErrNotFound) {
		return false, err
	}

	return false, carry(ctx, from, to, source)
}

func overlaid(ctx context.Context, host *libvirt.Host, ref libvirt.VolumeRef) []libvirt.Volume {
	overlays, _ := host.Overlays(ctx, ref.Pool, ref.Name) // what cannot be read cannot be copied either, which will say so

	return overlays
}

// entrust notes where the machines that use the volume are to take it, so that it is found while they have not.
func entrust(ctx context.Context, from, to *libvirt.Host, users []machines.User, source libvirt.Volume, plan *model) error {
	for _, user := range users {
		if !user.Managed {
			return fmt.Errorf("machine %q of host %q uses it and is not this provider's. Move the machine first", user.Domain.Name, from.Name())
		}

		spec, err := domainxml.Parse(user.Domain.XML)
		if err != nil {
			return err
		}

		if spec.Mark.Move.From != "" || spec.Mark.Move.To == to.Name() {
			continue
		}

		spec.Mark.Move.To = to.Name()
		if err := machines.SetMark(ctx, from, spec); err != nil {
			return err
		}
	}

	pool, err := to.Pool(ctx, source.Pool)
	if err != nil {
		return err
	}

	plan.ID = types.StringValue(plan.ref().String())
	plan.Path = types.StringValue(path.Join(pool.Path, source.Name))

	return nil
}

// carry copies the volume and removes the original.
func carry(ctx context.Context, from, to *libvirt.Host, source libvirt.Volume) error {
	pool, moving, moved := source.Pool, source.Name+movingEnding, source.Name+movedEnding

	complete, err := exists(ctx, to, pool, moved)
	if err != nil {
		return err
	}

	if !complete {
		if err := copyOver(ctx, from, to, source, moving); err != nil {
			return err
		}

		if err := to.CreateVolume(ctx, libvirt.VolumeSpec{Pool: pool, Name: moved, Format: rawFormat}); err != nil {
			return err
		}
	}

	if err := to.DeleteVolume(ctx, pool, moving); err != nil {
		return err
	}

	if err := from.DeleteVolume(ctx, pool, source.Name); err != nil {
		return err
	}

	return to.DeleteVolume(ctx, pool, moved)
}

// copyOver copies the volume under its marker. What an interrupted copy left is made anew, and a volume without a marker is
// somebody's.
func copyOver(ctx context.Context, from, to *libvirt.Host, source libvirt.Volume, marker string) error {
	begun, err := exists(ctx, to, source.Pool, marker)
	if err != nil {
		return err
	}

	there, err := exists(ctx, to, source.Pool, source.Name)
	if err != nil {
		return err
	}

	switch {
	case there && !begun:
		return fmt.Errorf("pool %q of host %q has a volume of this name already. Remove it there, or give one of the two another name", source.Pool, to.Name())
	case !begun:
		err = to.CreateVolume(ctx, libvirt.VolumeSpec{Pool: source.Pool, Name: marker, Format: rawFormat})
	case there:
		err = to.DeleteVolume(ctx, source.Pool, source.Name)
	}

	if err != nil {
		return err
	}

	if err := sameBase(ctx, from, to, source); err != nil {
		return err
	}

	spec := libvirt.VolumeSpec{Pool: source.Pool, Name: source.Name, Format: rawFormat, Capacity: uint64(source.Length)}
	if err := to.CreateVolume(ctx, spec); err != nil {
		return err
	}

	if err := from.CopyVolume(ctx, source, to, source.Pool, source.Name); err != nil {
		return err
	}

	return recognised(ctx, to, source.Pool, source.Name, image{Format: source.Format, Capacity: source.Capacity})
}

// sameBase refuses to copy an overlay to where it would stand on something else.
func sameBase(ctx context.Context, from, to *libvirt.Host, source libvirt.Volume) error {
	if source.BackingPath == "" {
		return nil
	}

	same, err := machines.SameBase(ctx, from, to, source)
	if err == nil && !same {
		err = fmt.Errorf("it is an overlay on %s, which is not the same on host %q. Use it in a machine and move that, as it runs, or declare the volume below it there with the same content", source.BackingPath, to.Name())
	}

	return err
}

// adopt takes over a volume that was moved by a run which was killed before Terraform could store that.
func adopt(ctx context.Context, host *libvirt.Host, ref libvirt.VolumeRef) error {
	if _, err := host.Volume(ctx, ref.Pool, ref.Name); err != nil {
		return err
	}

	return host.DeleteVolume(ctx, ref.Pool, ref.Name+movedEnding)
}

// wasMoved reports whether the volume was moved to the host by such a run.
func wasMoved(ctx context.Context, host *libvirt.Host, pool, name string) (bool, error) {
	moved, err := exists(ctx, host, pool, name+movedEnding)
	if err != nil || !moved {
		return false, err
	}

	return true, host.DeleteVolume(ctx, pool, name+movedEnding)
}

func exists(ctx context.Context, host *libvirt.Host, pool, name string) (bool, error) {
	_, err := host.Volume(ctx, pool, name)
	if errors.Is(err, libvirt.ErrNotFound) {
		return false, nil
	}

	return err == nil, err
}

// locate finds the host that the volume is really on: a machine that was to take it along may not have, or not yet.
func locate(ctx context.Context, clients *backend.Backend, state *model) error {
	host, err := clients.Host(state.Host.ValueString())
	if err != nil {
		return err
	}

	moves, err := host.Moves(ctx)
	if err != nil {
		return err
	}

	volume := libvirt.Volume{Pool: state.Pool.ValueString(), Name: state.Name.ValueString()}

	for _, machine := range moves {
		if machine.Mark.Move.From != "" && !machine.Mark.Complete && machines.HasDisk(machine, volume) {
			if from, err := clients.Host(machine.Mark.Move.From); err == nil {
				return settleOn(ctx, from, volume, state)
			}
		}
	}

	there, err := exists(ctx, host, volume.Pool, volume.Name)
	if err != nil || there {
		return err
	}

	for _, name := range clients.HostNames() {
		other, err := clients.Host(name)
		if err != nil || other == host || !other.Known() {
			continue
		}

		moves, err := other.Moves(ctx)
		if err != nil {
			continue // a host that cannot be asked has nothing to say about a volume of another one
		}

		for _, machine := range moves {
			if machine.Mark.Move.To == host.Name() && machines.HasDisk(machine, volume) {
				return settleOn(ctx, other, volume, state)
			}
		}
	}

	return nil
}

// settleOn has the state say the host if the volume is there.
func settleOn(ctx context.Context, host *libvirt.Host, volume libvirt.Volume, state *model) error {
	there, err := exists(ctx, host, volume.Pool, volume.Name)
	if err == nil && there {
		state.Host = types.StringValue(host.Name())
	}

	if errors.Is(err, libvirt.ErrUnreachable) {
		return nil
	}

	return err
}
