package node

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var identity = tf.Identity{
	{Name: "name", Description: "Name of the node."},
	{Name: "partition", Description: "Admin partition of Consul Enterprise.", Optional: true},
}

func (r *nodeResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identity.Schema()
}

// ImportState takes the node's name.
func (r *nodeResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	values, given := identity.Given(ctx, req, &resp.Diagnostics)
	if !given {
		values = []string{req.ID, ""}
	}

	if !nodeName.MatchString(values[0]) {
		resp.Diagnostics.Append(tf.Failed("import", thing, values[0], errors.New("this is not the name of a node, which is a DNS label. Write it as \"web-1\"")))

		return
	}

	for at, attribute := range identity {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute.Name), tf.OptionalText(values[at]))...)
	}

	resp.Diagnostics.Append(identity.Keep(ctx, resp.State, resp.Identity)...)
}

var _ list.ListResourceWithConfigure = &nodeResource{}

// NewList makes the list of nodes, with which `terraform query` (Terraform 1.14) finds those without an agent.
func NewList() list.ListResource { return &nodeResource{} }

func (r *nodeResource) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listschema.Schema{MarkdownDescription: "The nodes of Consul's catalog that run no agent, made by Terraform or not."}
}

func (r *nodeResource) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var diags diag.Diagnostics

	consul := r.consul("list", model{Name: types.StringValue("*")}, &diags)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)

		return
	}

	nodes, err := consul.ExternalNodes(ctx, "")
	if err != nil {
		diags.AddError("Unable to list Consul nodes", tf.Sentence(err))
		stream.Results = list.ListResultsStreamDiagnostics(diags)

		return
	}

	sorted := slices.SortedFunc(maps.Values(nodes), func(a, b catalog.Node) int { return cmp.Compare(a.Name, b.Name) })

	stream.Results = func(push func(list.ListResult) bool) {
		for at, node := range sorted {
			if (req.Limit > 0 && int64(at) == req.Limit) || !push(listed(ctx, req, node)) {
				return
			}
		}
	}
}

func listed(ctx context.Context, req list.ListRequest, node catalog.Node) list.ListResult {
	var found model

	found.set(node)

	result := req.NewListResult(ctx)
	result.DisplayName = node.Name
	result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root("name"), found.Name)...)
	result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root("partition"), found.Partition)...)

	if req.IncludeResource {
		result.Diagnostics.Append(result.Resource.Set(ctx, found)...)
	}

	return result
}
