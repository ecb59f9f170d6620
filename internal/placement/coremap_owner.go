package placement

import (
	"cmp"
	"maps"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// mappedHost is a host with the owner of each of its CPUs, which both maps draw.
type mappedHost struct {
	name     string
	draining bool
	machines int // of the fleet, that run on it
	nodes    []mappedNode
}

type mappedNode struct {
	id    int
	cores []mappedCore
}

type mappedCore struct {
	cpus   topology.CPUSet
	owners []owner // of each CPU, in order
}

// owner is who has a CPU.
type owner struct {
	kind    ownerKind
	machine string // that has the CPU, or for whose sake it idles
	label   string // in words; several owners of one CPU are a mistake that a map shows rather than hides
}

type ownerKind int

// The kinds of owners. Of two on one CPU or core, the later one decides what it counts as.
const (
	nobody ownerKind = iota
	drainOwner
	poolOwner
	othersOwner
	idleOwner
	machineOwner
)

var (
	freeCPU  = owner{kind: nobody, label: "(free)"}
	emptyCPU = owner{kind: drainOwner, label: "(draining)"}
	poolCPU  = owner{kind: poolOwner, label: "(shared pool)"}
	takenCPU = owner{kind: othersOwner, label: "(taken by others)"}
)

// mapHosts returns the hosts by name.
func mapHosts(fleet Fleet, result Result) []mappedHost {
	machines := map[string][]string{} // by host, sorted
	for _, name := range slices.Sorted(maps.Keys(result.Assignments)) {
		host := result.Assignments[name].Host
		machines[host] = append(machines[host], name)
	}

	threads := map[string]bool{}
	for _, machine := range fleet.Machines {
		threads[machine.Name] = machine.Threads
	}

	hosts := make([]mappedHost, 0, len(fleet.Hosts))
	for _, host := range fleet.Hosts {
		owners := owners{}
		owners.claim(host.Reserved.CPUs(), poolCPU)
		owners.claim(host.Taken.CPUs(), takenCPU)

		for _, name := range machines[host.Name] {
			owners.claim(result.Assignments[name].Pins, owner{kind: machineOwner, machine: name, label: plain(name)})
		}

		mapped := mappedHost{name: host.Name, draining: host.Draining, machines: len(machines[host.Name])}

		for _, node := range host.Nodes {
			mapped.nodes = append(mapped.nodes, mappedNode{id: node.ID, cores: owners.cores(node, threads, host.Draining)})
		}

		slices.SortStableFunc(mapped.nodes, func(a, b mappedNode) int { return cmp.Compare(a.id, b.id) })
		hosts = append(hosts, mapped)
	}

	slices.SortStableFunc(hosts, func(a, b mappedHost) int { return cmp.Compare(a.name, b.name) })

	return hosts
}

// owners are who has the CPUs of a host that are not free.
type owners map[int]owner

func (o owners) claim(cpus []int, claim owner) {
	for _, cpu := range cpus {
		if held, found := o[cpu]; found {
			both := claim
			both.label = held.label + " + " + claim.label
			o[cpu] = both

			continue
		}

		o[cpu] = claim
	}
}

func (o owners) cores(node topology.Node, threads map[string]bool, draining bool) []mappedCore {
	cores := make([]mappedCore, 0, len(node.Cores))

	for _, core := range node.Cores {
		if core.Threads.IsEmpty() {
			continue
		}

		cpus := core.Threads.CPUs()
		rest := freeCPU

		if draining {
			rest = emptyCPU
		}

		for _, cpu := range cpus {
			// A machine that has whole cores keeps the siblings that it has no vCPU for from everybody else.
			if held := o[cpu]; held.kind == machineOwner && !threads[held.machine] {
				rest = owner{kind: idleOwner, machine: held.machine, label: "(idle for " + plain(held.machine) + ")"}

				break
			}
		}

		mapped := mappedCore{cpus: core.Threads, owners: make([]owner, len(cpus))}

		for thread, cpu := range cpus {
			held, found := o[cpu]
			if !found {
				held = rest
			}

			mapped.owners[thread] = held
		}

		cores = append(cores, mapped)
	}

	return cores
}

func (h mappedHost) cores() int {
	count := 0
	for _, node := range h.nodes {
		count += len(node.cores)
	}

	return count
}

// runs divides the node's cores, at least after every width ones, into neighbours that one owner has.
func (n mappedNode) runs(width int) [][]mappedCore {
	var runs [][]mappedCore

	for i, core := range n.cores {
		if i%width != 0 {
			last := len(runs) - 1
			before, whole := runs[last][0].whole()

			if held, all := core.whole(); whole && all && held == before {
				runs[last] = append(runs[last], core)

				continue
			}
		}

		runs = append(runs, []mappedCore{core})
	}

	return runs
}

// whole returns the owner of all CPUs of the core, and whether there is one.
func (c mappedCore) whole() (owner, bool) {
	owners := slices.Compact(slices.Clone(c.owners))
	if len(owners) != 1 {
		return freeCPU, false
	}

	return owners[0], true
}

func (c mappedCore) kind() ownerKind {
	kind := nobody
	for _, owner := range c.owners {
		kind = max(kind, owner.kind)
	}

	return kind
}

func cpusOf(cores []mappedCore) topology.CPUSet {
	var cpus []int
	for _, core := range cores {
		cpus = append(cpus, core.cpus.CPUs()...)
	}

	return topology.NewCPUSet(cpus...)
}
