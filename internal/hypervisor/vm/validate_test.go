package vm

import (
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	layoutType = map[string]attr.Type{"sockets": types.Int64Type, "cores": types.Int64Type, "threads": types.Int64Type}
	nodeType   = types.ObjectType{AttrTypes: map[string]attr.Type{"cpus": tf.CPUSetType(), "memory": tf.SizeType(), "host_node": types.Int64Type}}
)

func layout(sockets, cores, threads int64) types.Object {
	return types.ObjectValueMust(layoutType, map[string]attr.Value{
		"sockets": types.Int64Value(sockets), "cores": types.Int64Value(cores), "threads": types.Int64Value(threads),
	})
}

func guestNodes(memory uint64, cpus ...string) types.List {
	nodes := make([]attr.Value, len(cpus))
	for i, its := range cpus {
		nodes[i] = types.ObjectValueMust(nodeType.AttrTypes, map[string]attr.Value{
			"cpus": tf.CPUSet(set(its)), "memory": tf.Size(memory), "host_node": types.Int64Null(),
		})
	}

	return types.ListValueMust(nodeType, nodes)
}

func TestHardwareThatContradictsItselfIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*planned)
		want   string
	}{
		"nothing":                      {func(*planned) {}, ""},
		"room for memory":              {func(p *planned) { p.MemoryMaximum = tf.Size(8 << 30) }, ""},
		"less room than memory":        {func(p *planned) { p.MemoryMaximum = tf.Size(1 << 30) }, "is to have 4GiB of memory and at most 1GiB"},
		"room on huge pages":           {func(p *planned) { p.MemoryMaximum, p.PageSize = tf.Size(8<<30), tf.Size(2<<20) }, "cannot change while it runs"},
		"no more than there is":        {func(p *planned) { p.MemoryMaximum, p.PageSize = tf.Size(4<<30), tf.Size(2<<20) }, ""},
		"room in locked memory":        {func(p *planned) { p.MemoryMaximum, p.Locked = tf.Size(8<<30), types.BoolValue(true) }, "Leave memory_maximum out"},
		"a topology":                   {func(p *planned) { p.Topology = layout(1, 2, 2) }, ""},
		"too small a topology":         {func(p *planned) { p.Topology = layout(1, 2, 1) }, "make 2 vCPUs, and the machine has up to 4"},
		"a topology for the maximum":   {func(p *planned) { p.Maximum, p.Topology = types.Int64Value(8), layout(2, 2, 2) }, ""},
		"a topology below the maximum": {func(p *planned) { p.Maximum, p.Topology = types.Int64Value(8), layout(1, 2, 2) }, "make 4 vCPUs, and the machine has up to 8"},
		"a topology to come":           {func(p *planned) { p.Topology = types.ObjectUnknown(layoutType) }, ""},
		"vCPUs to come":                {func(p *planned) { p.Count, p.Topology = types.Int64Unknown(), layout(1, 1, 2) }, ""},
		"nodes":                        {func(p *planned) { p.NUMANodes = guestNodes(2<<30, "0-1", "2-3") }, ""},
		"nodes that miss a vCPU":       {func(p *planned) { p.NUMANodes = guestNodes(2<<30, "0", "2-3") }, "The nodes have the vCPUs 0,2-3. Give each of the vCPUs 0-3 to one node"},
		"nodes that share a vCPU":      {func(p *planned) { p.NUMANodes = guestNodes(2<<30, "0-2", "2-3") }, "Give each of the vCPUs 0-3 to one node"},
		"nodes with other memory":      {func(p *planned) { p.NUMANodes = guestNodes(1<<30, "0-1", "2-3") }, "The nodes have 2GiB together, and the machine has up to 4GiB"},
	} {
		var diags diag.Diagnostics

		p := configured(func(p *planned) {
			p.Memory, p.MemoryMaximum, p.PageSize = tf.Size(4<<30), tf.NullSize(), tf.NullSize()
			p.Count, p.Maximum, p.NUMANodes = types.Int64Value(4), types.Int64Null(), types.ListNull(nodeType)
			p.Topology, p.CPU, p.Placement = types.ObjectNull(layoutType), types.ObjectNull(nil), types.ObjectNull(nil)
			test.change(p)
		})
		p.validateMemory(&diags)
		p.validateLayout(&diags)
		complains(t, name, diags, test.want)
	}
}

func TestHardwareThatTheHostDoesNotHaveIsRefused(t *testing.T) {
	node := func(id int, cores ...string) topology.Node {
		made := topology.Node{ID: id}
		for _, threads := range cores {
			made.Cores = append(made.Cores, topology.Core{Threads: set(threads)})
		}

		return made
	}
	hardware := topology.Host{Nodes: []topology.Node{node(0, "0,4", "1,5"), node(1, "2,6", "3,7")}, MaxVCPUs: map[string]int{"q35": 288}, DomainTypes: []string{"qemu"}}

	for name, test := range map[string]struct {
		spec domainxml.Spec
		want string
	}{
		"as many as there may be":  {domainxml.Spec{Machine: "q35", VCPUs: 2, MaxVCPUs: 288}, ""},
		"one more":                 {domainxml.Spec{Machine: "q35", VCPUs: 2, MaxVCPUs: 289}, `to have 289 vCPUs, and the machine type "q35" of host "alpha" has at most 288`},
		"of a type nobody knows":   {domainxml.Spec{Machine: "new", VCPUs: 999}, ""},
		"threads on siblings":      {domainxml.Spec{CPU: domainxml.CPU{Threads: 2}, Pins: sets("1 5 2 6")}, ""},
		"threads on one CPU":       {domainxml.Spec{CPU: domainxml.CPU{Threads: 2}, Pins: sets("1 1")}, ""},
		"threads on two cores":     {domainxml.Spec{CPU: domainxml.CPU{Threads: 2}, Pins: sets("1 5 2 3")}, "vCPUs 2 and 3 are to be the threads of one core, and are pinned to CPUs 2-3"},
		"emulated":                 {domainxml.Spec{Type: "qemu"}, ""},
		"without KVM":              {domainxml.Spec{Type: "kvm"}, `host "alpha" has no KVM. Switch hardware virtualisation on in its firmware`},
		"of another hypervisor":    {domainxml.Spec{Type: "bhyve"}, `host "alpha" runs no machines of type "bhyve". It has: qemu`},
		"cores anywhere":           {domainxml.Spec{CPU: domainxml.CPU{Threads: 1}, Pins: sets("1 2")}, ""},
		"bound to a node":          {domainxml.Spec{Nodes: []domainxml.Node{{Host: 1}, {Host: -1}}}, ""},
		"bound to no node":         {domainxml.Spec{Nodes: []domainxml.Node{{Host: 0}, {Host: 2}}}, `NUMA node 1 of the guest is bound to node 2 of host "alpha", which has 2`},
		"pages of a missing node":  {domainxml.Spec{Pages: domainxml.Pages{Size: 2 << 20, Nodes: set("1-2")}}, `NUMA node 2 of host "alpha"`},
		"filled by CPUs beside it": {domainxml.Spec{Preallocated: true, Emulator: set("0-2"), Nodes: []domainxml.Node{{Host: 1}}}, ""},
		"filled by CPUs afar":      {domainxml.Spec{Pages: domainxml.Pages{Size: 2 << 20}, Emulator: set("0-1"), Nodes: []domainxml.Node{{Host: 1}}}, "Add one of 2-3,6-7 to cpu.emulator, or leave it out"},
		"not filled at once":       {domainxml.Spec{Emulator: set("0-1"), Nodes: []domainxml.Node{{Host: 1}}}, ""},
		"pages of nodes there are": {domainxml.Spec{Pages: domainxml.Pages{Size: 2 << 20, Nodes: set("0-1")}}, ""},
	} {
		var diags diag.Diagnostics

		for _, err := range []error{offered(test.spec.Type, "alpha", hardware), tooMany(test.spec, "alpha", hardware), misfit(test.spec, "alpha", hardware)} {
			if err != nil {
				diags.AddError("", err.Error())
			}
		}

		complains(t, name, diags, test.want)
	}
}
