package snapshot

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// modifyPlan refuses machines that have no snapshots, and says what going back loses.
func modifyPlan(ctx context.Context, clients *backend.Backend, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || clients == nil {
		return
	}

	var host, vm, name, revert types.String
	for attribute, target := range map[string]*types.String{"host": &host, "vm": &vm, "name": &name, "revert": &revert} {
		resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root(attribute), target)...)
	}

	if resp.Diagnostics.HasError() || host.IsUnknown() || vm.IsUnknown() {
		return
	}

	if req.State.Raw.IsNull() {
		if err := suited(ctx, clients, host.ValueString(), vm.ValueString()); err != nil {
			resp.Diagnostics.Append(tf.FailedAt(path.Root("vm"), "plan", "snapshot", name.ValueString(), err))
		}

		return
	}

	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)

	plan := model{Revert: revert}
	if !resp.Diagnostics.HasError() && len(resp.RequiresReplace) == 0 && plan.reverts(state) {
		resp.Diagnostics.AddAttributeWarning(path.Root("revert"), fmt.Sprintf("Machine goes back to snapshot %q", name.ValueString()),
			fmt.Sprintf("The apply puts the machine's disks, definition and memory back to %s. What was written to its disks since is lost.", state.TakenAt.ValueString()))
	}
}

// suited asks the host about the machine, if that is there yet.
func suited(ctx context.Context, clients *backend.Backend, hostName, vm string) error {
	host, err := clients.Host(hostName)
	if err != nil {
		return err
	}

	domain, err := host.Domain(ctx, vm)

	switch {
	case errors.Is(err, libvirt.ErrNotFound), errors.Is(err, libvirt.ErrUnreachable):
		return nil // the apply will tell
	case err != nil:
		return err
	default:
		return check(domain)
	}
}
