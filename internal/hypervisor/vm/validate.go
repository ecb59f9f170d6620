package vm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ValidateConfig refuses what contradicts itself, with no host asked.
func (r *vmResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config planned
	resp.Diagnostics.Append(config.read(ctx, req.Config.GetAttribute)...)

	if resp.Diagnostics.HasError() {
		return
	}

	config.validatePlace(&resp.Diagnostics)

	if !config.CPU.IsNull() && !config.CPU.IsUnknown() && config.Placement.IsNull() {
		config.validateCPU(&resp.Diagnostics)
	}

	config.validateMaximum(&resp.Diagnostics)
	config.validateNames(&resp.Diagnostics)
	config.validateMemory(&resp.Diagnostics)
	config.validateLayout(&resp.Diagnostics)
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

// validateMaximum refuses fewer vCPUs at most than there are.
func (p planned) validateMaximum(diags *diag.Diagnostics) {
	vcpus, known := p.vcpus()
	if most := p.Maximum; known && !most.IsNull() && most.ValueInt64() < vcpus {
		diags.AddAttributeError(path.Root("cpu").AtName("maximum"), "Less than the number of vCPUs",
			fmt.Sprintf("The machine is to have %d vCPUs and at most %d. Raise maximum, or leave it out.", vcpus, most.ValueInt64()))
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

// validateMemory refuses amounts and kinds of memory that do not go together.
func (p planned) validateMemory(diags *diag.Diagnostics) {
	at := path.Root("memory_maximum")

	if most := p.MemoryMaximum; !most.IsNull() && !most.IsUnknown() {
		fixed := p.Locked.ValueBool() || p.Preallocated.ValueBool() || !p.PageSize.IsNull()

		switch {
		case !p.Memory.IsUnknown() && p.Memory.Bytes() > most.Bytes():
			diags.AddAttributeError(at, "Less than memory", fmt.Sprintf("The machine is to have %s of memory and at most %s. Raise memory_maximum, or leave it out.", p.Memory.ValueString(), most.ValueString()))
		case fixed && !p.Memory.Means(most):
			diags.AddAttributeError(at, "Memory that cannot change", "Huge, locked and preallocated memory is taken for good when the machine starts, so its amount cannot change while it runs. Leave memory_maximum out.")
		}
	}

	if placed, ok := p.Placement.Attributes()["page_size"].(tf.Notation); ok && !placed.IsNull() && !p.PageSize.IsNull() {
		diags.AddAttributeError(path.Root("memory_backing").AtName("page_size"), "Page size said twice", "placement says the size of the huge pages already. Leave it out here.")
	}
}

// validateLayout refuses a topology or NUMA nodes that do not have just the vCPUs and the memory of the machine.
func (p planned) validateLayout(diags *diag.Diagnostics) {
	vcpus, known := p.vcpus()

	if threads, complete := p.layout(); known && complete && threads != vcpus {
		diags.AddAttributeError(path.Root("cpu_topology"), "Topology of another machine",
			fmt.Sprintf("Sockets, cores and threads make %d vCPUs, and the machine has up to %d. Make them equal.", threads, vcpus))
	}

	if p.NUMANodes.IsNull() || p.NUMANodes.IsUnknown() {
		return
	}

	var (
		cpus   topology.CPUSet
		memory uint64
		shared bool
	)

	for _, element := range p.NUMANodes.Elements() {
		node, ok := element.(types.Object)
		if !ok || node.IsUnknown() {
			return
		}

		its, _ := node.Attributes()["cpus"].(tf.Notation)
		size, _ := node.Attributes()["memory"].(tf.Notation)

		if its.IsUnknown() || size.IsUnknown() {
			return
		}

		shared = shared || !cpus.Intersect(its.CPUs()).IsEmpty()
		cpus, memory = cpus.Union(its.CPUs()), memory+size.Bytes()
	}

	at := path.Root("numa_nodes")

	if all := topology.NewCPUSet(numbersTo(int(vcpus))...); known && (shared || !cpus.Equal(all)) {
		diags.AddAttributeError(at, "vCPUs of NUMA nodes", fmt.Sprintf("The nodes have the vCPUs %s. Give each of the vCPUs %s to one node.", cpus, all))
	}

	if total := max(p.Memory.Bytes(), p.MemoryMaximum.Bytes()); !p.Memory.IsUnknown() && !p.MemoryMaximum.IsUnknown() && memory != total {
		diags.AddAttributeError(at, "Memory of NUMA nodes", fmt.Sprintf("The nodes have %s together, and the machine has up to %s. Make them equal.", tf.FormatSize(memory), tf.FormatSize(total)))
	}
}

// vcpus is the largest number of vCPUs, and whether it is known.
func (p planned) vcpus() (int64, bool) {
	count := p.count()

	if listed, ok := p.Placement.Attributes()["pins"].(types.List); ok && !p.Placement.IsNull() {
		count = types.Int64Value(int64(len(listed.Elements())))
		if listed.IsUnknown() {
			count = types.Int64Unknown()
		}
	}

	return max(count.ValueInt64(), p.Maximum.ValueInt64()), !count.IsUnknown() && !p.Maximum.IsUnknown() && !p.Placement.IsUnknown() && !p.CPU.IsUnknown()
}

// layout is how many vCPUs the topology has, and whether there is one that is known.
func (p planned) layout() (vcpus int64, known bool) {
	vcpus = 1

	for _, name := range []string{"sockets", "cores", "threads"} {
		number, ok := p.Topology.Attributes()[name].(types.Int64)
		if !ok || number.IsNull() || number.IsUnknown() {
			return 0, false
		}

		vcpus *= number.ValueInt64()
	}

	return vcpus, true
}

func numbersTo(limit int) []int {
	numbers := make([]int, limit)
	for i := range numbers {
		numbers[i] = i
	}

	return numbers
}
