package object

import (
	"context"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ModifyPlan fills in the id, refuses a host that the provider block does not have, and leaves the rest to the kind.
func (r *objectResource[M, P]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	ctx, cancel := context.WithTimeout(ctx, r.kind.Limits.Plan)
	defer cancel()

	if !req.Plan.Raw.IsNull() {
		r.planID(ctx, req, resp)
	}

	if r.kind.Plan != nil && !resp.Diagnostics.HasError() {
		r.kind.Plan(ctx, r.clients, req, resp)
	}
}

func (r *objectResource[M, P]) planID(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	values := make([]string, len(r.kind.Identity))
	id := types.StringNull()

	for at, attribute := range r.kind.Identity {
		var value types.String
		resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root(attribute.Name), &value)...)

		if values[at] = value.ValueString(); value.IsUnknown() {
			id = types.StringUnknown()
		}
	}

	host, name := values[0], values[len(values)-1]

	if r.clients != nil && host != "" && !resp.Diagnostics.HasError() {
		if _, err := r.clients.Host(host); err != nil {
			resp.Diagnostics.Append(tf.FailedAt(path.Root("host"), "plan", r.kind.Thing, name, err))
		}
	}

	if r.kind.Contents && req.State.Raw.IsNull() {
		id = types.StringUnknown()
	}

	if !id.IsUnknown() {
		id = ID(values...)
	}

	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("id"), id)...)
}

// ID is the id of the object with the identity.
func ID(identity ...string) types.String { return types.StringValue(strings.Join(identity, "/")) }

// ValidateConfig leaves it to the kind.
func (r *objectResource[M, P]) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	if r.kind.Validate != nil {
		r.kind.Validate(ctx, req, resp)
	}
}
