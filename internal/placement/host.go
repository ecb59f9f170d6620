package placement

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// hostState is what is free on a host while a plan is made.
type hostState struct {
	*Host

	index   int // in state.hosts, and so in the order of names
	nodes   []*nodeState
	shape   int // hosts of one shape have the same room for the fleet's machines when they are empty
	idle    int // threads of idle cores on all nodes
	tenants int
	seats   []threadAt // by CPU number
}

// threadAt is where a CPU is found. The zero value is no CPU.
type threadAt struct {
	core   *coreState
	node   int
	thread uint64
}

// nodeState is what is free on a NUMA node. CPUs are counted in threads: a core of two threads that nobody uses is two.
type nodeState struct {
	id      int
	kind    int // in state.kinds
	cores   []coreState
	idle    int    // threads of cores that nobody uses any part of
	loose   int    // free threads of cores that are in use, for machines that single threads are enough for
	memory  uint64 // bytes of ordinary memory
	pages   []topology.Page
	whole   room // what there is when the node is empty
	tenants []*unit
}

// room is what a node can offer.
type room struct {
	idle, loose int
	memory      uint64
	pages       []topology.Page
}

type coreState struct {
	cpus    []int
	blocked uint64 // threads that are not for the fleet
	used    uint64
	owned   bool // by one machine, which shares it with no other
	closed  bool // a machine that is not the fleet's has a part of it, and did not say that it shares
}

// room counts the core's free threads: all of them if nobody uses any, else those that may be shared.
func (c *coreState) room() (idle, loose int) {
	switch taken := c.blocked | c.used; {
	case c.closed || c.owned:
		return 0, 0
	case taken == 0:
		return len(c.cpus), 0
	default:
		return 0, len(c.cpus) - bits.OnesCount64(taken)
	}
}

// mark notes that a machine takes a thread of the core, alone or sharing the core.
func (n *nodeState) mark(core *coreState, thread uint64, alone bool) {
	n.change(core, func() {
		core.used |= thread
		core.owned = core.owned || alone
	})
}

func (n *nodeState) unmark(core *coreState, thread uint64) {
	n.change(core, func() {
		core.used &^= thread
		core.owned = core.owned && core.used != 0
	})
}

func (n *nodeState) change(core *coreState, apply func()) {
	idle, loose := core.room()
	n.idle, n.loose = n.idle-idle, n.loose-loose

	apply()

	idle, loose = core.room()
	n.idle, n.loose = n.idle+idle, n.loose+loose
}

// now returns what is free.
func (n *nodeState) now() room {
	return room{idle: n.idle, loose: n.loose, memory: n.memory, pages: n.pages}
}

// free returns how many huge pages of the size are free.
func free(pages []topology.Page, size uint64) uint64 {
	for _, pool := range pages {
		if pool.Size == size {
			return pool.Count
		}
	}

	return 0
}

// newHost prepares a host whose CPUs are all free but those that are kept clear.
func newHost(host *Host, index int) *hostState {
	h := &hostState{Host: host, index: index}

	nodes := slices.Clone(host.Nodes)
	slices.SortFunc(nodes, func(a, b topology.Node) int { return cmp.Compare(a.ID, b.ID) })

	highest := -1

	for _, node := range nodes {
		n := &nodeState{id: node.ID, memory: ordinary(node), pages: slices.Clone(node.Pages), cores: make([]coreState, len(node.Cores))}

		for i, core := range node.Cores {
			n.cores[i].cpus = core.Threads.CPUs()
			highest = max(highest, slices.Max(n.cores[i].cpus))
		}

		h.nodes = append(h.nodes, n)
	}

	h.reserveMemory()
	h.seats = make([]threadAt, highest+1)

	for i, n := range h.nodes {
		h.prepare(n, i)
	}

	return h
}

// prepare blocks what is kept clear on a node and counts the rest.
func (h *hostState) prepare(n *nodeState, position int) {
	for i := range n.cores {
		core := &n.cores[i]

		for thread, cpu := range core.cpus {
			h.seats[cpu] = threadAt{core: core, node: position, thread: 1 << thread}

			if h.Reserved.Contains(cpu) {
				core.blocked |= 1 << thread
			}
		}

		idle, loose := core.room()
		n.whole.idle, n.whole.loose = n.whole.idle+idle, n.whole.loose+loose

		core.closed = slices.ContainsFunc(core.cpus, h.Taken.Contains)
		idle, loose = core.room()
		n.idle, n.loose = n.idle+idle, n.loose+loose
	}

	n.whole.memory, n.whole.pages = n.memory, slices.Clone(n.pages)
	h.idle += n.idle
}

// ordinary is a node's memory that is not set aside as huge pages.
func ordinary(node topology.Node) uint64 {
	memory := node.Memory
	for _, pool := range node.Pages {
		memory -= min(memory, pool.Size*pool.Count)
	}

	return memory
}

// reserveMemory keeps the host's own memory clear, on each node in proportion to the ordinary memory that it has.
func (h *hostState) reserveMemory() {
	var total uint64
	for _, n := range h.nodes {
		total += n.memory
	}

	left := h.ReservedMemory

	for _, n := range h.nodes {
		share := n.memory
		if left < total {
			share = ceilShare(left, n.memory, total)
		}

		total -= n.memory
		left -= min(left, share)
		n.memory -= share
	}
}

// ceilShare is amount * part / whole rounded up, without overflow. The amount is less than the whole.
func ceilShare(amount, part, whole uint64) uint64 {
	high, low := bits.Mul64(amount, part)
	share, rest := bits.Div64(high, low, whole)

	if rest > 0 {
		share++
	}

	return share
}

// at returns where the CPU is, and whether the host has it.
func (h *hostState) at(cpu int) (threadAt, bool) {
	if cpu < 0 || cpu >= len(h.seats) || h.seats[cpu].core == nil {
		return threadAt{}, false
	}

	return h.seats[cpu], true
}

// DefaultReserved is the shared pool of a host that names none: the first core of every node, with all its threads.
func DefaultReserved(nodes []topology.Node) topology.CPUSet {
	var reserved topology.CPUSet

	for _, node := range nodes {
		if len(node.Cores) == 0 {
			continue
		}

		first := slices.MinFunc(node.Cores, func(a, b topology.Core) int {
			return cmp.Compare(a.Threads.CPUs()[0], b.Threads.CPUs()[0])
		})
		reserved = reserved.Union(first.Threads)
	}

	return reserved
}
