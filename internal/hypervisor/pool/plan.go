package pool

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ModifyPlan fills in the id and the path of a volume group, and refuses a host that the provider block does not have.
func (r *poolResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}

	var host, name, kind, at, group types.String

	for attribute, target := range map[string]*types.String{"host": &host, "name": &name, "type": &kind} {
		resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root(attribute), target)...)
	}

	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("path"), &at)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("source").AtName("name"), &group)...)

	if resp.Diagnostics.HasError() {
		return
	}

	if r.clients != nil && !host.IsUnknown() {
		if _, err := r.clients.Host(host.ValueString()); err != nil {
			resp.Diagnostics.Append(tf.FailedAt(path.Root("host"), "plan", "pool", name.ValueString(), err))

			return
		}
	}

	planned := types.StringUnknown()
	if !host.IsUnknown() && !name.IsUnknown() {
		planned = id(host.ValueString(), name.ValueString())
	}

	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("id"), planned)...)

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

// ValidateConfig refuses a pool that lacks what its type needs, or has what its type has no use for.
func (r *poolResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
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

// ImportState takes "host/name".
func (r *poolResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	host, name, err := libvirt.ParseRef(req.ID, "a pool")
	if err != nil {
		resp.Diagnostics.Append(tf.Failed("import", "pool", req.ID, err))

		return
	}

	for attribute, value := range map[string]string{"id": req.ID, "host": host, "name": name} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
}
