package vm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/disruption"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// checkMove refuses to plan a move that cannot be made, with the reason. What the same apply may still make at the other host,
// a network or a pool, is a warning. Hosts that cannot be asked are asked again before anything is changed.
func (r *vmResource) checkMove(ctx context.Context, plan planned, state *planned, prior tfsdk.State, resp *resource.ModifyPlanResponse) {
	if state == nil || r.clients == nil || len(resp.RequiresReplace) > 0 || plan.Host.IsUnknown() || plan.Host.Equal(state.Host) {
		return
	}

	var id types.String
	resp.Diagnostics.Append(prior.GetAttribute(ctx, path.Root("id"), &id)...)

	name := plan.Name.ValueString()

	err := r.obstacle(ctx, state.Host.ValueString(), plan.Host.ValueString(), id.ValueString(), plan.Running.ValueBool())

	switch {
	case err == nil:
	case errors.Is(err, libvirt.ErrUnreachable), errors.Is(err, libvirt.ErrNotFound):
		resp.Diagnostics.AddAttributeWarning(path.Root("host"), fmt.Sprintf("Unable to check the move of VM %q", name),
			fmt.Sprintf("The apply fails unless this changes first: %s.", err))
	default:
		resp.Diagnostics.Append(tf.FailedAt(path.Root("host"), "move", "VM", name, err))
	}
}

// obstacle is why the machine cannot be moved between the hosts.
func (r *vmResource) obstacle(ctx context.Context, leaves, goes, id string, runs bool) error {
	from, err := r.clients.Host(leaves)
	if err != nil {
		return err
	}

	to, err := r.clients.Host(goes)
	if err != nil || !to.Known() || !from.Known() {
		return err
	}

	domain, err := from.Domain(ctx, id)
	if err != nil {
		return err
	}

	o, err := observe(domain)
	if err != nil {
		return err
	}

	here, err := from.Topology(ctx)
	if err != nil {
		return err
	}

	there, err := to.Topology(ctx)
	if err != nil {
		return err
	}

	if err := unsuited(o.stored, domain.Active && runs, here, there, goes); err != nil {
		return err
	}

	return lacking(ctx, to, o.stored)
}

// unsuited is why the other host's hardware cannot take the machine.
func unsuited(machine domainxml.Spec, runs bool, here, there topology.Host, goes string) error {
	model := machine.CPU.Model
	if model == "" {
		model = domainxml.DefaultModel(machine.Type)
	}

	switch {
	case machine.Type != "kvm" && machine.Type != "qemu":
		return fmt.Errorf("a machine of type %q has no migration: its state is that of its host's kernel. Remove it (terraform destroy -target), and the next apply makes it there", machine.Type)
	case here.Arch != there.Arch:
		return fmt.Errorf("host %q has the architecture %s, and the machine is of %s", goes, there.Arch, here.Arch)
	case !slices.Contains(there.DomainTypes, machine.Type):
		return fmt.Errorf("host %q does not offer machines of type %q. It has: %s", goes, machine.Type, strings.Join(there.DomainTypes, ", "))
	case runs && model == domainxml.HostPassthrough && here.Processor != there.Processor:
		return fmt.Errorf("the running guest uses all that its processor has, and host %q has another one (%s here, %s there). Power the machine off to move it (running = false), or give it a CPU model that both hosts have",
			goes, brief(here.Processor), brief(there.Processor))
	default:
		return nil
	}
}

// brief is a processor's maker and model.
func brief(processor string) string {
	words := strings.Fields(processor)

	return strings.Join(words[:min(2, len(words))], " ")
}

// lacking says which pool, network or bridge of the machine's the other host does not have.
func lacking(ctx context.Context, to *libvirt.Host, machine domainxml.Spec) error {
	for _, disk := range machine.Disks {
		if disk.Volume.Pool == "" {
			continue
		}

		if _, err := to.Pool(ctx, disk.Volume.Pool); err != nil {
			return err
		}
	}

	for _, name := range slices.Sorted(maps.Keys(machine.Interfaces)) {
		nic := machine.Interfaces[name]
		if nic.Bridge == "" && nic.Network == "" {
			continue // somebody attached it to something else
		}

		if nic.Network != "" {
			if _, err := to.Network(ctx, nic.Network); err != nil { // which the same apply may still make
				return err
			}
		}

		if err := wired(ctx, to, nic); err != nil {
			return fmt.Errorf("interface %q: %w", name, err)
		}
	}

	return nil
}

// takesAlong reports whether a change is that a disk goes where the machine goes.
func (p planned) takesAlong(state planned, change disruption.Change, at path.Path) bool {
	if change.Attribute != "disks.*.volume" {
		return false
	}

	name, ok := at.Steps()[1].(path.PathStepElementKeyString)

	return ok && p.follows(state, string(name))
}

// follows reports whether the disk is the same volume as before, on the host that the machine moves to if it moves.
func (p planned) follows(state planned, disk string) bool {
	before, now := volumeID(state.Disks, disk), volumeID(p.Disks, disk)
	if before.Equal(now) {
		return true
	}

	if p.Host.Equal(state.Host) {
		return false
	}

	if now.IsUnknown() {
		return true // its id has the host, which is to be decided
	}

	was, err := libvirt.ParseVolumeRef(before.ValueString())
	if err != nil {
		return false
	}

	is, err := libvirt.ParseVolumeRef(now.ValueString())

	return err == nil && was.Pool == is.Pool && was.Name == is.Name
}

func volumeID(disks types.Map, name string) types.String {
	disk, ok := disks.Elements()[name].(types.Object)
	if !ok || disk.IsNull() {
		return types.StringNull()
	}

	if disk.IsUnknown() {
		return types.StringUnknown()
	}

	id, _ := disk.Attributes()["volume"].(types.String)

	return id
}
