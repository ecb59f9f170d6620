package object

import (
	"context"
	"errors"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// ModifyPlan refuses a plan that the gateway cannot carry out, as far as it is known.
func (r *objectResource[M, V, P]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.backend == nil || req.Plan.Raw.IsNull() {
		return
	}

	var name types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("name"), &name)...)

	engine, err := r.backend.Gateway()
	if err != nil {
		resp.Diagnostics.Append(tf.Failed("plan", r.kind.Thing, name.ValueString(), err))

		return
	}

	plan, err := r.known(ctx, req.Plan)
	if err != nil {
		resp.Diagnostics.Append(tf.Failed("plan", r.kind.Thing, name.ValueString(), err))

		return
	}

	if checker, can := engine.(supported); can {
		if err := checker.Supported(ctx); err != nil {
			resp.Diagnostics.Append(tf.Failed("plan", r.kind.Thing, name.ValueString(), err))

			return
		}
	}

	if r.kind.Plan != nil {
		r.kind.Plan(ctx, engine, req, resp)
	}

	if r.kind.Check == nil {
		return
	}

	for _, refused := range r.kind.Check(engine, plan.Value()) {
		steps := strings.Split(refused.Attribute, ".")

		at := path.Root(steps[0])
		for _, step := range steps[1:] {
			at = at.AtName(step)
		}

		resp.Diagnostics.Append(tf.FailedAt(at, "plan", r.kind.Thing, name.ValueString(), errors.New(refused.Reason)))
	}
}

// supported is a gateway of which there are kinds that cannot be configured.
type supported interface {
	Supported(ctx context.Context) error
}

// known decodes a plan without what is still unknown in it.
func (r *objectResource[M, V, P]) known(ctx context.Context, plan tfsdk.Plan) (P, error) {
	raw, err := tftypes.Transform(plan.Raw, func(_ *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		if !value.IsKnown() {
			return tftypes.NewValue(value.Type(), nil), nil
		}

		return value, nil
	})
	if err != nil {
		return nil, err
	}

	m := P(new(M))
	if diags := (tfsdk.Plan{Raw: raw, Schema: plan.Schema}).Get(ctx, m); diags.HasError() {
		return nil, errors.New(diags[0].Detail())
	}

	return m, nil
}

// ImportState takes the name, as an id or an identity. The object is read at once, so that what is not there is not
// imported.
func (r *objectResource[M, V, P]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	ctx, cancel := context.WithTimeout(ctx, Limits.Plan)
	defer cancel()

	name := req.ID
	if values, given := identity.Given(ctx, req, &resp.Diagnostics); given {
		name = values[0]
	}

	if resp.Diagnostics.HasError() {
		return
	}

	value, err := r.read(ctx, name)
	if err != nil {
		resp.Diagnostics.Append(tf.Failed("import", r.kind.Thing, name, err))

		return
	}

	resp.Diagnostics.Append(r.fill(ctx, value, &resp.State)...)
	resp.Diagnostics.Append(identity.Keep(ctx, resp.State, resp.Identity)...)

	if resp.Private != nil {
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, importedKey, []byte("true"))...)
	}
}
