package placement

import (
	"fmt"
	"slices"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

const gib = 1 << 30

// hardware returns nodes with so many cores of so many threads each. As on real machines, first come the first threads of
// all cores and then the second ones.
func hardware(nodes, cores, threads int, memory uint64) []topology.Node {
	all := make([]topology.Node, nodes)

	for n := range nodes {
		all[n] = topology.Node{ID: n, Memory: memory}

		for c := n * cores; c < (n+1)*cores; c++ {
			cpus := make([]int, threads)
			for thread := range threads {
				cpus[thread] = c + thread*nodes*cores
			}

			all[n].Cores = append(all[n].Cores, topology.Core{Socket: n, Threads: topology.NewCPUSet(cpus...)})
		}
	}

	return all
}

// server is the host with 64 threads that the targets speak of.
func server(name string) Host {
	return Host{Name: name, Nodes: hardware(2, 16, 2, 128*gib)}
}

func reserved(host Host) Host {
	host.Reserved = DefaultReserved(host.Nodes)

	return host
}

func many(count int, build func(name string) Host) []Host {
	hosts := []Host{}
	for i := range count {
		hosts = append(hosts, build(fmt.Sprintf("host-%03d", i)))
	}

	return hosts
}

// verify holds a placement to the rules, counting everything once more from what it says.
func verify(t *testing.T, fleet Fleet, result Result) {
	t.Helper()

	if len(result.Assignments) != len(fleet.Machines) {
		t.Fatalf("%d of %d machines are placed", len(result.Assignments), len(fleet.Machines))
	}

	for _, host := range fleet.Hosts {
		var here []Machine

		for _, machine := range fleet.Machines {
			if result.Assignments[machine.Name].Host == host.Name {
				here = append(here, machine)
			}
		}

		if host.Draining && len(here) > 0 {
			t.Errorf("%s is draining and has %s", host.Name, here[0].Name)
		}

		verifyCPUs(t, host, here, result)
		verifyMemory(t, host, here, result)
	}

	verifyGroups(t, fleet, result)
}

func verifyCPUs(t *testing.T, host Host, machines []Machine, result Result) {
	t.Helper()

	core, owners := map[int]int{}, map[int][]string{}
	exclusive := map[int]string{}

	for _, node := range host.Nodes {
		for _, c := range node.Cores {
			for _, cpu := range c.Threads.CPUs() {
				core[cpu] = c.Threads.CPUs()[0]

				if host.Taken.Contains(cpu) {
					owners[core[cpu]] = append(owners[core[cpu]], "another")
				}
			}
		}
	}

	seen := map[int]string{}

	for _, machine := range machines {
		a := result.Assignments[machine.Name]
		if len(a.Pins) != machine.VCPUs {
			t.Errorf("%s has %d CPUs for %d vCPUs", machine.Name, len(a.Pins), machine.VCPUs)
		}

		if !a.Emulator.Equal(host.Reserved) {
			t.Errorf("%s has the emulator set %q, and its host the pool %q", machine.Name, a.Emulator, host.Reserved)
		}

		for _, cpu := range a.Pins {
			if _, known := core[cpu]; !known || host.Reserved.Contains(cpu) || host.Taken.Contains(cpu) || seen[cpu] != "" {
				t.Errorf("%s has CPU %d of %s, which it may not have (known: %t, owner: %q)", machine.Name, cpu, host.Name, known, seen[cpu])
			}

			seen[cpu] = machine.Name

			if !slices.Contains(owners[core[cpu]], machine.Name) {
				owners[core[cpu]] = append(owners[core[cpu]], machine.Name)
			}

			if !machine.Threads {
				exclusive[core[cpu]] = machine.Name
			}
		}
	}

	for c, name := range exclusive {
		if len(owners[c]) > 1 {
			t.Errorf("core %d of %s is %s's alone, and %v have a part of it", c, host.Name, name, owners[c])
		}
	}
}

func verifyMemory(t *testing.T, host Host, machines []Machine, result Result) {
	t.Helper()

	var all, spare uint64

	used, pages := map[int]uint64{}, map[[2]uint64]uint64{}

	for _, machine := range machines {
		a := result.Assignments[machine.Name]

		var total uint64

		for node, amount := range a.Memory {
			used[node] += amount
			total += amount
		}

		for node, count := range a.Pages {
			pages[[2]uint64{uint64(node), machine.PageSize}] += count
			total += count * machine.PageSize
		}

		if total < machine.Memory || machine.PageSize == 0 && total > machine.Memory {
			t.Errorf("%s has %d bytes for %d", machine.Name, total, machine.Memory)
		}

		for node := range a.Memory {
			if !slices.Contains(a.Nodes, node) {
				t.Errorf("%s has memory on node %d, and is on %v", machine.Name, node, a.Nodes)
			}
		}
	}

	for _, node := range host.Nodes {
		memory := node.Memory

		for _, pool := range node.Pages {
			memory -= pool.Size * pool.Count

			if taken := pages[[2]uint64{uint64(node.ID), pool.Size}]; taken > pool.Count {
				t.Errorf("node %d of %s has %d pages of %d bytes, and machines have %d", node.ID, host.Name, pool.Count, pool.Size, taken)
			}
		}

		if used[node.ID] > memory {
			t.Errorf("node %d of %s has %d bytes, and machines have %d", node.ID, host.Name, memory, used[node.ID])
		}

		all += memory
		spare += memory - min(memory, used[node.ID])
	}

	if spare < min(all, host.ReservedMemory) {
		t.Errorf("%s has %d bytes left, and reserves %d", host.Name, spare, host.ReservedMemory)
	}
}

func verifyGroups(t *testing.T, fleet Fleet, result Result) {
	t.Helper()

	first := map[string]string{} // a host of each group
	taken := map[[2]string]string{}

	for _, machine := range fleet.Machines {
		group, host := fleet.Groups[machine.Group], result.Assignments[machine.Name].Host
		key := [2]string{machine.Group, host}

		if slices.Contains(group.Avoid, host) {
			t.Errorf("%s is on %s, which group %s avoids", machine.Name, host, machine.Group)
		}

		if group.Spread == SpreadHosts && taken[key] != "" {
			t.Errorf("%s and %s of group %s are both on %s", taken[key], machine.Name, machine.Group, host)
		}

		if group.Together && first[machine.Group] != "" && first[machine.Group] != host {
			t.Errorf("group %s is on %s and on %s", machine.Group, first[machine.Group], host)
		}

		taken[key], first[machine.Group] = machine.Name, host
	}
}
