package vm

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// checkVolumes refuses disks that stand on another host.
func (p planned) checkVolumes(diags *diag.Diagnostics) {
	for name, element := range p.Disks.Elements() {
		disk, ok := element.(types.Object)
		if !ok {
			continue
		}

		volume, ok := disk.Attributes()["volume"].(types.String)
		if !ok || volume.IsNull() || volume.IsUnknown() || p.Host.IsUnknown() {
			continue
		}

		ref, err := libvirt.ParseVolumeRef(volume.ValueString())
		if err == nil && ref.Host != p.Host.ValueString() {
			err = fmt.Errorf("the volume %s is on host %q, and the machine is on host %q. Give it a volume of its own host", ref, ref.Host, p.Host.ValueString())
		}

		if err != nil {
			diags.Append(tf.FailedAt(path.Root("disks").AtMapKey(name).AtName("volume"), "plan", "VM", p.Name.ValueString(), err))
		}
	}
}

// checkHost asks the host about the CPUs of a machine that is new or gets other ones. CPUs that it does not have are an
// error. CPUs that another machine holds are a warning, since the same apply may free them first; the apply checks again.
func (r *vmResource) checkHost(ctx context.Context, plan planned, state *planned, resp *resource.ModifyPlanResponse) {
	name := plan.Name.ValueString()

	if r.clients == nil || plan.Host.IsUnknown() {
		return
	}

	host, err := r.clients.Host(plan.Host.ValueString())
	if err != nil {
		resp.Diagnostics.Append(tf.FailedAt(path.Root("host"), "plan", "VM", name, err))

		return
	}

	plan.checkType(ctx, host, state, &resp.Diagnostics)
	plan.checkHardware(ctx, host, state, &resp.Diagnostics)
	plan.checkModel(ctx, host, state, &resp.Diagnostics)

	if state != nil && len(resp.RequiresReplace) > 0 {
		plan.checkSuccessor(ctx, host, *state, &resp.Diagnostics)
	}

	spec, known := plan.threads()
	unchanged := state != nil && state.Host.Equal(plan.Host) && state.Pins.Equal(plan.Pins) && state.Emulator.Equal(plan.Emulator) &&
		state.Exclusive.Equal(plan.Exclusive) && state.IOThreads.Equal(plan.IOThreads)

	if !known || unchanged || !host.Known() || spec.Claim() == (domainxml.Claim{}) {
		return
	}

	hardware, err := host.Topology(ctx)
	if errors.Is(err, libvirt.ErrUnreachable) {
		resp.Diagnostics.AddAttributeWarning(path.Root("host"), fmt.Sprintf("Unable to check the CPUs of VM %q", name),
			fmt.Sprintf("The apply checks them, and fails as long as the host is down: %s.", err))

		return
	}

	if err != nil {
		resp.Diagnostics.Append(tf.FailedAt(path.Root("host"), "plan", "VM", name, err))

		return
	}

	if err := missing(spec, host.Name(), hardware); err != nil {
		resp.Diagnostics.Append(tf.FailedAt(path.Root("cpu").AtName("pins"), "plan", "VM", name, err))

		return
	}

	if err := held(ctx, host, spec, hardware); err != nil {
		resp.Diagnostics.AddAttributeWarning(path.Root("cpu").AtName("pins"), fmt.Sprintf("CPUs of VM %q are held by another machine", name),
			fmt.Sprintf("%s. The apply is refused unless it frees them first.", err))
	}
}

// held reports a machine of another name that holds CPUs which the spec wants.
func held(ctx context.Context, host *libvirt.Host, spec domainxml.Spec, hardware topology.Host) error {
	domains, err := host.Domains(ctx)
	if err != nil {
		return err
	}

	itself := ""

	for _, domain := range domains {
		if domain.Name == spec.Name {
			itself = domain.UUID
		}
	}

	others, err := claims(domains, itself, hardware.CPUs())

	return errors.Join(err, conflict(spec, host.Name(), hardware, others))
}
