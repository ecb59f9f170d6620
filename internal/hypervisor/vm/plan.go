package vm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
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
	Memory            tf.Notation
	Placement, CPU    types.Object
	Count             types.Int64
	Pins              types.List
	Emulator          tf.Notation
	Exclusive         types.Bool
	Disks, Interfaces types.Map
	Network           types.Map
	NetworkConfig     types.String
	WaitAddress       types.String
	Running           types.Bool
	AllowChange       types.String
}

func (p *planned) read(ctx context.Context, get func(context.Context, path.Path, any) diag.Diagnostics) (diags diag.Diagnostics) {
	cpu, cloudInit := path.Root("cpu"), path.Root("cloud_init")

	for _, attribute := range []struct {
		at     path.Path
		target any
	}{
		{path.Root("name"), &p.Name},
		{path.Root("host"), &p.Host},
		{path.Root("memory"), &p.Memory},
		{path.Root("placement"), &p.Placement},
		{cpu, &p.CPU},
		{cpu.AtName("count"), &p.Count},
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

// ValidateConfig refuses what contradicts itself, with no host asked.
func (r *vmResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config planned
	resp.Diagnostics.Append(config.read(ctx, req.Config.GetAttribute)...)

	if resp.Diagnostics.HasError() {
		return
	}

	config.validatePlace(&resp.Diagnostics)

	if !config.CPU.IsNull() && !config.CPU.IsUnknown() {
		config.validateCPU(&resp.Diagnostics)
	}

	config.validateNames(&resp.Diagnostics)
}

func (p planned) validateCPU(diags *diag.Diagnostics) {
	at := path.Root("cpu")

	switch pins := len(p.Pins.Elements()); {
	case p.Pins.IsUnknown() || p.Count.IsUnknown():
	case p.Pins.IsNull() && p.Count.IsNull():
		diags.AddAttributeError(at.AtName("count"), "Missing number of vCPUs", "Say how many vCPUs the machine has: give count, or pins with one entry for each.")
	case !p.Pins.IsNull() && pins == 0:
		diags.AddAttributeError(at.AtName("pins"), "No pins", "pins has no entry. Give one for each vCPU, or leave it out.")
	case !p.Pins.IsNull() && !p.Count.IsNull() && int64(pins) != p.Count.ValueInt64():
		diags.AddAttributeError(at.AtName("pins"), "Number of pins",
			fmt.Sprintf("The machine has %d vCPUs and %d pins. Give one pin for each vCPU.", p.Count.ValueInt64(), pins))
	}

	exclusive := p.Exclusive.IsNull() || p.Exclusive.ValueBool()

	pins, emulator, known := p.sets()
	if !known || !exclusive || p.Exclusive.IsUnknown() {
		return
	}

	if faults := overlap(pins, emulator); faults != "" {
		diags.AddAttributeError(at.AtName("pins"), "Overlapping pins",
			fmt.Sprintf("On a machine whose CPUs are exclusive each vCPU has CPUs of its own: %s. Give them different CPUs, or set exclusive = false.", faults))
	}
}

// validateNames refuses a network or a wait for an interface that the machine does not have.
func (p planned) validateNames(diags *diag.Diagnostics) {
	if p.Interfaces.IsUnknown() {
		return
	}

	interfaces := p.Interfaces.Elements()
	has := "It has none: add it to interfaces"

	if len(interfaces) > 0 {
		has = "It has " + strings.Join(slices.Sorted(maps.Keys(interfaces)), ", ") + ": use one of these names, or add it to interfaces"
	}

	for name := range p.Network.Elements() {
		if _, found := interfaces[name]; !found {
			diags.AddAttributeError(path.Root("cloud_init").AtName("network").AtMapKey(name), "Unknown interface",
				fmt.Sprintf("The machine has no interface %q. %s.", name, has))
		}
	}

	if name := p.WaitAddress; !name.IsNull() && !name.IsUnknown() {
		if _, found := interfaces[name.ValueString()]; !found {
			diags.AddAttributeError(path.Root("wait_for").AtName("address"), "Unknown interface",
				fmt.Sprintf("The machine has no interface %q. %s.", name.ValueString(), has))
		}
	}
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
	} else {
		plan.place(ctx, resp)
	}

	r.fitKind(ctx, plan.Host, req, resp)
	plan.fillMACs(ctx, resp)
	plan.fillAddresses(ctx, resp)
	plan.checkVolumes(&resp.Diagnostics)
	plan.disturb(state, req.State.Raw, resp)

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
		if !ok || nic.IsUnknown() || !nic.Attributes()["mac"].IsUnknown() {
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
		leased := ok && !nic.Attributes()["network"].IsNull() && len(static) == 0

		if !known || leased {
			return
		}

		addresses[name] = static
	}

	if !p.Interfaces.IsUnknown() && !p.Network.IsUnknown() {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("addresses"), addresses)...)
	}
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

// checkVolumes refuses disks that stand on another host.
func (p planned) checkVolumes(diags *diag.Diagnostics) {
	for name, element := range p.Disks.Elements() {
		disk, ok := element.(types.Object)
		if !ok {
			continue
		}

		volume, ok := disk.Attributes()["volume"].(types.String)
		if !ok || volume.IsNull() || volume.IsUnknown() || p.Host.IsUnknown() {
			continue
		}

		ref, err := libvirt.ParseVolumeRef(volume.ValueString())
		if err == nil && ref.Host != p.Host.ValueString() {
			err = fmt.Errorf("the volume %s is on host %q, and the machine is on host %q. Give it a volume of its own host", ref, ref.Host, p.Host.ValueString())
		}

		if err != nil {
			diags.Append(tf.FailedAt(path.Root("disks").AtMapKey(name).AtName("volume"), "plan", "VM", p.Name.ValueString(), err))
		}
	}
}

// checkHost asks the host about the CPUs of a machine that is new or gets other ones. CPUs that it does not have are an
// error. CPUs that another machine holds are a warning, since the same apply may free them first; the apply checks again.
func (r *vmResource) checkHost(ctx context.Context, plan planned, state *planned, resp *resource.ModifyPlanResponse) {
	name := plan.Name.ValueString()

	if r.clients == nil || plan.Host.IsUnknown() {
		return
	}

	host, err := r.clients.Host(plan.Host.ValueString())
	if err != nil {
		resp.Diagnostics.Append(tf.FailedAt(path.Root("host"), "plan", "VM", name, err))

		return
	}

	pins, emulator, known := plan.sets()
	unchanged := state != nil && state.Host.Equal(plan.Host) && state.Pins.Equal(plan.Pins) && state.Emulator.Equal(plan.Emulator) && state.Exclusive.Equal(plan.Exclusive)

	if !known || unchanged || !host.Known() || (len(pins) == 0 && emulator.IsEmpty()) {
		return
	}

	spec := domainxml.Spec{Name: name, Pins: pins, Emulator: emulator, Mark: domainxml.Mark{Exclusive: plan.Exclusive.ValueBool()}}

	hardware, err := host.Topology(ctx)
	if errors.Is(err, libvirt.ErrUnreachable) {
		resp.Diagnostics.AddAttributeWarning(path.Root("host"), fmt.Sprintf("Unable to check the CPUs of VM %q", name),
			fmt.Sprintf("The apply checks them, and fails as long as the host is down: %s.", err))

		return
	}

	if err != nil {
		resp.Diagnostics.Append(tf.FailedAt(path.Root("host"), "plan", "VM", name, err))

		return
	}

	if err := missing(spec, host.Name(), hardware); err != nil {
		resp.Diagnostics.Append(tf.FailedAt(path.Root("cpu").AtName("pins"), "plan", "VM", name, err))

		return
	}

	if err := held(ctx, host, spec, hardware); err != nil {
		resp.Diagnostics.AddAttributeWarning(path.Root("cpu").AtName("pins"), fmt.Sprintf("CPUs of VM %q are held by another machine", name),
			fmt.Sprintf("%s. The apply is refused unless it frees them first.", err))
	}
}

// held reports a machine of another name that holds CPUs which the spec wants.
func held(ctx context.Context, host *libvirt.Host, spec domainxml.Spec, hardware topology.Host) error {
	domains, err := host.Domains(ctx)
	if err != nil {
		return err
	}

	itself := ""

	for _, domain := range domains {
		if domain.Name == spec.Name {
			itself = domain.UUID
		}
	}

	others, err := claims(domains, itself)

	return errors.Join(err, conflict(spec, host.Name(), hardware, others))
}
