package service

import (
	"context"
	"errors"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var identity = tf.Identity{
	{Name: "id", Description: "Id of the instance."},
	{Name: "node", Description: "Node of the catalog. Left out for an instance of the agent.", Optional: true},
	{Name: "namespace", Description: "Namespace of Consul Enterprise.", Optional: true},
	{Name: "partition", Description: "Admin partition of Consul Enterprise.", Optional: true},
}

// parse reads "<service id>" for an instance of the agent and "<node>/<service id>" for one of the catalog.
func parse(id string) []string {
	node, instance, found := strings.Cut(id, "/")

	switch {
	case !found:
		return []string{id, "", "", ""}
	case node == "":
		return []string{"", "", "", ""}
	default:
		return []string{instance, node, "", ""}
	}
}

// refuse says what is no instance's identity.
func refuse(identity []string) error {
	if identity[0] != "" && !strings.Contains(identity[0], "/") {
		return nil
	}

	return errors.New("this is not an instance's import id. Write \"<service id>\" for an instance that is registered through the agent, or \"<node>/<service id>\" for one in the catalog")
}

var listed = listschema.Schema{
	MarkdownDescription: "The instances of services that are registered on a node of Consul's catalog or through the agent, by Terraform or not.",
	Attributes: map[string]listschema.Attribute{
		"node": listschema.StringAttribute{
			MarkdownDescription: "Node of the catalog. Defaults to the agent at the provider's Consul address.",
			Optional:            true,
		},
	},
}

// instances are those of the node that the list names, or of the agent.
func instances(ctx context.Context, consul *catalog.Client, config tfsdk.Config, diags *diag.Diagnostics) []catalog.Service {
	var node types.String
	diags.Append(config.GetAttribute(ctx, path.Root("node"), &node)...)

	if diags.HasError() {
		return nil
	}

	services, err := consul.Instances(ctx, node.ValueString())
	if err != nil {
		diags.Append(tf.Failed("list", thing+"s of node", node.ValueString(), err))
	}

	return services
}
