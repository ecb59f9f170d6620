package placement

import (
	"fmt"
	"maps"
	"slices"
)

// check refuses fleets that make no sense, and names all mistakes.
func check(fleet *Fleet) *Refusal {
	refusal := &Refusal{}
	hosts := map[string]bool{}

	for i := range fleet.Hosts {
		host := &fleet.Hosts[i]
		checkHost(refusal, host, hosts[host.Name])
		hosts[host.Name] = true
	}

	for _, name := range slices.Sorted(maps.Keys(fleet.Groups)) {
		checkGroup(refusal, name, fleet.Groups[name], hosts)
	}

	machines := map[string]bool{}

	for i := range fleet.Machines {
		machine := &fleet.Machines[i]
		checkMachine(refusal, machine, fleet.Groups, machines[machine.Name])
		machines[machine.Name] = true
	}

	refusal.sort()

	return refusal
}

func checkHost(refusal *Refusal, host *Host, twice bool) {
	if twice {
		refusal.add("host", host.Name, "Two hosts have this name.", "Give each host a name of its own.")
	}

	var (
		nodes []int
		cpus  []int
	)

	for _, node := range host.Nodes {
		if slices.Contains(nodes, node.ID) {
			refusal.add("host", host.Name, fmt.Sprintf("It has two NUMA nodes %d.", node.ID), "Give each node a number of its own.")
		}

		nodes = append(nodes, node.ID)

		for _, core := range node.Cores {
			if threads := core.Threads.Len(); threads == 0 || threads > maxThreads {
				refusal.add("host", host.Name, fmt.Sprintf("A core of node %d has %d threads.", node.ID, threads), "Give each core 1 to 64 threads.")
			}

			cpus = append(cpus, core.Threads.CPUs()...)
		}
	}

	slices.Sort(cpus)

	for i := 1; i < len(cpus); i++ {
		if cpus[i] == cpus[i-1] {
			refusal.add("host", host.Name, fmt.Sprintf("CPU %d is on two of its cores.", cpus[i]), "Name each CPU once.")
		}
	}
}

// maxThreads is the most threads that a core may have; no processor has more than 8.
const maxThreads = 64

func checkGroup(refusal *Refusal, name string, group Group, hosts map[string]bool) {
	switch group.Spread {
	case SpreadNone, SpreadHosts, SpreadEvenly:
	default:
		refusal.add("group", name, fmt.Sprintf("It is to be spread %q.", group.Spread),
			fmt.Sprintf("Spread it %q or %q, or not at all.", SpreadHosts, SpreadEvenly))
	}

	if group.Together && group.Spread != SpreadNone {
		refusal.add("group", name, "It is to be kept together and spread as well.", "Choose one of the two.")
	}

	for _, host := range group.Avoid {
		if !hosts[host] {
			refusal.add("group", name, fmt.Sprintf("It avoids %s, which is not one of the hosts.", host), "Name hosts of this fleet.")
		}
	}
}

func checkMachine(refusal *Refusal, machine *Machine, groups map[string]Group, twice bool) {
	if twice {
		refusal.add("VM", machine.Name, "Two machines have this name.", "Give each machine a name of its own.")
	}

	if machine.VCPUs < 1 {
		refusal.add("VM", machine.Name, fmt.Sprintf("It has %d vCPUs.", machine.VCPUs), "Give it at least one vCPU.")
	}

	if _, known := groups[machine.Group]; !known && machine.Group != "" {
		refusal.add("VM", machine.Name, fmt.Sprintf("Its group %q does not exist.", machine.Group), "Declare the group, or name one that exists.")
	}
}
