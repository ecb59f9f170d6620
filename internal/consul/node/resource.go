// Package node is the resource consul_node: a machine without an agent in Consul's catalog.
package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/check"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const thing = "Consul node"

var kind = object.Kind[model, catalog.Node]{
	Type:     "consul_node",
	Thing:    thing,
	Schema:   nodeSchema,
	Identity: identity,

	Register: func(ctx context.Context, consul *catalog.Client, plan model) error {
		return consul.RegisterNode(ctx, plan.node())
	},
	Get: func(ctx context.Context, consul *catalog.Client, state model) (catalog.Node, error) {
		return consul.NodeNamed(ctx, state.Name.ValueString(), state.partition())
	},
	Update: func(ctx context.Context, consul *catalog.Client, plan model) error {
		return consul.UpdateNode(ctx, plan.node())
	},
	Deregister: func(ctx context.Context, consul *catalog.Client, state model) error {
		return consul.DeregisterNode(ctx, state.Name.ValueString(), state.partition(), state.Mark())
	},
	Describe: func(node catalog.Node) string { return fmt.Sprintf("Node %q", node.Name) },

	Plan:     plan,
	Validate: validate,
	Parse:    func(id string) []string { return []string{id, ""} },
	Refuse:   refuse,

	Listed: listschema.Schema{MarkdownDescription: "The nodes of Consul's catalog that run no agent, made by Terraform or not."},
	List:   external,
	Title:  func(node catalog.Node) string { return node.Name },
}

// New makes the resource consul_node.
func New() resource.Resource { return object.New[model, catalog.Node, *model](kind) }

// NewList makes the list of nodes, with which `terraform query` (Terraform 1.14) finds those without an agent.
func NewList() list.ListResource { return object.NewList[model, catalog.Node, *model](kind) }

// validate refuses checks that consul-esm does not run.
func validate(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var checks types.Map
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("checks"), &checks)...)
	resp.Diagnostics.Append(check.Validate(checks, true)...)
}

// plan refuses a new node that runs an agent or names a partition of an open-source Consul.
func plan(ctx context.Context, consul *catalog.Client, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !req.State.Raw.IsNull() {
		return
	}

	var name, partition types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("name"), &name)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("partition"), &partition)...)

	if resp.Diagnostics.HasError() {
		return
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
