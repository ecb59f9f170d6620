package service

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/check"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// validate refuses what cannot work together.
func validate(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var (
		node, address types.String
		checks        types.Map
		wait          tf.Notation
	)

	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("node"), &node)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("address"), &address)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("checks"), &checks)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("wait_for_passing"), &wait)...)

	if resp.Diagnostics.HasError() {
		return
	}

	if tf.Given(node) && address.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("address"), "Missing address",
			"An instance on a node of the catalog has no agent whose address it could have. Add the instance's address, such as address = \"10.0.0.101\".")
	}

	if tf.Given(wait.StringValue) && !checks.IsUnknown() && len(checks.Elements()) == 0 {
		resp.Diagnostics.AddAttributeError(path.Root("wait_for_passing"), "Nothing to wait for",
			"The instance has no checks, so it passes at once. Add checks, or leave out wait_for_passing.")
	}

	resp.Diagnostics.Append(check.Validate(checks, tf.Given(node))...)
}
