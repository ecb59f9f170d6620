package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/placement"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// server has two sockets of 16 cores of two threads, and 256 GiB.
func server(name string) placement.Host {
	host := placement.Host{Name: name}

	for socket := range 2 {
		node := topology.Node{ID: socket, Memory: 128 << 30}

		for core := 16 * socket; core < 16*(socket+1); core++ {
			node.Cores = append(node.Cores, topology.Core{Socket: socket, Threads: topology.NewCPUSet(core, core+32)})
		}

		host.Nodes = append(host.Nodes, node)
	}

	return host
}

// reservedServer keeps the first core of each node for the shared pool.
func reservedServer(name string) placement.Host {
	host := server(name)
	host.Reserved = placement.DefaultReserved(host.Nodes)

	return host
}

func servers(count int, build func(string) placement.Host) []placement.Host {
	hosts := make([]placement.Host, count)
	for i := range hosts {
		hosts[i] = build(fmt.Sprintf("host-%04d", i))
	}

	return hosts
}

// ungrouped lets the machines of a fleet go anywhere.
var ungrouped = map[string]placement.Group{"all": {}}

func machine(number, vcpus int) placement.Machine {
	return placement.Machine{Name: fmt.Sprintf("vm-%05d", number), VCPUs: vcpus, Memory: uint64(vcpus) << 31, Group: "all"}
}

// kind is a way to make fleets.
type kind struct {
	name   string
	draw   func(*rand.Rand) int // a machine's vCPUs
	host   func(string) placement.Host
	spread placement.Spread
}

// kinds are all whose packing is compared.
var kinds = func() []kind {
	var all []kind

	for _, sizes := range []kind{{name: "usual", draw: usual}, {name: "large", draw: large}, {name: "odd", draw: odd}} {
		for _, host := range []kind{{name: sizes.name, host: server}, {name: sizes.name + "_reserved", host: reservedServer}} {
			all = append(all,
				kind{name: host.name, draw: sizes.draw, host: host.host},
				kind{name: host.name + "_spread", draw: sizes.draw, host: host.host, spread: placement.SpreadEvenly})
		}
	}

	return all
}()

// usual are 2, 4, 8 or 16 vCPUs at 60, 25, 10 and 5 %.
func usual(random *rand.Rand) int {
	switch share := random.IntN(100); {
	case share < 60:
		return 2
	case share < 85:
		return 4
	case share < 95:
		return 8
	default:
		return 16
	}
}

// large are the usual ones with 10 % of 24 or 28.
func large(random *rand.Rand) int {
	if random.IntN(10) == 0 {
		return []int{24, 28}[random.IntN(2)]
	}

	return usual(random)
}

// odd are the usual ones, up to two more or less.
func odd(random *rand.Rand) int { return max(1, usual(random)+random.IntN(5)-2) }

// cores are those that the machines take, as whole ones of two threads.
func cores(machines []placement.Machine) int {
	total := 0
	for _, m := range machines {
		total += (m.VCPUs + 1) / 2
	}

	return total
}

// cores are those of all hosts that machines may have.
func (k kind) cores() int {
	host := k.host("")
	total := -host.Reserved.Len() / 2

	for _, node := range host.Nodes {
		total += len(node.Cores)
	}

	return packingHosts * total
}

// fleet draws machines until one more could not be placed however the others were.
func (k kind) fleet(random *rand.Rand) placement.Fleet {
	fleet := placement.Fleet{Hosts: servers(packingHosts, k.host), Groups: map[string]placement.Group{"all": {Spread: k.spread}}}

	for {
		next := append(fleet.Machines, machine(len(fleet.Machines), k.draw(random))) //nolint:gocritic // it is what the fleet may become
		if cores(next) > k.cores() {
			return fleet
		}

		fleet.Machines = next
	}
}

// scaled is a fleet of ten usual machines a host.
func scaled(hosts int, spread placement.Spread) placement.Fleet {
	random := rand.New(rand.NewPCG(uint64(hosts), 2))
	fleet := placement.Fleet{Hosts: servers(hosts, reservedServer), Groups: map[string]placement.Group{"all": {Spread: spread}}}

	for i := range 10 * hosts {
		fleet.Machines = append(fleet.Machines, machine(i, usual(random)))
	}

	return fleet
}
