package placement

import "slices"

// HostFree is what a placement leaves free on a host.
type HostFree struct {
	Cores   map[int]int // cores that nobody uses any part of, by NUMA node
	Largest int         // vCPUs of the largest machine with whole cores that still fits, whatever its memory; 0 on a draining host
	// IfLost is how many cores the other hosts have free once they run this host's machines as well.
	IfLost int
	// Homeless are the host's machines, by name, that would fit nowhere if it was lost.
	Homeless []string
}

// Free says what a placement of the fleet leaves free, by host. The result is one that [Plan] returned for this fleet.
func Free(fleet Fleet, result Result) map[string]HostFree {
	s := resume(&fleet, result)
	free := make(map[string]HostFree, len(s.hosts))
	byHost := make([][]*unit, len(s.hosts))
	total := 0

	for _, h := range s.hosts {
		total += h.idleCores()
	}

	for _, u := range s.units {
		if u.seat != nil {
			byHost[u.seat.host] = append(byHost[u.seat.host], u)
		}
	}

	for i, h := range s.hosts {
		f := HostFree{Cores: make(map[int]int, len(h.nodes)), Largest: s.largestOn(h)}
		for _, n := range h.nodes {
			f.Cores[n.id] = n.idleCores()
		}

		others := total - h.idleCores()
		s.lose(h, byHost[i], 0, func(homeless []*unit) {
			f.IfLost = others - s.spent(byHost[i])
			f.Homeless = names(homeless)
		})

		free[h.Name] = f
	}

	return free
}

// Survivors says which machines of groups that are to survive the loss of a host would not, by the host that is lost. It is
// empty for every result that [Plan] returns.
func Survivors(fleet Fleet, result Result) map[string][]string {
	homeless := map[string][]string{}

	for _, l := range resume(&fleet, result).losses() {
		homeless[l.host.Name] = names(l.homeless)
	}

	return homeless
}

// resume prepares a fleet that is placed.
func resume(fleet *Fleet, result Result) *state {
	s := newState(fleet)
	s.settle(result.Assignments)
	s.open()

	return s
}

func names(units []*unit) []string {
	var names []string
	for _, u := range units {
		names = append(names, u.Name)
	}

	slices.Sort(names)

	return names
}

// idleCores counts the host's cores that nobody uses any part of. A draining host has none to offer.
func (h *hostState) idleCores() int {
	total := 0

	if !h.Draining {
		for _, n := range h.nodes {
			total += n.idleCores()
		}
	}

	return total
}

func (n *nodeState) idleCores() int {
	total := 0

	for i := range n.cores {
		if idle, _ := n.cores[i].room(); idle > 0 {
			total++
		}
	}

	return total
}

// largestOn is the most vCPUs that a machine without memory could have on the host. A machine that is wider than a node has
// the host to itself as far as its nodes go, so the answer is on one node or on all of some.
func (s *state) largestOn(h *hostState) int {
	if h.Draining {
		return 0
	}

	for vcpus := h.idle; vcpus > 0; vcpus-- {
		if s.on(&unit{Machine: &Machine{VCPUs: vcpus}}, h) != nil {
			return vcpus
		}
	}

	return 0
}

// spent counts the cores that machines with whole cores have.
func (s *state) spent(units []*unit) int {
	cores := map[*coreState]bool{}

	for _, u := range units {
		if u.seat == nil {
			continue
		}

		for _, cpu := range u.seat.pins {
			cores[s.hosts[u.seat.host].seats[cpu].core] = true
		}
	}

	return len(cores)
}
