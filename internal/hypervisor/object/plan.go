package object

import (
	"context"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
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

// ImportState takes the identity or the id. The object is read at once: one that is not there, or whose host cannot be
// reached, is not imported.
func (r *objectResource[M, P]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	ctx, cancel := context.WithTimeout(ctx, r.kind.Limits.Plan)
	defer cancel()

	values, given := r.kind.Identity.Given(ctx, req, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	if !given {
		var err error
		if values, err = r.parse(ctx, req.ID, resp); err != nil {
			resp.Diagnostics.Append(tf.Failed("import", r.kind.Thing, req.ID, err))

			return
		}
	}

	host, err := r.clients.Host(values[0])
	if err == nil {
		err = r.find(ctx, host, values, &resp.State, &resp.Diagnostics)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("import", r.kind.Thing, strings.Join(values, "/"), err))

		return
	}

	resp.Diagnostics.Append(r.kind.Identity.Keep(ctx, resp.State, resp.Identity)...)
}

func (r *objectResource[M, P]) parse(ctx context.Context, id string, resp *resource.ImportStateResponse) ([]string, error) {
	if r.kind.Import != nil {
		var err error
		if id, err = r.kind.Import(ctx, r.clients, id, resp); err != nil {
			return nil, err
		}
	}

	return r.kind.Identity.Split(id)
}

// record is a state, or an object in a list.
type record interface {
	Get(ctx context.Context, target any) diag.Diagnostics
	Set(ctx context.Context, value any) diag.Diagnostics
	SetAttribute(ctx context.Context, at path.Path, value any) diag.Diagnostics
}

// find reads the object with the identity into the record.
func (r *objectResource[M, P]) find(ctx context.Context, host *libvirt.Host, identity []string, into record, diags *diag.Diagnostics) error {
	diags.Append(into.SetAttribute(ctx, path.Root("id"), ID(identity...))...)

	for at, attribute := range r.kind.Identity {
		diags.Append(into.SetAttribute(ctx, path.Root(attribute.Name), identity[at])...)
	}

	m := P(new(M))
	diags.Append(into.Get(ctx, m)...)

	if diags.HasError() {
		return nil
	}

	if err := r.kind.Refresh(ctx, host, m); err != nil {
		return err
	}

	diags.Append(into.Set(ctx, m)...)

	return nil
}
