package vm

import (
	"context"
	"fmt"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

// assignment is what of a machine's entry in the assignments of a hypervisor_placement concerns its definition.
type assignment struct {
	Host     types.String `tfsdk:"host"`
	Pins     types.List   `tfsdk:"pins"`
	Emulator tf.Notation  `tfsdk:"emulator"`
	Memory   tf.Notation  `tfsdk:"memory"`
	PageSize tf.Notation  `tfsdk:"page_size"`
	Nodes    types.List   `tfsdk:"nodes"`
}

// placed is what of an assignment a machine's definition does not say. It is kept in the mark, for an import.
type placed struct {
	Memory   string  `json:"memory,omitempty"`
	PageSize string  `json:"page_size,omitempty"`
	Nodes    []int64 `json:"nodes,omitempty"`
}

func (a *assignment) placed() *placed {
	if a == nil {
		return nil
	}

	p := &placed{Memory: a.Memory.ValueString(), PageSize: a.PageSize.ValueString()}
	for _, node := range numbers(a.Nodes) {
		p.Nodes = append(p.Nodes, int64(node))
	}

	return p
}

// hugePages are the huge pages that the machine's memory is taken from, if any.
func (a *assignment) hugePages() domainxml.Pages {
	if a == nil || a.PageSize.IsNull() || a.PageSize.IsUnknown() {
		return domainxml.Pages{}
	}

	return domainxml.Pages{Size: a.PageSize.Bytes(), Nodes: topology.NewCPUSet(numbers(a.Nodes)...)}
}

func numbers(list types.List) []int {
	var all []int

	for _, element := range list.Elements() {
		if number, ok := element.(types.Int64); ok {
			all = append(all, int(number.ValueInt64()))
		}
	}

	return all
}

// assignment is the assignment of the machine, whose host and CPUs are known.
func (p *placed) assignment(m model) *assignment {
	if p == nil {
		return nil
	}

	pins := make([]attr.Value, len(m.CPU.Pins))
	for i, pin := range m.CPU.Pins {
		pins[i] = pin
	}

	restored := &assignment{
		Host: m.Host, Pins: types.ListValueMust(tf.CPUSetType(), pins), Emulator: m.CPU.Emulator,
		Memory: sizeOf(p.Memory), PageSize: sizeOf(p.PageSize), Nodes: types.ListNull(types.Int64Type),
	}

	if len(p.Nodes) > 0 {
		nodes := make([]attr.Value, len(p.Nodes))
		for i, node := range p.Nodes {
			nodes[i] = types.Int64Value(node)
		}

		restored.Nodes = types.ListValueMust(types.Int64Type, nodes)
	}

	return restored
}

func sizeOf(text string) tf.Notation {
	bytes, err := tf.ParseSize(text)
	if err != nil {
		return tf.NullSize()
	}

	return tf.Size(bytes)
}

// validatePlace wants to be told where the machine runs in one of the two ways. Both are taken if they say the same, as the
// configuration does that Terraform writes for an imported machine.
func (p planned) validatePlace(diags *diag.Diagnostics) {
	const remedy = "Give placement, or host and cpu."

	given := func(value attr.Value) bool { return !value.IsNull() && !value.IsUnknown() }

	switch placed := !p.Placement.IsNull(); {
	case given(p.Placement) && given(p.Host) && !p.Host.Equal(p.Placement.Attributes()["host"]):
		diags.AddAttributeError(path.Root("host"), "Place said twice", "placement says the machine's host already, and host does too. "+remedy)
	case given(p.Placement) && (given(p.Count) || given(p.Pins) || given(p.Emulator) || given(p.Exclusive)) && !p.saysPlacedCPUs():
		diags.AddAttributeError(path.Root("cpu"), "Place said twice", "placement says the machine's CPUs already, and cpu does too. Of cpu only maximum may stand beside it. "+remedy)
	case !placed && p.Host.IsNull():
		diags.AddAttributeError(path.Root("host"), "Missing host", "Nothing says on which host the machine runs. "+remedy)
	case !placed && p.CPU.IsNull():
		diags.AddAttributeError(path.Root("cpu"), "Missing CPUs", "Nothing says how many vCPUs the machine has. "+remedy)
	}

	for name, attribute := range p.Placement.Attributes() {
		if (name == "host" || name == "pins") && attribute.IsNull() {
			diags.AddAttributeError(path.Root("placement").AtName(name), "Incomplete placement",
				fmt.Sprintf("placement lacks %s. Take it from a hypervisor_placement, or say host and pins.", name))
		}
	}

	if faults := p.placedPins(); faults != "" {
		diags.AddAttributeError(path.Root("placement").AtName("pins"), "Overlapping pins",
			fmt.Sprintf("Each vCPU of a placed machine has CPUs of its own: %s. Give them different CPUs.", faults))
	}

	p.validateCounted(diags)
}

// saysPlacedCPUs reports whether cpu says what follows from the placement, letter by letter, as a plan has to keep what is configured.
func (p planned) saysPlacedCPUs() bool {
	count := types.Int64Value(int64(len(p.Pins.Elements())))
	same := func(value, placed attr.Value) bool { return value.IsNull() || value.Equal(placed) }

	return same(p.Pins, p.Placement.Attributes()["pins"]) && same(p.Emulator, p.Placement.Attributes()["emulator"]) &&
		!p.Pins.IsNull() && same(p.Count, count) && same(p.Exclusive, types.BoolValue(true))
}

// placedPins says which vCPUs of the placement would share a CPU.
func (p planned) placedPins() string {
	listed, _ := p.Placement.Attributes()["pins"].(types.List)
	emulator, _ := p.Placement.Attributes()["emulator"].(tf.Notation)

	pins, cpus, known := planned{Pins: listed, Emulator: emulator}.sets()
	if !known {
		return ""
	}

	return overlap(pins, cpus)
}

// validateCounted wants the machine to have what its placement counted for it.
func (p planned) validateCounted(diags *diag.Diagnostics) {
	counted, ok := p.Placement.Attributes()["memory"].(tf.Notation)
	if !ok || counted.IsNull() || counted.IsUnknown() || p.Memory.IsUnknown() || counted.Means(p.Memory) {
		return
	}

	diags.AddAttributeError(path.Root("memory"), "Memory that the placement did not count",
		fmt.Sprintf("The machine asks for %s, and its placement counted %s for it. Write the same size here and in the placement's machines.",
			p.Memory.ValueString(), counted.ValueString()))
}

// place plans the host and the CPUs that the placement says, as far as it is known.
func (p *planned) place(ctx context.Context, config planned, resp *resource.ModifyPlanResponse) {
	assigned := assignment{Host: types.StringUnknown(), Pins: types.ListUnknown(tf.CPUSetType())}

	if !p.Placement.IsUnknown() {
		resp.Diagnostics.Append(p.Placement.As(ctx, &assigned, basetypes.ObjectAsOptions{})...)
	}

	p.Host, p.Pins, p.Emulator = assigned.Host, assigned.Pins, assigned.Emulator
	p.Count, p.Exclusive, p.Maximum = types.Int64Unknown(), types.BoolValue(true), config.Maximum
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("host"), p.Host)...)

	switch undecided := p.Pins.IsUnknown() || p.Emulator.IsUnknown() || slices.ContainsFunc(p.Pins.Elements(), attr.Value.IsUnknown); {
	case undecided && config.CPU.IsNull():
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("cpu"), types.ObjectUnknown(p.CPU.AttributeTypes(ctx)))...)

		return
	case !undecided:
		p.Count = types.Int64Value(int64(len(p.Pins.Elements())))
	}

	planned, diags := types.ObjectValue(p.CPU.AttributeTypes(ctx), map[string]attr.Value{
		"count": p.Count, "maximum": p.Maximum, "pins": p.Pins, "emulator": p.Emulator, "exclusive": p.Exclusive,
	})
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("cpu"), planned)...)
}

// hugePages are the huge pages that the placement says.
func (p planned) hugePages() domainxml.Pages {
	size, _ := p.Placement.Attributes()["page_size"].(tf.Notation)
	nodes, _ := p.Placement.Attributes()["nodes"].(types.List)

	return (&assignment{PageSize: size, Nodes: nodes}).hugePages()
}

func (p planned) samePages(other planned) bool {
	mine, its := p.hugePages(), other.hugePages()

	return mine.Size == its.Size && mine.Nodes.Equal(its.Nodes)
}

// undecided reports whether the placement does not say yet where the machine goes. Then it is not planned anew, which
// would destroy it even if it is to stay.
func (p planned) undecided() bool {
	return !p.Placement.IsNull() && (p.Host.IsUnknown() || p.Count.IsUnknown())
}
