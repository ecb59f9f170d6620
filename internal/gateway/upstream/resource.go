// Package upstream is the gateway_upstream resource type.
package upstream

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const thing = "gateway upstream"

var (
	_ resource.ResourceWithConfigure   = (*upstreamResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*upstreamResource)(nil)
	_ resource.ResourceWithImportState = (*upstreamResource)(nil)
)

// New makes the resource type.
func New() resource.Resource { return &upstreamResource{} }

type upstreamResource struct {
	backend *backend.Backend
}

func (r *upstreamResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "gateway_upstream"
}

func (r *upstreamResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.backend = backend.From(req.ProviderData)
}

// ModifyPlan refuses a plan that no gateway can carry out.
func (r *upstreamResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.backend == nil || req.Plan.Raw.IsNull() {
		return
	}

	var name types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("name"), &name)...)

	if _, err := r.backend.Gateway(); err != nil {
		resp.Diagnostics.Append(tf.Failed("plan", thing, name.ValueString(), err))
	}
}

func (r *upstreamResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	if resp.Diagnostics.HasError() {
		return
	}

	if err := r.create(ctx, plan.upstream()); err != nil {
		resp.Diagnostics.Append(tf.Failed("create", thing, plan.Name.ValueString(), err))

		return
	}

	plan.set(plan.upstream())
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *upstreamResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)

	if resp.Diagnostics.HasError() {
		return
	}

	upstream, err := r.read(ctx, state.Name.ValueString())
	if errors.Is(err, gateway.ErrNotFound) {
		resp.State.RemoveResource(ctx)

		return
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("read", thing, state.Name.ValueString(), err))

		return
	}

	state.set(upstream)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *upstreamResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	if resp.Diagnostics.HasError() {
		return
	}

	if err := r.put(ctx, plan.upstream()); err != nil {
		resp.Diagnostics.Append(tf.Failed("update", thing, plan.Name.ValueString(), err))

		return
	}

	plan.set(plan.upstream())
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *upstreamResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)

	if resp.Diagnostics.HasError() {
		return
	}

	if err := r.remove(ctx, state.Name.ValueString()); err != nil {
		resp.Diagnostics.Append(tf.Failed("delete", thing, state.Name.ValueString(), err))
	}
}

func (r *upstreamResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("name"), req, resp)
}

// create puts an upstream that must not exist, whoever made it.
func (r *upstreamResource) create(ctx context.Context, upstream gateway.Upstream) error {
	engine, err := r.backend.Gateway()
	if err != nil {
		return err
	}

	_, err = engine.Upstream(ctx, upstream.Name)

	switch {
	case errors.Is(err, gateway.ErrNotFound):
		return engine.PutUpstream(ctx, upstream)
	case err != nil:
		return err
	default:
		return fmt.Errorf("the gateway already has an upstream of this name. Import it (terraform import gateway_upstream.<label> %s), or choose another name", upstream.Name)
	}
}

func (r *upstreamResource) read(ctx context.Context, name string) (gateway.Upstream, error) {
	engine, err := r.backend.Gateway()
	if err != nil {
		return gateway.Upstream{}, err
	}

	return engine.Upstream(ctx, name)
}

func (r *upstreamResource) put(ctx context.Context, upstream gateway.Upstream) error {
	engine, err := r.backend.Gateway()
	if err != nil {
		return err
	}

	return engine.PutUpstream(ctx, upstream)
}

func (r *upstreamResource) remove(ctx context.Context, name string) error {
	engine, err := r.backend.Gateway()
	if err != nil {
		return err
	}

	return engine.DeleteUpstream(ctx, name)
}
