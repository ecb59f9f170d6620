package pool

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/machines"
)

// create defines the pool, or takes over what an interrupted creation left of it. It does not start it.
func create(ctx context.Context, host *libvirt.Host, plan model) error {
	existing, err := host.Pool(ctx, plan.Name.ValueString())

	switch {
	case errors.Is(err, libvirt.ErrNotFound):
		return host.DefinePool(ctx, plan.spec())
	case err != nil:
		return err
	case !existing.Persistent:
		return errTransient
	case !existing.Same(plan.spec()):
		return fmt.Errorf("host %q has a pool of this name already, and it is another one: %s at %s. Import it, remove it, or choose another name", host.Name(), existing.Type, existing.Path)
	default:
		return takeOver(ctx, host, existing.Name)
	}
}

var errTransient = errors.New("the host has it without a stored definition, so that it ends when it is stopped. Store it with \"virsh pool-dumpxml\" and \"virsh pool-define\", or stop it")

// takeOver accepts a pool that is just what would have been made: a run that was killed before Terraform could store its
// state left it. One that somebody else's machine uses is somebody's.
func takeOver(ctx context.Context, host *libvirt.Host, name string) error {
	users, err := machines.Using(ctx, host, func(machine domainxml.Spec) bool { return uses(machine, name) })
	if err != nil {
		return err
	}

	for _, user := range users {
		if !user.Managed {
			return fmt.Errorf("host %q has a pool of this name already, and machine %q uses it. Import it, or choose another name", host.Name(), user.Domain.Name)
		}
	}

	return nil
}

// build makes the folders of a new pool that are missing. It leaves a volume group alone, which libvirt would make by
// wiping the devices, and it is not done again later: an empty folder in the place of one that went missing would pass
// for the pool.
func build(ctx context.Context, host *libvirt.Host, plan model) error {
	if plan.Type.ValueString() == libvirt.LogicalPool {
		return nil
	}

	return host.BuildPool(ctx, plan.Name.ValueString())
}

// apply brings the pool's power and autostart to what is planned.
func apply(ctx context.Context, host *libvirt.Host, plan *model) error {
	name := plan.Name.ValueString()

	if err := host.StartPool(ctx, name); err != nil {
		return err
	}

	found, err := host.Pool(ctx, name)
	if err != nil || found.Autostart == plan.Autostart.ValueBool() {
		return err
	}

	return host.SetPoolAutostart(ctx, name, plan.Autostart.ValueBool())
}

// refresh reads the pool from its host.
func refresh(ctx context.Context, host *libvirt.Host, m *model) error {
	found, err := host.Pool(ctx, m.Name.ValueString())
	if err != nil {
		return err
	}

	if !found.Persistent {
		return errTransient
	}

	m.set(found)

	return nil
}

// remove stops and undefines the pool, unless a machine has a disk in it: it could not be started any more. The data
// stays.
func remove(ctx context.Context, host *libvirt.Host, state model) error {
	name := state.Name.ValueString()

	users, err := machines.Using(ctx, host, func(machine domainxml.Spec) bool { return uses(machine, name) })
	if err != nil {
		return err
	}

	if len(users) > 0 {
		return fmt.Errorf("machine %q of host %q has a disk in it and could not be started any more. Remove the machine or its disk first", users[0].Domain.Name, host.Name())
	}

	return host.RemovePool(ctx, name)
}

// uses reports whether the machine has a disk in the pool.
func uses(machine domainxml.Spec, pool string) bool {
	for _, disk := range machine.Disks {
		if disk.Volume.Pool == pool {
			return true
		}
	}

	return machine.Seed != nil && machine.Seed.Pool == pool
}
