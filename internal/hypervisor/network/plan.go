package network

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/networkxml"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// planned is what ModifyPlan works on: single attributes, since any of them may be unknown.
type planned struct {
	Host, Name, Mode, Bridge, Domain types.String
	Addresses, VLANs                 types.Set
}

func (p *planned) read(ctx context.Context, get func(context.Context, path.Path, any) diag.Diagnostics) (diags diag.Diagnostics) {
	for name, target := range map[string]any{
		"host": &p.Host, "name": &p.Name, "mode": &p.Mode, "bridge": &p.Bridge, "domain": &p.Domain, "addresses": &p.Addresses, "vlans": &p.VLANs,
	} {
		diags.Append(get(ctx, path.Root(name), target)...)
	}

	return diags
}

// modifyPlan fills in a bridge that stays.
func modifyPlan(ctx context.Context, _ *backend.Backend, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}

	var config, plan planned
	resp.Diagnostics.Append(config.read(ctx, req.Config.GetAttribute)...)
	resp.Diagnostics.Append(plan.read(ctx, req.Plan.GetAttribute)...)

	var state *planned

	if !req.State.Raw.IsNull() {
		state = &planned{}
		resp.Diagnostics.Append(state.read(ctx, req.State.GetAttribute)...)
	}

	if resp.Diagnostics.HasError() {
		return
	}

	if config.Bridge.IsNull() {
		plan.Bridge = plan.bridge(state)
	}

	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("bridge"), plan.Bridge)...)
}

// bridge is what libvirt chose, as long as the network is the same; the next one gets another.
func (p planned) bridge(state *planned) types.String {
	if state == nil || !p.Host.Equal(state.Host) || !p.Name.Equal(state.Name) || !p.Mode.Equal(state.Mode) ||
		!p.Domain.Equal(state.Domain) || !p.Addresses.Equal(state.Addresses) {
		return types.StringUnknown()
	}

	return state.Bridge
}

// validate refuses what libvirt would refuse, or would accept and not do. What is not known yet is looked at when
// it is.
func validate(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	spec, ok := declared(ctx, req.Config, &resp.Diagnostics)
	if !ok {
		return
	}

	for _, problem := range spec.Check() {
		at := path.Root(problem.Attribute)

		switch problem.Attribute {
		case "ranges":
			at = path.Root("dhcp").AtName("ranges")
		case "hosts":
			at = path.Root("dhcp").AtName("hosts")
			if problem.Host != "" {
				at = at.AtMapKey(problem.Host)
			}
		}

		resp.Diagnostics.AddAttributeError(at, "Impossible network", problem.Text)
	}
}

// declared returns as much of the declared network as can be judged, and whether that is anything.
func declared(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) (networkxml.Spec, bool) {
	var (
		p      planned
		server types.Object
		m      model
	)

	diags.Append(p.read(ctx, config.GetAttribute)...)
	diags.Append(config.GetAttribute(ctx, path.Root("dhcp"), &server)...)

	if diags.HasError() || p.Mode.IsUnknown() || p.Bridge.IsUnknown() || !whole(ctx, p.Addresses) || !whole(ctx, p.VLANs) {
		return networkxml.Spec{}, false
	}

	m.Name, m.Mode, m.Bridge, m.Domain = p.Name, p.Mode, p.Bridge, p.Domain
	diags.Append(config.GetAttribute(ctx, path.Root("addresses"), &m.Addresses)...)
	diags.Append(config.GetAttribute(ctx, path.Root("vlans"), &m.VLANs)...)

	if whole(ctx, server) {
		diags.Append(config.GetAttribute(ctx, path.Root("dhcp"), &m.DHCP)...)
	}

	return m.spec(), !diags.HasError()
}

func whole(ctx context.Context, value attr.Value) bool {
	raw, err := value.ToTerraformValue(ctx)

	return err == nil && raw.IsFullyKnown()
}
