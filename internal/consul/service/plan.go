package service

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// plan refuses what this Consul would refuse.
func plan(ctx context.Context, consul *catalog.Client, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var (
		name, node, namespace, partition types.String
		checks                           types.Map
	)

	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("name"), &name)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("node"), &node)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("namespace"), &namespace)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("partition"), &partition)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("checks"), &checks)...)

	if resp.Diagnostics.HasError() {
		return
	}

	refuse := func(at path.Path, err error) {
		resp.Diagnostics.Append(tf.FailedAt(at, "plan", thing, name.ValueString(), err))
	}

	if tf.Given(node) && req.State.Raw.IsNull() && consul.KnowsAgent(ctx, node.ValueString(), tenancy(partition)) {
		refuse(path.Root("node"), catalog.RunsAgent(node.ValueString()))
	}

	if tf.Given(node) && req.State.Raw.IsNull() && probed(checks) && consul.KnowsNoProber(ctx) {
		resp.Diagnostics.AddAttributeWarning(path.Root("checks"), "Nothing runs the checks of an instance in the catalog", // alike for all, so that Terraform counts them
			fmt.Sprintf("Node %q has no agent, and consul-esm, which runs the checks of such nodes, is not among the services of this Consul. "+
				"As long as nobody runs them the instance is critical, and neither DNS nor a gateway sends requests to it. Start consul-esm; or leave node out, for the agent "+
				"at the provider's Consul address to run them; or set status = \"passing\" on each, for the instance to be in DNS whatever its health.", node.ValueString()))
	}

	for attribute, value := range map[string]types.String{"namespace": namespace, "partition": partition} {
		if tenancy(value) != "" && consul.KnowsOpenSource(ctx) {
			refuse(path.Root(attribute), fmt.Errorf("this Consul is not Consul Enterprise, and has no %s %q. Leave %[1]s out", attribute, value.ValueString()))
		}
	}

	for key, check := range checks.Elements() {
		object, ok := check.(types.Object)
		if !ok || object.IsUnknown() || object.Attributes()["script"].IsNull() {
			continue
		}

		if consul.KnowsScriptsRefused(ctx) {
			refuse(path.Root("checks").AtMapKey(key).AtName("script"), errors.New("the agent runs no scripts for those who register over HTTP. Set enable_script_checks = true in its configuration, or use another kind of check"))
		}
	}
}

// probed reports whether a check keeps the instance out of DNS until somebody runs it.
func probed(checks types.Map) bool {
	for _, check := range checks.Elements() {
		object, ok := check.(types.Object)
		if !ok || object.IsUnknown() {
			continue
		}

		if status, ok := object.Attributes()["status"].(types.String); ok && status.ValueString() == "critical" {
			return true
		}
	}

	return false
}
