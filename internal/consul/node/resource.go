// Package node is the resource consul_node: a machine without an agent in Consul's catalog.
package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/check"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const thing = "Consul node"

var (
	_ resource.ResourceWithConfigure      = &nodeResource{}
	_ resource.ResourceWithIdentity       = &nodeResource{}
	_ resource.ResourceWithImportState    = &nodeResource{}
	_ resource.ResourceWithModifyPlan     = &nodeResource{}
	_ resource.ResourceWithValidateConfig = &nodeResource{}
)

// New makes the resource consul_node.
func New() resource.Resource { return &nodeResource{} }

type nodeResource struct {
	backend *backend.Backend
}

func (r *nodeResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "consul_node"
}

func (r *nodeResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = nodeSchema()
}

func (r *nodeResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.backend = backend.From(req.ProviderData)
}

// ValidateConfig refuses checks that consul-esm does not run.
func (r *nodeResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var checks types.Map
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("checks"), &checks)...)
	resp.Diagnostics.Append(check.Validate(checks, true)...)
}

// ModifyPlan refuses a new node that runs an agent or names a partition of an open-source Consul, as far as Consul can be
// asked: it may be made by the same apply.
func (r *nodeResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || !req.State.Raw.IsNull() || r.backend == nil {
		return
	}

	var name, partition types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("name"), &name)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("partition"), &partition)...)

	consul, err := r.backend.Consul()
	if err != nil || resp.Diagnostics.HasError() {
		return // an apply says so
	}

	m := model{Partition: partition}

	if tf.Given(name) && consul.KnowsAgent(ctx, name.ValueString(), m.partition()) {
		resp.Diagnostics.Append(tf.FailedAt(path.Root("name"), "plan", thing, name.ValueString(),
			errors.New("it runs a Consul agent, which says itself what the node is. Choose the name of a machine that runs no agent")))
	}

	if m.partition() != "" && consul.KnowsOpenSource(ctx) {
		resp.Diagnostics.Append(tf.FailedAt(path.Root("partition"), "plan", thing, name.ValueString(),
			fmt.Errorf("this Consul is not Consul Enterprise, and has no partition %q. Leave partition out", m.partition())))
	}
}

func (r *nodeResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	consul := r.consul("create", plan, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	plan.Owner = tf.Owned(plan.Owner)
	err := consul.RegisterNode(ctx, plan.node())

	if err == nil || errors.Is(err, catalog.ErrUnanswered) { // what may exist must be in the state, or it is orphaned
		resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
		resp.Diagnostics.Append(identity.Keep(ctx, resp.State, resp.Identity)...)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("create", thing, plan.Name.ValueString(), err))
	}
}

func (r *nodeResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(identity.Keep(ctx, req.State, resp.Identity)...)

	consul := r.consul("read", state, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	node, err := consul.NodeNamed(ctx, state.Name.ValueString(), state.partition())

	switch {
	case errors.Is(err, catalog.ErrNotFound):
		resp.State.RemoveResource(ctx)

		return
	case err != nil:
		resp.Diagnostics.Append(tf.Failed("read", thing, state.Name.ValueString(), err))

		return
	}

	if node.Foreign(state.mark()) {
		resp.Diagnostics.AddWarning("Consul node of another state", fmt.Sprintf("Node %q has been registered or taken over by another Terraform state, as its meta data says. A change or a removal by this one will be refused: remove it here (terraform state rm), or set force = true.", node.Name))
	}

	state.set(node)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *nodeResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	consul := r.consul("update", plan, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	plan.Owner = tf.Owned(plan.Owner)

	if err := consul.UpdateNode(ctx, plan.node()); err != nil {
		resp.Diagnostics.Append(tf.Failed("update", thing, plan.Name.ValueString(), err))

		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(identity.Keep(ctx, resp.State, resp.Identity)...)
}

func (r *nodeResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)

	consul := r.consul("delete", state, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	if err := consul.DeregisterNode(ctx, state.Name.ValueString(), state.partition(), state.mark()); err != nil {
		resp.Diagnostics.Append(tf.Failed("delete", thing, state.Name.ValueString(), err))
	}
}

// consul returns Consul's client; it reports why there is none.
func (r *nodeResource) consul(verb string, of model, diagnostics *diag.Diagnostics) *catalog.Client {
	if diagnostics.HasError() {
		return nil
	}

	consul, err := r.backend.Consul()
	if err != nil {
		diagnostics.Append(tf.Failed(verb, thing, of.Name.ValueString(), err))
	}

	return consul
}
