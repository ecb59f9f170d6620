package placement

import (
	"cmp"
	"slices"
)

// index finds nodes by how many free threads they have, without looking at the others.
type index struct {
	buckets [][]spot // by free threads; each sorted
}

// spot is a node in the index.
type spot struct {
	idle int32 // of the node's host: among equal nodes that of the fullest host is first, then they go by name
	host int32
	node int32
}

func compareSpots(a, b spot) int {
	return cmp.Or(cmp.Compare(a.idle, b.idle), cmp.Compare(a.host, b.host), cmp.Compare(a.node, b.node))
}

func (x *index) insert(free int, e spot) {
	for len(x.buckets) <= free {
		x.buckets = append(x.buckets, nil)
	}

	at, _ := slices.BinarySearchFunc(x.buckets[free], e, compareSpots)
	x.buckets[free] = slices.Insert(x.buckets[free], at, e)
}

func (x *index) remove(free int, e spot) {
	at, _ := slices.BinarySearchFunc(x.buckets[free], e, compareSpots)
	x.buckets[free] = slices.Delete(x.buckets[free], at, at+1)
}

// enter puts the host's nodes into the indexes.
func (s *state) enter(h *hostState) { s.file(h, (*index).insert) }

// leave takes the host's nodes out of the indexes, before their room changes or because the host takes no machine.
func (s *state) leave(h *hostState) { s.file(h, (*index).remove) }

func (s *state) file(h *hostState, do func(*index, int, spot)) {
	if h.Draining || h.index == s.lost || s.gathering {
		return
	}

	for i, n := range h.nodes {
		e := spot{idle: int32(h.idle), host: int32(h.index), node: int32(i)}
		do(&s.byIdle[n.kind], n.idle, e)

		if s.shared {
			do(&s.byLoose, n.loose, e)
			do(&s.byTotal, n.idle+n.loose, e)
		}
	}
}

// rank is a number of free threads, and what it costs to put a machine there.
type rank struct {
	free   int
	spoils []int // places for larger machines that it takes away, by their sizes, the largest first
}

func compareRanks(a, b rank) int {
	return cmp.Or(slices.Compare(a.spoils, b.spoils), cmp.Compare(a.free, b.free))
}

// ranks returns the numbers of free threads that hold a machine of so many vCPUs on nodes of the kind, the best first: those
// where it takes away the fewest places for larger machines of this fleet, the largest first, and then the fewest threads
// are left.
func (s *state) ranks(kind, vcpus int) []rank {
	key := [2]int{kind, vcpus}
	if known, ok := s.ranked[key]; ok {
		return known
	}

	var ranks []rank
	for free := vcpus; free <= s.largest; free++ {
		ranks = append(ranks, s.rank(kind, vcpus, free))
	}

	slices.SortFunc(ranks, compareRanks)
	s.ranked[key] = ranks

	return ranks
}

// rank says what it costs to put so many vCPUs where so many threads are free.
func (s *state) rank(kind, vcpus, free int) rank {
	size := roundUp(vcpus, s.kinds[kind])
	r := rank{free: free}

	for _, other := range s.sizes {
		if other = roundUp(other, s.kinds[kind]); other > size {
			r.spoils = append(r.spoils, free/other-max(0, free-size)/other)
		}
	}

	return r
}

// roundUp is the vCPUs in threads of whole cores. What it is where cores differ shows only when they are picked.
func roundUp(vcpus, width int) int {
	width = max(width, 1)

	return (vcpus + width - 1) / width * width
}
