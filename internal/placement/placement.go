// Package placement decides on which host, CPUs and NUMA nodes the machines of a fleet run. It is pure: the same fleet
// always gets the same answer, so what a plan shows is what an apply does.
//
// # How a place is chosen
//
// A CPU has one owner, and so has a core, unless its owners asked for single threads. A machine is on the fewest NUMA nodes
// of a host that hold one of its size when nothing else runs there, its memory where its CPUs are. Of the nodes with room:
//
//   - first those on the hosts that have the fewest machines of its group, if the group is spread evenly;
//   - then those where it takes away the fewest places for larger machines, the largest first, as far as the fleet tells what
//     sizes to expect: at least 50 machines of at most six sizes;
//   - then those that it leaves the least room on, so that the largest hole stays;
//   - then those of the fullest host; and then by name.
//
// Machines that are held stay. New ones are placed together, the largest first. If one of them finds no room, up to three
// others of the new ones on a node leave it for other places, and each of those may push on others once. If that does not
// help, those with the least choice go first, then those with the most memory; and at last all ways are tried, as long as
// they are few: a refusal of a small fleet is a proof.
package placement

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// A Fleet is everything that a placement depends on.
type Fleet struct {
	Hosts    []Host
	Machines []Machine
	Groups   map[string]Group      // by the name that machines use
	Held     map[string]Assignment // where machines are today, by machine
	// MayMove lets a machine whose place is no longer valid get another one; without it such a machine is a refusal.
	MayMove bool
	// Rebalance forgets Held: the fleet is planned as a whole, as if it was new.
	Rebalance bool
}

// Host is a host as the planner sees it: its hardware and what is kept clear on it, never what the fleet uses of it.
type Host struct {
	Name           string
	Nodes          []topology.Node
	Reserved       topology.CPUSet // the shared pool: emulator threads and machines without CPUs of their own live here
	ReservedMemory uint64          // bytes that are kept for the host itself
	Taken          topology.CPUSet // CPUs that machines which are not the fleet's are pinned to
	Draining       bool            // takes no machine, and those that it has are to leave
}

// Machine is a demand.
type Machine struct {
	Name     string
	VCPUs    int
	Memory   uint64 // bytes
	PageSize uint64 // bytes of the huge pages that back its memory; 0 for ordinary memory
	Threads  bool   // single threads are enough; otherwise it gets whole cores, and siblings are not shared with others
	Group    string // a key of Fleet.Groups, or ""
}

// Group is what holds for the machines of a group together.
type Group struct {
	Spread   Spread
	Together bool     // all on one host
	Avoid    []string // hosts that take none of them
	// Survives demands that for each host the group's machines would fit on the others if it was lost.
	Survives bool
}

// Spread says how a group's machines are divided among hosts.
type Spread string

// The ways to spread.
const (
	SpreadNone   Spread = ""
	SpreadHosts  Spread = "hosts"  // no two on one host
	SpreadEvenly Spread = "evenly" // as far as possible: no host has two more than another that could take one
)

// Assignment is where a machine runs.
type Assignment struct {
	Host     string
	Pins     []int           // one CPU for each vCPU, in order
	Emulator topology.CPUSet // its host's shared pool
	Nodes    []int           // NUMA nodes that its CPUs and its memory are on, in order
	Pages    map[int]uint64  // huge pages by NUMA node
	Memory   map[int]uint64  // bytes of ordinary memory by NUMA node; where it is not known, that of the machine is taken to be unchanged
}

// Result is a placement of the whole fleet.
type Result struct {
	Assignments map[string]Assignment // by machine
	Moves       []Move                // machines that are elsewhere today, by name
}

// Move is a machine that leaves its host, or its CPUs.
type Move struct {
	Machine  string
	From, To Assignment
	Reason   string // in words, such as "beta is draining"
}
