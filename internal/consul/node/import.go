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
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
)

var identity = tf.Identity{
	{Name: "name", Description: "Name of the node."},
	{Name: "partition", Description: "Admin partition of Consul Enterprise.", Optional: true},
}

// refuse says what is no node's name, which an import's id is.
func refuse(identity []string) error {
	if nodeName.MatchString(identity[0]) {
		return nil
	}

	return errors.New("this is not the name of a node, which is a DNS label. Write it as \"web-1\"")
}

// external are the nodes without an agent, by their names.
func external(ctx context.Context, consul *catalog.Client, _ tfsdk.Config, diags *diag.Diagnostics) []catalog.Node {
	nodes, err := consul.ExternalNodes(ctx, "")
	if err != nil {
		diags.AddError("Unable to list Consul nodes", tf.Sentence(err))
	}

	return slices.SortedFunc(maps.Values(nodes), func(a, b catalog.Node) int { return cmp.Compare(a.Name, b.Name) })
}
