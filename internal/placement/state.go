package placement

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// state is a plan in the making.
type state struct {
	hosts  []*hostState // by name
	byName map[string]*hostState
	units  []*unit // by name
	groups map[string]*groupState

	kinds   []int   // threads that the cores of a node have, or mixed
	byIdle  []index // by kind
	byLoose index
	byTotal index
	shared  bool // some machine takes single threads: byLoose and byTotal are kept
	ranked  map[[2]int][]rank
	sizes   []int        // vCPUs of machines with whole cores that are likely to come, the largest first
	largest int          // threads of the largest node
	shapes  []*hostState // one host of each
	spanned map[demand][]int

	gathering bool // the indexes are not filled yet
	lost      int  // the host that is imagined to be lost, or -1
	journal   []step
}

// step is a change that can be taken back.
type step struct {
	unit   *unit
	before *seat
}

// groupState is a group while a plan is made.
type groupState struct {
	Group

	name   string
	units  []*unit
	counts []int // machines by host
	levels []int // hosts by how many machines they have
	avoid  []bool
	home   int // of a group that keeps together: its host, or -1
}

// newState prepares a fleet that has been checked, with no machine placed.
func newState(fleet *Fleet) *state {
	s := &state{
		byName: map[string]*hostState{}, groups: map[string]*groupState{}, ranked: map[[2]int][]rank{},
		spanned: map[demand][]int{}, lost: -1, gathering: true,
	}

	hosts := make([]*Host, len(fleet.Hosts))
	for i := range fleet.Hosts {
		hosts[i] = &fleet.Hosts[i]
	}

	slices.SortFunc(hosts, func(a, b *Host) int { return strings.Compare(a.Name, b.Name) })

	shapes := map[string]int{}

	for i, host := range hosts {
		h := newHost(host, i)
		s.hosts = append(s.hosts, h)
		s.byName[host.Name] = h
		s.classify(h, shapes)
	}

	if len(s.kinds) == 0 {
		s.kinds = []int{1} // there is no node, and nothing will fit
	}

	s.byIdle = make([]index, len(s.kinds))

	for _, name := range slices.Sorted(maps.Keys(fleet.Groups)) {
		s.groups[name] = s.newGroup(name, fleet.Groups[name])
	}

	s.addMachines(fleet.Machines)

	return s
}

func (s *state) addMachines(machines []Machine) {
	for i := range machines {
		u := &unit{Machine: &machines[i], group: s.groups[machines[i].Group]}
		s.units = append(s.units, u)
		s.shared = s.shared || u.Threads
	}

	slices.SortFunc(s.units, func(a, b *unit) int { return strings.Compare(a.Name, b.Name) })
	s.learnSizes()

	for _, u := range s.units {
		if u.group != nil {
			u.group.units = append(u.group.units, u)
		}
	}
}

// A fleet of many machines of few sizes tells which sizes the next ones will have. Otherwise nothing is known of them, or
// almost any gap fits one of them: best fit alone does better then, as simulations of both show.
const (
	manyMachines = 50
	fewSizes     = 6
)

// learnSizes notes the sizes of the fleet's machines if they tell what is to come.
func (s *state) learnSizes() {
	if len(s.units) < manyMachines {
		return
	}

	for _, u := range s.units {
		if size := roundUp(u.VCPUs, s.kinds[0]); !u.Threads && !slices.Contains(s.sizes, size) {
			s.sizes = append(s.sizes, size)
		}
	}

	slices.Sort(s.sizes)
	slices.Reverse(s.sizes)

	if len(s.sizes) > fewSizes {
		s.sizes = nil
	}
}

// mixed stands for the threads of cores that differ on one node.
const mixed = -1

// classify notes what kinds of nodes the host has, and which hosts are like it.
func (s *state) classify(h *hostState, shapes map[string]int) {
	var signature strings.Builder

	for _, n := range h.nodes {
		width := 0

		for i := range n.cores {
			switch cpus := len(n.cores[i].cpus); width {
			case 0, cpus:
				width = cpus
			default:
				width = mixed
			}
		}

		if !slices.Contains(s.kinds, width) {
			s.kinds = append(s.kinds, width)
		}

		n.kind = slices.Index(s.kinds, width)
		s.largest = max(s.largest, n.whole.idle+n.whole.loose)
		fmt.Fprintln(&signature, n.kind, n.whole)
	}

	shape, known := shapes[signature.String()]
	if !known {
		shape = len(shapes)
		shapes[signature.String()] = shape
		s.shapes = append(s.shapes, h)
	}

	h.shape = shape
}

func (s *state) newGroup(name string, group Group) *groupState {
	g := &groupState{
		Group: group, name: name, home: -1,
		counts: make([]int, len(s.hosts)), levels: make([]int, 1), avoid: make([]bool, len(s.hosts)),
	}

	for _, host := range group.Avoid {
		g.avoid[s.byName[host].index] = true
	}

	for i, h := range s.hosts {
		if !g.avoid[i] && !h.Draining {
			g.levels[0]++
		}
	}

	return g
}

// count notes that the host has more, or fewer, machines of the group.
func (g *groupState) count(h *hostState, more int) {
	if !g.avoid[h.index] && !h.Draining {
		g.levels[g.counts[h.index]]--
	}

	g.counts[h.index] += more

	if !g.avoid[h.index] && !h.Draining {
		for len(g.levels) <= g.counts[h.index] {
			g.levels = append(g.levels, 0)
		}

		g.levels[g.counts[h.index]]++
	}

	switch {
	case !g.Together:
	case more > 0:
		g.home = h.index
	case g.counts[h.index] == 0:
		g.home = -1
	}
}

// lowest is the fewest machines of the group that any host has.
func (g *groupState) lowest() int {
	return max(0, slices.IndexFunc(g.levels, func(hosts int) bool { return hosts > 0 }))
}

// open fills the indexes, once the machines that stay are seated.
func (s *state) open() {
	s.gathering = false

	for _, h := range s.hosts {
		s.enter(h)
	}
}

// sit seats a machine, and picks its CPUs if the seat has none yet. The caller knows that there is room.
func (s *state) sit(u *unit, at *seat) {
	h := s.hosts[at.host]
	s.leave(h)

	ordered := at.pins != nil

	for i := range at.parts {
		p := &at.parts[i]
		n := h.nodes[p.node]
		idle := n.idle

		if p.cpus == nil {
			p.cpus = n.pick(p.vcpus, u.Threads)
		} else {
			for _, cpu := range p.cpus {
				n.mark(h.seats[cpu].core, h.seats[cpu].thread, !u.Threads)
			}
		}

		n.take(*p, u.PageSize, false)
		n.tenants = append(n.tenants, u)
		h.idle += n.idle - idle

		if !ordered {
			at.pins = append(at.pins, p.cpus...)
		}
	}

	s.enter(h)
	s.note(u, h, 1, at)
}

// rise takes a machine's seat away.
func (s *state) rise(u *unit) {
	h := s.hosts[u.seat.host]
	s.leave(h)

	for _, p := range u.seat.parts {
		n := h.nodes[p.node]
		idle := n.idle

		for _, cpu := range p.cpus {
			n.unmark(h.seats[cpu].core, h.seats[cpu].thread)
		}

		n.take(p, u.PageSize, true)
		n.tenants = slices.DeleteFunc(n.tenants, func(other *unit) bool { return other == u })
		h.idle += n.idle - idle
	}

	s.enter(h)
	s.note(u, h, -1, nil)
}

func (s *state) note(u *unit, h *hostState, more int, now *seat) {
	h.tenants += more

	if u.group != nil {
		u.group.count(h, more)
	}

	s.journal = append(s.journal, step{unit: u, before: u.seat})
	u.seat = now
}

// rollBack takes back all steps after the first so many.
func (s *state) rollBack(to int) {
	for i := len(s.journal) - 1; i >= to; i-- {
		undone := s.journal[i]

		if undone.unit.seat != nil {
			s.rise(undone.unit)
		}

		if undone.before != nil {
			s.sit(undone.unit, undone.before)
		}
	}

	s.journal = s.journal[:to]
}

// bySize sorts machines so that the largest come first, and equal ones go by name.
func bySize(a, b *unit) int {
	return cmp.Or(cmp.Compare(b.VCPUs, a.VCPUs), cmp.Compare(b.Memory, a.Memory), strings.Compare(a.Name, b.Name))
}
