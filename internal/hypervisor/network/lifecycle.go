package network

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/machines"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/networkxml"
)

// create defines the network, or takes over what an interrupted creation left of it. It does not start it.
func create(ctx context.Context, host *libvirt.Host, plan model) error {
	existing, err := host.Network(ctx, plan.Name.ValueString())

	switch {
	case errors.Is(err, libvirt.ErrNotFound):
	case err != nil:
		return err
	default:
		return takeOver(ctx, host, existing, plan.spec())
	}

	text, err := networkxml.Render(plan.spec())
	if err != nil {
		return err
	}

	return host.DefineNetwork(ctx, text)
}

// takeOver accepts a network that is just what would have been made: a run that was killed before Terraform could store
// its state left it. Anything else is somebody's.
func takeOver(ctx context.Context, host *libvirt.Host, existing libvirt.Network, spec networkxml.Spec) error {
	if !existing.Persistent {
		return errTransient
	}

	stored, err := networkxml.Parse(existing.XML)
	if err != nil {
		return err
	}

	changes, err := networkxml.Changes(stored, spec.DHCP)
	if err != nil {
		return err
	}

	if !stored.Same(spec) || len(changes) > 0 {
		return fmt.Errorf("host %q has a network of this name already, and it is another one. Import it, remove it, or choose another name", host.Name())
	}

	users, err := machines.Using(ctx, host, func(machine domainxml.Spec) bool { return attached(machine, stored) })
	if err != nil {
		return err
	}

	for _, user := range users {
		if !user.Managed {
			return fmt.Errorf("host %q has a network of this name already, and machine %q is attached to it. Import it, or choose another name", host.Name(), user.Domain.Name)
		}
	}

	return nil
}

var errTransient = errors.New("the host has it without a stored definition, so that it ends when it is stopped. Store it with \"virsh net-dumpxml\" and \"virsh net-define\", or stop it")

// apply brings the network to what is planned: its DHCP in the stored and in the running definition, each by what it
// lacks, its autostart and its power. What an interrupted run did already is not done again.
func apply(ctx context.Context, host *libvirt.Host, plan *model) error {
	name := plan.Name.ValueString()

	found, err := host.Network(ctx, name)
	if err != nil {
		return err
	}

	if err := changeDHCP(ctx, host, name, found.XML, plan.spec().DHCP, false); err != nil {
		return err
	}

	if found.Active {
		err = changeDHCP(ctx, host, name, found.LiveXML, plan.spec().DHCP, true)
	} else {
		err = host.StartNetwork(ctx, name)
	}

	if err != nil || found.Autostart == plan.Autostart.ValueBool() {
		return err
	}

	return host.SetNetworkAutostart(ctx, name, plan.Autostart.ValueBool())
}

func changeDHCP(ctx context.Context, host *libvirt.Host, name, definition string, to networkxml.DHCP, live bool) error {
	existing, err := networkxml.Parse(definition)
	if err != nil {
		return err
	}

	changes, err := networkxml.Changes(existing, to)
	if err != nil {
		return err
	}

	for _, change := range changes {
		if err := host.UpdateNetwork(ctx, name, change, live); err != nil {
			return err
		}
	}

	return nil
}

// refresh reads the network from its host.
func refresh(ctx context.Context, host *libvirt.Host, m *model) error {
	found, err := host.Network(ctx, m.Name.ValueString())
	if err != nil {
		return err
	}

	if !found.Persistent {
		return errTransient
	}

	spec, err := observe(found, m.spec())
	if err != nil {
		return err
	}

	m.set(found, spec)

	return nil
}

// observe returns the definition that is shown: the stored one, unless that is as it should be and what runs is not.
// So the plan shows a change that was made to only one of them.
func observe(found libvirt.Network, should networkxml.Spec) (networkxml.Spec, error) {
	stored, err := networkxml.Parse(found.XML)
	if err != nil || !found.Active {
		return stored, err
	}

	changes, err := networkxml.Changes(stored, should.DHCP)
	if err != nil || len(changes) > 0 || !stored.Same(should) {
		return stored, err
	}

	return networkxml.Parse(found.LiveXML)
}

// remove stops and undefines the network, unless a machine is attached to it.
func remove(ctx context.Context, host *libvirt.Host, state model) error {
	name := state.Name.ValueString()

	found, err := host.Network(ctx, name)
	if errors.Is(err, libvirt.ErrNotFound) {
		return nil
	}

	if err != nil {
		return err
	}

	spec, err := networkxml.Parse(found.XML)
	if err != nil {
		return err
	}

	users, err := machines.Using(ctx, host, func(machine domainxml.Spec) bool { return attached(machine, spec) })
	if err != nil {
		return err
	}

	if len(users) > 0 {
		return fmt.Errorf("machine %q of host %q is attached to it and would lose its network. Remove the machine or its interface first", users[0].Domain.Name, host.Name())
	}

	return host.RemoveNetwork(ctx, name)
}

// attached reports whether the machine uses the network, by its name or by the bridge that comes and goes with it.
func attached(machine domainxml.Spec, spec networkxml.Spec) bool {
	for _, nic := range machine.Interfaces {
		if nic.Network == spec.Name || (!spec.OnHostBridge() && nic.Bridge != "" && nic.Bridge == spec.Bridge) {
			return true
		}
	}

	return false
}
