package vm

import (
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// memoryBacking says where the memory comes from.
type memoryBacking struct {
	PageSize     tf.Notation `tfsdk:"page_size"`
	Nodes        []int64     `tfsdk:"nodes"`
	Locked       types.Bool  `tfsdk:"locked"`
	Preallocated types.Bool  `tfsdk:"preallocated"`
}

type cpuTopology struct {
	Sockets types.Int64 `tfsdk:"sockets"`
	Cores   types.Int64 `tfsdk:"cores"`
	Threads types.Int64 `tfsdk:"threads"`
}

type numaNode struct {
	CPUs     tf.Notation `tfsdk:"cpus"`
	Memory   tf.Notation `tfsdk:"memory"`
	HostNode types.Int64 `tfsdk:"host_node"`
}

// hardware fills in what the guest sees of its processor and memory, beyond their amounts.
func (m model) hardware(spec *domainxml.Spec) {
	spec.Pages = m.Placement.hugePages()

	if spec.MaxMemory = m.MemoryMaximum.Bytes(); spec.MaxMemory == spec.Memory {
		spec.MaxMemory = 0
	}

	if spec.MaxVCPUs = int(m.CPU.Maximum.ValueInt64()); spec.MaxVCPUs == spec.VCPUs {
		spec.MaxVCPUs = 0
	}

	if backing := m.MemoryBacking; backing != nil {
		spec.Locked, spec.Preallocated = backing.Locked.ValueBool(), backing.Preallocated.ValueBool()

		if !backing.PageSize.IsNull() {
			spec.Pages = domainxml.Pages{Size: backing.PageSize.Bytes(), Nodes: nodeSet(backing.Nodes)}
		}
	}

	if spec.CPU.Model = m.CPUModel.ValueString(); spec.CPU.Model == domainxml.DefaultModel(spec.Type) {
		spec.CPU.Model = ""
	}

	if layout := m.CPUTopology; layout != nil {
		spec.CPU.Sockets, spec.CPU.Cores, spec.CPU.Threads = int(layout.Sockets.ValueInt64()), int(layout.Cores.ValueInt64()), int(layout.Threads.ValueInt64())
	}

	for _, node := range m.NUMANodes {
		bound := -1
		if !node.HostNode.IsNull() {
			bound = int(node.HostNode.ValueInt64())
		}

		spec.Nodes = append(spec.Nodes, domainxml.Node{CPUs: node.CPUs.CPUs(), Memory: node.Memory.Bytes(), Host: bound})
	}

	for _, thread := range m.IOThreads {
		spec.IOThreads = append(spec.IOThreads, thread.CPUs())
	}
}

func nodeSet(nodes []int64) topology.CPUSet {
	numbers := make([]int, len(nodes))
	for i, node := range nodes {
		numbers[i] = int(node)
	}

	return topology.NewCPUSet(numbers...)
}

// setHardware takes over what differs from what the model says already.
func (m *model) setHardware(o observed, all topology.CPUSet) {
	stored := o.stored
	said := domainxml.Spec{Type: stored.Type, Memory: stored.Memory, VCPUs: stored.VCPUs}
	m.hardware(&said)

	if said.TopMemory() != stored.TopMemory() {
		m.MemoryMaximum = tf.NullSize()
		if stored.MaxMemory != 0 {
			m.MemoryMaximum = tf.Size(stored.MaxMemory)
		}
	}

	if said.CPU.Model != stored.CPU.Model {
		m.CPUModel = optional(stored.CPU.Model)
	}

	said.CPU.Model = stored.CPU.Model
	if said.CPU != stored.CPU {
		m.CPUTopology = topologyOf(stored.CPU)
	}

	m.setBacking(said, stored)

	if !slices.EqualFunc(said.Nodes, stored.Nodes, domainxml.Node.Equal) {
		m.NUMANodes = numaNodes(stored.Nodes)
	}

	threads := func(a, b topology.CPUSet) bool { return whole(a, all).Equal(whole(b, all)) }

	switch {
	case !slices.EqualFunc(said.IOThreads, stored.IOThreads, threads):
		m.IOThreads = threadTexts(stored.IOThreads, all)
	case len(o.live.IOThreads) == len(said.IOThreads) && !slices.EqualFunc(said.IOThreads, o.live.IOThreads, threads):
		m.IOThreads = threadTexts(o.live.IOThreads, all)
	}
}

func (m *model) setBacking(said, stored domainxml.Spec) {
	if said.SameBacking(stored) {
		return
	}

	placed := m.Placement.hugePages().Size != 0
	m.MemoryBacking = nil

	if stored.Pages.Size == 0 && !stored.Locked && !stored.Preallocated {
		return
	}

	m.MemoryBacking = &memoryBacking{PageSize: tf.NullSize(), Locked: truth(stored.Locked), Preallocated: truth(stored.Preallocated)}

	if stored.Pages.Size != 0 && !placed {
		m.MemoryBacking.PageSize = tf.Size(stored.Pages.Size)

		for _, node := range stored.Pages.Nodes.CPUs() {
			m.MemoryBacking.Nodes = append(m.MemoryBacking.Nodes, int64(node))
		}
	}
}

// leavePagesToPlacement takes the huge pages out of memory_backing if the placement says them.
func (m *model) leavePagesToPlacement() {
	if m.MemoryBacking == nil || m.Placement.hugePages().Size == 0 {
		return
	}

	m.MemoryBacking.PageSize, m.MemoryBacking.Nodes = tf.NullSize(), nil
	if m.MemoryBacking.Locked.IsNull() && m.MemoryBacking.Preallocated.IsNull() {
		m.MemoryBacking = nil
	}
}

// truth is true or absent.
func truth(on bool) types.Bool {
	if !on {
		return types.BoolNull()
	}

	return types.BoolValue(true)
}

func topologyOf(cpu domainxml.CPU) *cpuTopology {
	if cpu.Sockets == 0 {
		return nil
	}

	return &cpuTopology{
		Sockets: types.Int64Value(int64(cpu.Sockets)), Cores: types.Int64Value(int64(cpu.Cores)), Threads: types.Int64Value(int64(cpu.Threads)),
	}
}

func numaNodes(nodes []domainxml.Node) (all []numaNode) {
	for _, node := range nodes {
		described := numaNode{CPUs: tf.CPUSet(node.CPUs), Memory: tf.Size(node.Memory), HostNode: types.Int64Null()}
		if node.Host >= 0 {
			described.HostNode = types.Int64Value(int64(node.Host))
		}

		all = append(all, described)
	}

	return all
}

func threadTexts(threads []topology.CPUSet, all topology.CPUSet) (texts []tf.Notation) {
	for _, cpus := range threads {
		texts = append(texts, tf.CPUSet(whole(cpus, all)))
	}

	return texts
}
