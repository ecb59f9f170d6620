package placement

import (
	"math/bits"
	"slices"
)

// resize makes a machine that is held as large as it is to be, where it is: it keeps the CPUs that it has and still needs. It
// may reach out to further nodes if a machine of its size cannot be on fewer. If there is no room it is left without a seat.
func (s *state) resize(u *unit) bool {
	h, old := s.hosts[u.seat.host], u.seat
	kept := old.pins[:min(len(old.pins), u.VCPUs)]

	s.rise(u)

	u.kept = false
	rooms := h.rooms()
	byNode := make([][]int, len(rooms))

	for _, cpu := range kept {
		node := h.seats[cpu].node
		byNode[node] = append(byNode[node], cpu)
	}

	nodes := s.reach(u, h, rooms, byNode)
	if nodes == nil {
		u.fixed = false

		return false
	}

	fresh := &seat{host: h.index, pins: slices.Clone(kept)}
	missing := u.VCPUs - len(kept)

	for _, i := range nodes {
		more := min(missing, u.threads(rooms[i])-len(byNode[i]))
		cpus := h.extend(i, byNode[i], more, u.Threads)
		fresh.parts = append(fresh.parts, part{node: i, vcpus: len(cpus), cpus: cpus})
		fresh.pins = append(fresh.pins, cpus[len(byNode[i]):]...)
		missing -= more
	}

	slices.SortFunc(fresh.parts, func(a, b part) int { return a.node - b.node })
	u.back(rooms, fresh.parts)
	s.sit(u, fresh)

	return true
}

// reach chooses the nodes that the machine has after it is resized: those with CPUs that it keeps, first, and as few others
// as it takes. It is nil if they do not hold it, or would be more than the machine needs where nothing else runs.
func (s *state) reach(u *unit, h *hostState, rooms []room, kept [][]int) []int {
	var base []int

	for i := range kept {
		if len(kept[i]) > 0 {
			base = append(base, i)
		}
	}

	if u.left(rooms, base) >= 0 {
		return base
	}

	if len(rooms) > enumerable {
		return nil
	}

	var best []int

	for choice := range 1 << len(rooms) {
		if bits.OnesCount(uint(choice)) > s.span(u, h) {
			continue
		}

		chosen := base

		for _, i := range members(choice) {
			if !slices.Contains(base, i) {
				chosen = append(slices.Clip(chosen), i)
			}
		}

		if len(chosen) > bits.OnesCount(uint(choice)) { // it leaves out a node that the machine is on
			continue
		}

		left := u.left(rooms, chosen)
		if left >= 0 && (best == nil || len(chosen) < len(best) || len(chosen) == len(best) && left < u.left(rooms, best)) {
			best = chosen
		}
	}

	return best
}

// extend adds CPUs to those that a machine keeps on a node: first what is left of its own cores, then others.
func (h *hostState) extend(node int, kept []int, more int, threads bool) []int {
	n := h.nodes[node]
	cpus := slices.Clone(kept)

	for _, cpu := range kept {
		n.mark(h.seats[cpu].core, h.seats[cpu].thread, !threads)
	}

	for _, own := range kept {
		core := h.seats[own].core

		for thread, cpu := range core.cpus {
			if !threads && more > 0 && (core.used|core.blocked)>>thread&1 == 0 {
				n.mark(core, 1<<thread, true)

				cpus = append(cpus, cpu)
				more--
			}
		}
	}

	cpus = append(cpus, n.pick(more, threads)...)

	for _, cpu := range cpus {
		n.unmark(h.seats[cpu].core, h.seats[cpu].thread)
	}

	return cpus
}
