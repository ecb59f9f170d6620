package snapshot

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// note marks the snapshots that are ours.
const note = "Taken by Terraform."

// create takes the snapshot in one step. One of ours that is there already was left by a run that was killed before
// Terraform could store its state.
func create(ctx context.Context, host *libvirt.Host, plan *model, _ func(model)) error {
	vm, name := plan.VM.ValueString(), plan.Name.ValueString()

	existing, err := host.Snapshot(ctx, vm, name)

	switch {
	case err == nil && existing.Note == note:
		return nil
	case err == nil:
		return errors.New("the machine has a snapshot of this name already. Import it, remove it, or choose another name")
	case !errors.Is(err, libvirt.ErrNotFound):
		return err
	}

	domain, err := host.Domain(ctx, vm)
	if err != nil {
		return err
	}

	if err := check(domain); err != nil {
		return err
	}

	return host.TakeSnapshot(ctx, vm, name, note)
}

// check refuses machines whose state cannot be kept, which libvirt says in its own words or only halfway through.
func check(domain libvirt.Domain) error {
	spec, err := domainxml.Parse(domain.XML)
	if err != nil {
		return err
	}

	if spec.Type != "kvm" && spec.Type != "qemu" {
		return fmt.Errorf("machine %q is of the type %s, and only machines of QEMU have snapshots", domain.Name, spec.Type)
	}

	for name, disk := range spec.Disks {
		if disk.Format != "qcow2" && !disk.ReadOnly {
			return fmt.Errorf("disk %q of machine %q is %s, and a snapshot stands inside of the disks' own format, qcow2. Make it a volume of format qcow2, or read-only", name, domain.Name, disk.Format)
		}
	}

	return nil
}

func refresh(ctx context.Context, host *libvirt.Host, m *model) error {
	found, err := host.Snapshot(ctx, m.VM.ValueString(), m.Name.ValueString())
	if err != nil {
		return err
	}

	m.set(found)

	return nil
}

// update takes the machine back if it is told so by another text. A machine that runs runs afterwards.
func update(ctx context.Context, host *libvirt.Host, state model, plan *model) error {
	if !plan.reverts(state) {
		return nil
	}

	active, err := host.Active(ctx, plan.VM.ValueString())
	if err != nil {
		return err
	}

	return host.RevertToSnapshot(ctx, plan.VM.ValueString(), plan.Name.ValueString(), active)
}

func remove(ctx context.Context, host *libvirt.Host, state model) error {
	return host.DeleteSnapshot(ctx, state.VM.ValueString(), state.Name.ValueString())
}
