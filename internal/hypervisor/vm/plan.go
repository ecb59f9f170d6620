package vm

import (
	"context"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/disruption"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// planned is what the checks before an apply work on: single attributes, since any of them may be unknown.
type planned struct {
	Name, Host        types.String
	Machine, CPUModel types.String
	DomainType        types.String
	Memory            tf.Notation
	MemoryMaximum     tf.Notation
	PageSize          tf.Notation
	Locked            types.Bool
	Preallocated      types.Bool
	Placement, CPU    types.Object
	Count, Maximum    types.Int64
	Pins              types.List
	Topology          types.Object
	NUMANodes         types.List
	IOThreads         types.List
	Emulator          tf.Notation
	Exclusive         types.Bool
	Disks, Interfaces types.Map
	Network           types.Map
	NetworkConfig     types.String
	WaitAddress       types.String
	Running           types.Bool
	AllowChange       types.String
	Drift             types.Map
}

func (p *planned) read(ctx context.Context, get func(context.Context, path.Path, any) diag.Diagnostics) (diags diag.Diagnostics) {
	cpu, cloudInit := path.Root("cpu"), path.Root("cloud_init")

	for _, attribute := range []struct {
		at     path.Path
		target any
	}{
		{path.Root("name"), &p.Name},
		{path.Root("host"), &p.Host},
		{path.Root("machine"), &p.Machine},
		{path.Root("domain_type"), &p.DomainType},
		{path.Root("cpu_model"), &p.CPUModel},
		{path.Root("memory"), &p.Memory},
		{path.Root("memory_maximum"), &p.MemoryMaximum},
		{path.Root("memory_backing").AtName("page_size"), &p.PageSize},
		{path.Root("memory_backing").AtName("locked"), &p.Locked},
		{path.Root("memory_backing").AtName("preallocated"), &p.Preallocated},
		{path.Root("cpu_topology"), &p.Topology},
		{path.Root("numa_nodes"), &p.NUMANodes},
		{path.Root("io_threads"), &p.IOThreads},
		{path.Root("drift"), &p.Drift},
		{path.Root("placement"), &p.Placement},
		{cpu, &p.CPU},
		{cpu.AtName("count"), &p.Count},
		{cpu.AtName("maximum"), &p.Maximum},
		{cpu.AtName("pins"), &p.Pins},
		{cpu.AtName("emulator"), &p.Emulator},
		{cpu.AtName("exclusive"), &p.Exclusive},
		{path.Root("disks"), &p.Disks},
		{path.Root("interfaces"), &p.Interfaces},
		{cloudInit.AtName("network"), &p.Network},
		{cloudInit.AtName("network_config"), &p.NetworkConfig},
		{path.Root("wait_for").AtName("address"), &p.WaitAddress},
		{path.Root("running"), &p.Running},
		{path.Root("allow_change"), &p.AllowChange},
	} {
		diags.Append(get(ctx, attribute.at, attribute.target)...)
	}

	return diags
}

// sets returns the pins and the emulator's CPUs, and whether they are all known.
func (p planned) sets() (pins []topology.CPUSet, emulator topology.CPUSet, known bool) {
	known = !p.Pins.IsUnknown() && !p.Emulator.IsUnknown()

	for _, element := range p.Pins.Elements() {
		pin, ok := element.(tf.Notation)
		known = known && ok && !pin.IsUnknown()
		pins = append(pins, pin.CPUs())
	}

	return pins, p.Emulator.CPUs(), known
}

// threads is the machine as far as its threads' CPUs go, and whether they are all known.
func (p planned) threads() (spec domainxml.Spec, known bool) {
	pins, emulator, known := p.sets()
	spec = domainxml.Spec{Name: p.Name.ValueString(), Pins: pins, Emulator: emulator, Mark: domainxml.Mark{Exclusive: p.Exclusive.ValueBool()}}

	for _, element := range p.IOThreads.Elements() {
		thread, ok := element.(tf.Notation)
		known = known && ok && !thread.IsUnknown()
		spec.IOThreads = append(spec.IOThreads, thread.CPUs())
	}

	return spec, known && !p.IOThreads.IsUnknown()
}

// ModifyPlan fills in what can be known before anything is made and refuses what the host would refuse.
func (r *vmResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}

	ctx, cancel := context.WithTimeout(ctx, limits.Plan)
	defer cancel()

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

	if config.Placement.IsNull() {
		plan.fillCount(ctx, config, resp)
		plan.unpin(ctx, config, resp)
	} else {
		plan.place(ctx, config, resp)
	}

	r.fitKind(ctx, plan.Host, req, resp)
	resp.Diagnostics.Append(resp.Plan.GetAttribute(ctx, path.Root("machine"), &plan.Machine)...)
	resp.Diagnostics.Append(resp.Plan.GetAttribute(ctx, path.Root("domain_type"), &plan.DomainType)...)
	plan.fillMACs(ctx, resp)
	plan.fillAddresses(ctx, resp)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("drift"), types.MapNull(types.StringType))...)
	plan.checkVolumes(&resp.Diagnostics)
	plan.disturb(state, req.State.Raw, resp)
	keepAddresses(ctx, req, resp)

	if !resp.Diagnostics.HasError() {
		r.checkHost(ctx, plan, state, resp)
		r.checkMove(ctx, plan, state, req.State, resp)
	}
}

// fillCount plans the number of vCPUs.
func (p *planned) fillCount(ctx context.Context, config planned, resp *resource.ModifyPlanResponse) {
	if count := config.count(); !count.Equal(p.Count) && !config.CPU.IsUnknown() {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("cpu").AtName("count"), count)...)
		p.Count = count
	}
}

// unpin plans no pins and no CPUs of the emulator where the configuration has none: only a placement says them instead.
func (p *planned) unpin(ctx context.Context, config planned, resp *resource.ModifyPlanResponse) {
	if config.CPU.IsNull() || config.CPU.IsUnknown() {
		return
	}

	if config.Pins.IsNull() && !p.Pins.IsNull() {
		p.Pins = config.Pins
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("cpu").AtName("pins"), p.Pins)...)
	}

	if config.Emulator.IsNull() && !p.Emulator.IsNull() {
		p.Emulator = config.Emulator
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("cpu").AtName("emulator"), p.Emulator)...)
	}
}

// count is the number of vCPUs that the configuration asks for, itself or by its pins.
func (p planned) count() types.Int64 {
	switch {
	case !p.Count.IsNull():
		return p.Count
	case p.Pins.IsUnknown():
		return types.Int64Unknown()
	default:
		return types.Int64Value(int64(len(p.Pins.Elements())))
	}
}

// fillMACs gives an address to each interface that has none.
func (p planned) fillMACs(ctx context.Context, resp *resource.ModifyPlanResponse) {
	if p.Name.IsUnknown() || p.Interfaces.IsUnknown() {
		return
	}

	for name, element := range p.Interfaces.Elements() {
		nic, ok := element.(types.Object)
		if !ok || nic.IsNull() || nic.IsUnknown() || !nic.Attributes()["mac"].IsUnknown() {
			continue
		}

		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("interfaces").AtMapKey(name).AtName("mac"),
			domainxml.MAC(p.Name.ValueString(), name))...)
	}
}

// fillAddresses plans the addresses if all of them are the configuration's. What a DHCP server will say is not known.
func (p planned) fillAddresses(ctx context.Context, resp *resource.ModifyPlanResponse) {
	addresses := map[string][]string{}

	for name, element := range p.Interfaces.Elements() {
		static, known := p.static(ctx, name)
		nic, ok := element.(types.Object)
		leased := ok && !nic.IsNull() && !nic.Attributes()["network"].IsNull() && len(static) == 0

		if !known || leased {
			return
		}

		addresses[name] = static
	}

	if !p.Interfaces.IsUnknown() && !p.Network.IsUnknown() {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("addresses"), addresses)...)
	}
}

// keepAddresses plans the addresses as they are if all else is. What a kind of host has instead of a default makes the framework
// take the machine for changed, and what only the host says for unknown.
func keepAddresses(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.State.Raw.IsNull() {
		return
	}

	var changed []string

	compare("", path.Empty(), req.State.Raw, resp.Plan.Raw, func(change disruption.Change, _ path.Path) {
		changed = append(changed, change.Attribute)
	})

	if !slices.Equal(changed, []string{"addresses"}) {
		return
	}

	var addresses types.Map
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("addresses"), &addresses)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("addresses"), addresses)...)
}

// static returns the addresses that cloud-init is told for an interface, and whether that is known.
func (p planned) static(ctx context.Context, name string) (addresses []string, known bool) {
	entry, ok := p.Network.Elements()[name].(types.Object)
	if !ok {
		return []string{}, true
	}

	list, ok := entry.Attributes()["addresses"].(types.List)
	if !ok || list.IsUnknown() || slices.ContainsFunc(list.Elements(), attr.Value.IsUnknown) {
		return nil, false
	}

	var prefixes []string
	if !list.IsNull() {
		list.ElementsAs(ctx, &prefixes, false)
	}

	return withoutPrefix(prefixes), true
}
