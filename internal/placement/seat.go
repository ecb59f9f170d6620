package placement

import (
	"math/bits"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// unit is a machine while a plan is made.
type unit struct {
	*Machine

	group   *groupState // nil if it has none
	seat    *seat       // nil as long as it has no place
	fixed   bool        // it stays where it is
	kept    bool        // its seat is what is held, to the last byte
	fleeing bool        // from a host that is imagined to be lost
}

// demand is what a machine needs, whoever it is.
type demand struct {
	vcpus            int
	memory, pageSize uint64
	threads          bool
}

func (u *unit) demand() demand {
	return demand{vcpus: u.VCPUs, memory: u.Memory, pageSize: u.PageSize, threads: u.Threads}
}

// seat is a place on a host.
type seat struct {
	host  int
	parts []part // by node
	pins  []int  // the CPUs of all parts by vCPU, once the seat is taken
}

// part is what a machine has on one NUMA node.
type part struct {
	node   int // in hostState.nodes
	vcpus  int
	cpus   []int // one for each vCPU, once the seat is taken
	memory uint64
	pages  uint64
}

// pagesOf returns how many huge pages hold the memory.
func (m *Machine) pagesOf() uint64 {
	if m.PageSize == 0 {
		return 0
	}

	pages := m.Memory / m.PageSize
	if m.Memory%m.PageSize > 0 {
		pages++
	}

	return pages
}

// threads returns how many free threads there are for a machine of its kind.
func (m *Machine) threads(r room) int {
	if m.Threads {
		return r.idle + r.loose
	}

	return r.idle
}

// backing returns how much of what backs the machine's memory is there, and how much it needs: huge pages, or bytes.
func (m *Machine) backing(r room) (has, needs uint64) {
	if m.PageSize > 0 {
		return free(r.pages, m.PageSize), m.pagesOf()
	}

	return r.memory, m.Memory
}

// fits reports whether the whole machine fits on one node.
func (m *Machine) fits(r room) bool {
	has, needs := m.backing(r)

	return m.threads(r) >= m.VCPUs && has >= needs
}

// enumerable is how many nodes a host may have for all choices of some of them to be looked at: 2^10 choices.
const enumerable = 10

// among finds the choice of count nodes which holds the machine and has the fewest threads left over, or nil. Hosts with
// very many nodes get the nodes with the most free threads, and failing that those with the most memory.
func (m *Machine) among(rooms []room, count int) []int {
	if count > len(rooms) {
		return nil
	}

	if len(rooms) > enumerable {
		for _, more := range []func(r room) uint64{
			func(r room) uint64 { return uint64(m.threads(r)) },
			func(r room) uint64 { has, _ := m.backing(r); return has },
		} {
			if chosen := most(rooms, count, more); m.left(rooms, chosen) >= 0 {
				return chosen
			}
		}

		return nil
	}

	var best []int

	for choice := range 1 << len(rooms) {
		if bits.OnesCount(uint(choice)) != count {
			continue
		}

		chosen := members(choice)
		if left := m.left(rooms, chosen); left >= 0 && (best == nil || left < m.left(rooms, best)) {
			best = chosen
		}
	}

	return best
}

func members(choice int) []int {
	var chosen []int

	for i := range bits.Len(uint(choice)) {
		if choice>>i&1 == 1 {
			chosen = append(chosen, i)
		}
	}

	return chosen
}

func most(rooms []room, count int, of func(room) uint64) []int {
	order := make([]int, len(rooms))
	for i := range order {
		order[i] = i
	}

	slices.SortStableFunc(order, func(a, b int) int {
		if x, y := of(rooms[a]), of(rooms[b]); x != y {
			if x > y {
				return -1
			}

			return 1
		}

		return a - b
	})

	chosen := slices.Clone(order[:count])
	slices.Sort(chosen)

	return chosen
}

// left returns how many free threads are left over if the machine is on these nodes; negative if it does not fit there.
func (m *Machine) left(rooms []room, nodes []int) int {
	threads := -m.VCPUs

	var has, needs uint64

	for _, i := range nodes {
		var more uint64

		threads += m.threads(rooms[i])
		more, needs = m.backing(rooms[i])
		has += more
	}

	if has < needs {
		return -1
	}

	return threads
}

// divide lays the machine out on nodes that hold it together: node after node in order of free threads, the most first,
// so that what is left over is one hole; and memory where the CPUs are, as far as there is some.
func (m *Machine) divide(rooms []room, nodes []int) []part {
	order := slices.Clone(nodes)
	slices.SortStableFunc(order, func(a, b int) int { return m.threads(rooms[b]) - m.threads(rooms[a]) })

	parts := make([]part, 0, len(order))
	vcpus := m.VCPUs

	for _, i := range order {
		share := min(vcpus, m.threads(rooms[i]))
		parts = append(parts, part{node: i, vcpus: share})
		vcpus -= share
	}

	slices.SortFunc(parts, func(a, b part) int { return a.node - b.node })
	m.back(rooms, parts)

	return parts
}

// grain is what ordinary memory is divided in, in bytes: shares that people can read.
const grain = 1 << 20

// back divides the machine's memory among its parts: in proportion to their vCPUs, and what a node lacks on the others.
func (m *Machine) back(rooms []room, parts []part) {
	var lacking uint64

	_, lacking = m.backing(room{})
	total := lacking

	give := func(p *part, amount uint64) {
		if m.PageSize > 0 {
			p.pages += amount
		} else {
			p.memory += amount
		}

		lacking -= amount
	}

	for i := range parts {
		has, _ := m.backing(rooms[parts[i].node])
		high, low := bits.Mul64(total, uint64(parts[i].vcpus))
		share, _ := bits.Div64(high, low, uint64(m.VCPUs))

		if m.PageSize == 0 {
			share -= share % grain
		}

		give(&parts[i], min(share, has))
	}

	for i := range parts {
		has, _ := m.backing(rooms[parts[i].node])
		give(&parts[i], min(lacking, has-parts[i].memory-parts[i].pages))
	}
}

// rooms returns what is free on the host's nodes.
func (h *hostState) rooms() []room {
	rooms := make([]room, len(h.nodes))
	for i, n := range h.nodes {
		rooms[i] = n.now()
	}

	return rooms
}

// empty returns what the host's nodes offer when nothing runs there.
func (h *hostState) empty() []room {
	rooms := make([]room, len(h.nodes))
	for i, n := range h.nodes {
		rooms[i] = n.whole
	}

	return rooms
}

// pick takes CPUs for the vCPUs, the lowest first, and marks them. Whole cores are chosen so that the fewest threads are
// left over; single threads go to cores that are shared already before they break another.
func (n *nodeState) pick(vcpus int, threads bool) []int {
	cpus := make([]int, 0, vcpus)

	for len(cpus) < vcpus {
		core := n.next(vcpus-len(cpus), threads)

		for thread, cpu := range core.cpus {
			if len(cpus) < vcpus && (core.blocked|core.used)>>thread&1 == 0 {
				cpus = append(cpus, cpu)
				n.mark(core, 1<<thread, !threads)
			}
		}
	}

	return cpus
}

// next returns the core that the next of the missing vCPUs go to.
func (n *nodeState) next(missing int, threads bool) *coreState {
	var (
		best  *coreState
		width int
	)

	for i := range n.cores {
		idle, loose := n.cores[i].room()

		switch {
		case threads && loose > 0:
			return &n.cores[i]
		case idle == 0:
		case best == nil, idle <= missing && width < idle, width > missing && idle < width:
			best, width = &n.cores[i], idle
		}
	}

	return best
}

// numa returns the ids of the seat's nodes, in order.
func (s *seat) numa(h *hostState) []int {
	ids := make([]int, len(s.parts))
	for i, p := range s.parts {
		ids[i] = h.nodes[p.node].id
	}

	return ids
}

// assignment describes the machine's seat.
func (u *unit) assignment(h *hostState) Assignment {
	a := Assignment{Host: h.Name, Emulator: h.Reserved, Nodes: u.seat.numa(h), Pins: slices.Clone(u.seat.pins)}

	for _, p := range u.seat.parts {
		a.Memory = with(a.Memory, h.nodes[p.node].id, p.memory)
		a.Pages = with(a.Pages, h.nodes[p.node].id, p.pages)
	}

	return a
}

func with(amounts map[int]uint64, node int, amount uint64) map[int]uint64 {
	if amount == 0 {
		return amounts
	}

	if amounts == nil {
		amounts = map[int]uint64{}
	}

	amounts[node] = amount

	return amounts
}

// take books or, if back is set, returns what the part has of memory.
func (n *nodeState) take(p part, pageSize uint64, back bool) {
	sign := func(from, amount uint64) uint64 {
		if back {
			return from + amount
		}

		return from - amount
	}

	n.memory = sign(n.memory, p.memory)

	if i := slices.IndexFunc(n.pages, func(pool topology.Page) bool { return pool.Size == pageSize }); i >= 0 {
		n.pages[i].Count = sign(n.pages[i].Count, p.pages)
	}
}
