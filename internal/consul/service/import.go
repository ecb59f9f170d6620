package service

import (
	"context"
	"errors"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var identity = tf.Identity{
	{Name: "id", Description: "Id of the instance."},
	{Name: "node", Description: "Node of the catalog. Left out for an instance of the agent.", Optional: true},
	{Name: "namespace", Description: "Namespace of Consul Enterprise.", Optional: true},
	{Name: "partition", Description: "Admin partition of Consul Enterprise.", Optional: true},
}

func (r *serviceResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identity.Schema()
}

// ImportState takes "<service id>" for an instance of the agent and "<node>/<service id>" for one of the catalog.
func (r *serviceResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	values, given := identity.Given(ctx, req, &resp.Diagnostics)
	if !given {
		id, node := req.ID, ""

		if before, after, found := strings.Cut(req.ID, "/"); found {
			id, node = after, before

			if node == "" {
				id = ""
			}
		}

		values = []string{id, node, "", ""}
	}

	if values[0] == "" || strings.Contains(values[0], "/") {
		resp.Diagnostics.Append(tf.Failed("import", thing, req.ID, errors.New("this is not an instance's import id. Write \"<service id>\" for an instance that is registered through the agent, or \"<node>/<service id>\" for one in the catalog")))

		return
	}

	for at, attribute := range identity {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute.Name), tf.OptionalText(values[at]))...)
	}

	resp.Diagnostics.Append(identity.Keep(ctx, resp.State, resp.Identity)...)
}

var _ list.ListResourceWithConfigure = &serviceResource{}

// NewList makes the list of instances, with which `terraform query` (Terraform 1.14) finds those of a node or the agent.
func NewList() list.ListResource { return &serviceResource{} }

func (r *serviceResource) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listschema.Schema{
		MarkdownDescription: "The instances of services that are registered on a node of Consul's catalog or through the agent, by Terraform or not.",
		Attributes: map[string]listschema.Attribute{
			"node": listschema.StringAttribute{
				MarkdownDescription: "Node of the catalog. Defaults to the agent at the provider's Consul address.",
				Optional:            true,
			},
		},
	}
}

func (r *serviceResource) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var node types.String
	diags := req.Config.GetAttribute(ctx, path.Root("node"), &node)

	consul := r.consul("list", model{ID: node}, &diags)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)

		return
	}

	services, err := consul.Instances(ctx, node.ValueString())
	if err != nil {
		diags.Append(tf.Failed("list", thing+"s of node", node.ValueString(), err))
		stream.Results = list.ListResultsStreamDiagnostics(diags)

		return
	}

	stream.Results = func(push func(list.ListResult) bool) {
		for at, service := range services {
			if (req.Limit > 0 && int64(at) == req.Limit) || !push(listed(ctx, req, service)) {
				return
			}
		}
	}
}

func listed(ctx context.Context, req list.ListRequest, service catalog.Service) list.ListResult {
	var found model

	found.set(service)

	result := req.NewListResult(ctx)
	result.DisplayName = service.Identity.String()

	for at, value := range []types.String{found.ID, found.Node, found.Namespace, found.Partition} {
		result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root(identity[at].Name), value)...)
	}

	if req.IncludeResource {
		result.Diagnostics.Append(result.Resource.Set(ctx, found)...)
	}

	return result
}
