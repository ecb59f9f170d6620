package placement

import (
	"cmp"
	"slices"
)

// depth is how far machines push each other on: the one that needs room moves some, and each of those again.
const depth = 2

// makeRoom places a machine where it would fit if machines that this plan has placed went elsewhere, and moves those.
// Machines that run already stay.
func (s *state) makeRoom(u *unit, together bool, effort *int) bool {
	if together {
		return false
	}

	return s.push(u, depth, effort)
}

func (s *state) push(u *unit, depth int, effort *int) bool {
	if depth == 0 {
		return false
	}

	crowded := s.crowded(u)
	*effort -= len(crowded) / 8 // to find and to sort them is work as well

	for _, at := range crowded {
		for _, leaving := range s.evictions(u, at.node) {
			if *effort <= 0 {
				return false
			}

			start := len(s.journal)

			for _, other := range leaving {
				s.rise(other)
			}

			*effort -= 1 + len(leaving)

			if s.admits(u, at.host) && u.fits(at.node.now()) && s.seat(u, s.single(u, at.host, at.index)) && s.resettle(leaving, depth-1, effort) {
				return true
			}

			s.rollBack(start)
		}
	}

	return false
}

// resettle finds places for machines that had to leave theirs.
func (s *state) resettle(units []*unit, depth int, effort *int) bool {
	for _, u := range slices.SortedFunc(slices.Values(units), bySize) {
		*effort--

		if !s.seat(u, s.choose(u)) && !s.push(u, depth, effort) {
			return false
		}
	}

	return true
}

type location struct {
	host  *hostState
	node  *nodeState
	index int
}

// crowded returns the nodes that would hold the machine if they had fewer others, those that lack the fewest threads first.
func (s *state) crowded(u *unit) []location {
	var found []location

	for _, h := range s.hosts {
		if h.Draining || h.index == s.lost || u.group != nil && u.group.avoid[h.index] {
			continue
		}

		for i, n := range h.nodes {
			if u.fits(n.whole) && slices.ContainsFunc(n.tenants, func(other *unit) bool { return s.displaces(u, other) }) {
				found = append(found, location{host: h, node: n, index: i})
			}
		}
	}

	slices.SortStableFunc(found, func(a, b location) int { return cmp.Compare(u.threads(b.node.now()), u.threads(a.node.now())) })

	return found
}

// displaces reports whether the machine may make another one leave: one that this plan has placed, by itself, on one node,
// and that is not just like it.
func (s *state) displaces(u, other *unit) bool {
	if other.fixed || s.lost >= 0 && !other.fleeing || len(other.seat.parts) != 1 || other.group != nil && other.group.Together {
		return false
	}

	return other.VCPUs != u.VCPUs || other.Memory != u.Memory || other.group != u.group
}

// evictions returns sets of one to three machines without which the node would hold the machine, the smallest sets of the
// smallest machines first. Of machines that are alike only the first ones are named.
func (s *state) evictions(u *unit, n *nodeState) [][]*unit {
	var (
		candidates []*unit
		sets       [][]*unit
	)

	for _, other := range slices.SortedFunc(slices.Values(n.tenants), func(a, b *unit) int { return bySize(b, a) }) {
		if s.displaces(u, other) {
			candidates = append(candidates, other)
		}
	}

	has, needs := u.backing(n.now())
	threads := u.VCPUs - u.threads(n.now())

	enough := func(set ...*unit) bool {
		freed, memory := 0, has

		for _, other := range set {
			freed += roundUp(other.VCPUs, s.kinds[n.kind])

			if other.PageSize == u.PageSize {
				_, more := other.backing(room{})
				memory += more
			}
		}

		if freed >= threads && memory >= needs {
			sets = append(sets, slices.Clone(set))

			return true
		}

		return false
	}

	for i, a := range candidates {
		if i > 0 && alike(a, candidates[i-1]) || enough(a) {
			continue
		}

		for k := i + 1; k < len(candidates); k++ {
			b := candidates[k]
			if k > i+1 && alike(b, candidates[k-1]) || enough(a, b) {
				continue
			}

			if k+1 < len(candidates) {
				enough(a, b, candidates[k+1])
			}
		}
	}

	slices.SortStableFunc(sets, func(a, b []*unit) int {
		return cmp.Or(cmp.Compare(job(a).vcpus(), job(b).vcpus()), cmp.Compare(len(a), len(b)))
	})

	return sets
}

// alike reports whether two machines have the same demands.
func alike(a, b *unit) bool {
	return a.VCPUs == b.VCPUs && a.Memory == b.Memory && a.PageSize == b.PageSize && a.Threads == b.Threads && a.Group == b.Group
}
