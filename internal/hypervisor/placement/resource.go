// Package placement is the resource type hypervisor_placement and the function place, which answer by the same pure
// planner.
package placement

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// placementResource needs no client: its hosts are given as facts, so that a placement can be planned for hardware that
// nobody has yet.
type placementResource struct{}

// undecided warns of what Terraform makes of a host that is not known yet.
const undecided = "Some of the hosts or of the demands are only known after the apply, and so is where machines go. Terraform plans to replace whatever " +
	"cannot change its host, such as volumes, even if in the end nothing moves. To decide first, apply what is not known yet by itself with -target."

var _ resource.ResourceWithModifyPlan = placementResource{}

// New makes the resource type.
func New() resource.Resource { return placementResource{} }

func (placementResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "hypervisor_placement"
}

func (placementResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = placementSchema()
}

// ModifyPlan decides. Inputs that have not changed are not decided anew, so nothing moves without a reason in the
// configuration or in the facts of the hosts.
func (placementResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || req.Plan.Raw.Equal(req.State.Raw) {
		return
	}

	if !req.Config.Raw.IsFullyKnown() {
		if !req.State.Raw.IsNull() {
			resp.Diagnostics.AddWarning("Placement that is not decided in this plan", undecided)
		}

		return
	}

	var plan, state model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}

	held, diags := state.held(ctx)
	resp.Diagnostics.Append(diags...)

	if resp.Diagnostics.HasError() {
		return
	}

	rebalance := held != nil && !plan.Rebalance.Equal(state.Rebalance)

	resp.Diagnostics.Append(plan.decide(ctx, held, rebalance)...)

	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
	}
}

// Create stores what was planned: the decision is the plan, and there is nothing else to make.
func (placementResource) Create(_ context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	resp.State.Raw = req.Plan.Raw
}

// Read keeps the state. What became of the hosts comes in with their facts, and is planned.
func (placementResource) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

func (placementResource) Update(_ context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.State.Raw = req.Plan.Raw
}

// Delete forgets the placement; the machines stay where they are.
func (placementResource) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
