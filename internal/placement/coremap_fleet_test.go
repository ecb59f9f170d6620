package placement

import (
	"fmt"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// twoSockets is a host of 64 threads on two nodes, whose first cores are the shared pool. CPU n and n+32 are siblings.
func twoSockets(name string) Host {
	host := Host{Name: name, Reserved: topology.NewCPUSet(0, 32, 16, 48)}

	for id := range 2 {
		node := topology.Node{ID: id, Memory: 128 << 30}
		for core := range 16 {
			cpu := id*16 + core
			node.Cores = append(node.Cores, topology.Core{Socket: id, Threads: topology.NewCPUSet(cpu, cpu+32)})
		}

		host.Nodes = append(host.Nodes, node)
	}

	return host
}

// filled gives each machine the first whole cores, or threads, that are free on a host of its choice. It is no planner:
// maps have to draw any result.
type filled struct {
	fleet  Fleet
	result Result
	used   map[string]bool // "host/cpu"
}

func fill(hosts ...Host) *filled {
	f := &filled{
		fleet: Fleet{Hosts: hosts}, result: Result{Assignments: map[string]Assignment{}}, used: map[string]bool{},
	}

	for _, host := range hosts {
		for _, cpu := range host.Reserved.Union(host.Taken).CPUs() {
			f.used[fmt.Sprint(host.Name, "/", cpu)] = true
		}
	}

	return f
}

// add reports whether the host had room.
func (f *filled) add(host int, machine Machine) bool {
	on := f.fleet.Hosts[host]
	pins := []int{}

	for _, node := range on.Nodes {
		for _, core := range node.Cores {
			free := core.Threads.CPUs()
			free = slices.DeleteFunc(free, func(cpu int) bool { return f.used[fmt.Sprint(on.Name, "/", cpu)] })

			if machine.Threads || len(free) == core.Threads.Len() {
				pins = append(pins, free...)
			}
		}
	}

	if on.Draining || len(pins) < machine.VCPUs {
		return false
	}

	pins = pins[:machine.VCPUs]
	held := topology.NewCPUSet(pins...)

	for _, node := range on.Nodes {
		for _, core := range node.Cores {
			if machine.Threads && !core.Threads.Intersect(held).IsEmpty() {
				continue
			}

			if !core.Threads.Intersect(held).IsEmpty() {
				held = held.Union(core.Threads)
			}
		}
	}

	for _, cpu := range held.CPUs() {
		f.used[fmt.Sprint(on.Name, "/", cpu)] = true
	}

	f.fleet.Machines = append(f.fleet.Machines, machine)
	f.result.Assignments[machine.Name] = Assignment{Host: on.Name, Pins: pins, Emulator: on.Reserved}

	return true
}

// shop is a fleet that shows all there is to see from two hosts on: groups, whole cores and threads, an odd size, pins
// of others, a host that is leaving, memory without CPUs.
func shop(count int) *filled {
	hosts := make([]Host, count)
	for i := range hosts {
		hosts[i] = twoSockets(fmt.Sprintf("rack-%c%02d", 'a'+i/10, i%10+1))
	}

	if count > 1 {
		hosts[1].Taken = topology.NewCPUSet(17, 49, 18, 50)
		hosts[1].Nodes = append(hosts[1].Nodes, topology.Node{ID: 2, Memory: 256 << 30})
	}

	if count > 2 {
		hosts[count-2].Draining = true
	}

	f := fill(hosts...)

	for i := range hosts {
		n := i + 1
		f.add(i, Machine{Name: fmt.Sprintf("web-%d", n), VCPUs: 2, Group: "web"})
		f.add(i, Machine{Name: fmt.Sprintf("shop-frontend-%02d", n), VCPUs: 2, Group: "web"})
		f.add(i, Machine{Name: fmt.Sprintf("db-%d", n), VCPUs: 8, Group: "db"})
		f.add(i, Machine{Name: fmt.Sprintf("queue-%d", n), VCPUs: 3, Group: "queue"})
		f.add(i, Machine{Name: fmt.Sprintf("cron-%d", n), VCPUs: 1, Threads: true})
		f.add(i, Machine{Name: fmt.Sprintf("mail-%d", n), VCPUs: 1, Threads: true})
		f.add(i, Machine{Name: fmt.Sprintf("probe-%d", n), VCPUs: 1, Threads: true})

		if i%3 != 1 {
			f.add(i, Machine{Name: fmt.Sprintf("search-%d", n), VCPUs: 16, Group: "search"})
			f.add(i, Machine{Name: fmt.Sprintf("cache-%d", n), VCPUs: 4, Group: "cache"})
		}

		if i%4 == 2 {
			f.add(i, Machine{Name: fmt.Sprintf("build-%d", n), VCPUs: 10, Group: "build"})
		}
	}

	return f
}
