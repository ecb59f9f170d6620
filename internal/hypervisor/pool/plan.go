package pool

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// modifyPlan fills in the path of a volume group.
func modifyPlan(ctx context.Context, _ *backend.Backend, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}

	var kind, at, group types.String

	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("type"), &kind)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("path"), &at)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("source").AtName("name"), &group)...)

	if at.IsNull() && kind.ValueString() == libvirt.LogicalPool && !group.IsUnknown() {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("path"), "/dev/"+group.ValueString())...)
	}
}

// A rule says which attributes a pool of a type must have and which it may have; it has no others.
type rule struct{ must, may []string }

var rules = map[string]rule{
	libvirt.DirPool:     {must: []string{"path"}},
	libvirt.NetFSPool:   {must: []string{"path", "source.host", "source.dir"}, may: []string{"source.format"}},
	libvirt.LogicalPool: {must: []string{"source.name"}, may: []string{"source.devices"}},
}

// validate refuses a pool that lacks what its type needs, or has what its type has no use for.
func validate(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var (
		kind, at types.String
		from     types.Object
	)

	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("type"), &kind)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("path"), &at)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("source"), &from)...)

	rule, known := rules[kind.ValueString()]
	if resp.Diagnostics.HasError() || !known || from.IsUnknown() {
		return
	}

	given := map[string]attr.Value{"path": at}
	for name, value := range from.Attributes() {
		given["source."+name] = value
	}

	for _, name := range rule.must {
		if value, found := given[name]; !found || value.IsNull() {
			resp.Diagnostics.AddAttributeError(place(name), "Missing attribute", fmt.Sprintf("A pool of type %s needs %s. Add it.", kind.ValueString(), name))
		}
	}

	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !given[name].IsNull() && !slices.Contains(rule.must, name) && !slices.Contains(rule.may, name) {
			resp.Diagnostics.AddAttributeError(place(name), "Attribute of another type", fmt.Sprintf("A pool of type %s has no %s. Remove it.", kind.ValueString(), name))
		}
	}

	if kind.ValueString() == libvirt.DirPool && !from.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("source"), "Attribute of another type", "A pool of type dir has no source: path is the folder. Remove it.")
	}
}

func place(name string) path.Path {
	if name == "path" {
		return path.Root(name)
	}

	return path.Root("source").AtName(name[len("source."):])
}
