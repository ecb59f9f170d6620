// Package route is the gateway_route resource type.
package route

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

const thing = "gateway route"

var (
	_ resource.ResourceWithConfigure   = (*routeResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*routeResource)(nil)
	_ resource.ResourceWithImportState = (*routeResource)(nil)
)

// New makes the resource type.
func New() resource.Resource { return &routeResource{} }

type routeResource struct {
	backend *backend.Backend
}

func (r *routeResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "gateway_route"
}

func (r *routeResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.backend = backend.From(req.ProviderData)
}

// ModifyPlan refuses a plan that no gateway can carry out.
func (r *routeResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.backend == nil || req.Plan.Raw.IsNull() {
		return
	}

	var name types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("name"), &name)...)

	if _, err := r.backend.Gateway(); err != nil {
		resp.Diagnostics.Append(tf.Failed("plan", thing, name.ValueString(), err))
	}
}

func (r *routeResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	if resp.Diagnostics.HasError() {
		return
	}

	if err := r.create(ctx, plan.route()); err != nil {
		resp.Diagnostics.Append(tf.Failed("create", thing, plan.Name.ValueString(), err))

		return
	}

	plan.set(plan.route())
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *routeResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)

	if resp.Diagnostics.HasError() {
		return
	}

	route, err := r.read(ctx, state.Name.ValueString())
	if errors.Is(err, gateway.ErrNotFound) {
		resp.State.RemoveResource(ctx)

		return
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("read", thing, state.Name.ValueString(), err))

		return
	}

	state.set(route)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *routeResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	if resp.Diagnostics.HasError() {
		return
	}

	if err := r.put(ctx, plan.route()); err != nil {
		resp.Diagnostics.Append(tf.Failed("update", thing, plan.Name.ValueString(), err))

		return
	}

	plan.set(plan.route())
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *routeResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)

	if resp.Diagnostics.HasError() {
		return
	}

	if err := r.remove(ctx, state.Name.ValueString()); err != nil {
		resp.Diagnostics.Append(tf.Failed("delete", thing, state.Name.ValueString(), err))
	}
}

func (r *routeResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("name"), req, resp)
}

// create puts a route that must not exist, whoever made it.
func (r *routeResource) create(ctx context.Context, route gateway.Route) error {
	engine, err := r.backend.Gateway()
	if err != nil {
		return err
	}

	_, err = engine.Route(ctx, route.Name)

	switch {
	case errors.Is(err, gateway.ErrNotFound):
		return engine.PutRoute(ctx, route)
	case err != nil:
		return err
	default:
		return fmt.Errorf("the gateway already has a route of this name. Import it (terraform import gateway_route.<label> %s), or choose another name", route.Name)
	}
}

func (r *routeResource) read(ctx context.Context, name string) (gateway.Route, error) {
	engine, err := r.backend.Gateway()
	if err != nil {
		return gateway.Route{}, err
	}

	return engine.Route(ctx, name)
}

func (r *routeResource) put(ctx context.Context, route gateway.Route) error {
	engine, err := r.backend.Gateway()
	if err != nil {
		return err
	}

	return engine.PutRoute(ctx, route)
}

func (r *routeResource) remove(ctx context.Context, name string) error {
	engine, err := r.backend.Gateway()
	if err != nil {
		return err
	}

	return engine.DeleteRoute(ctx, name)
}
