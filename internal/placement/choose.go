package placement

import (
	"cmp"
	"slices"
)

// choose finds the best place for a machine among all hosts, or nil.
func (s *state) choose(u *unit) *seat {
	if u.group != nil && u.group.home >= 0 {
		return s.on(u, s.hosts[u.group.home])
	}

	narrow, isNarrow := s.narrow(u)
	wide, isWide := s.wide(u, isNarrow)

	switch {
	case isNarrow && (!isWide || narrow.count <= wide.count):
		return s.single(u, s.hosts[narrow.host], int(narrow.node))
	case isWide:
		return s.on(u, s.hosts[wide.host])
	default:
		return nil
	}
}

// candidate is a host, or one of its nodes, that a machine fits on.
type candidate struct {
	spot

	count int // machines of the group that the host has, if they are to be spread evenly
	rank  rank
}

// narrow finds the best node for a machine.
func (s *state) narrow(u *unit) (best candidate, found bool) {
	if u.Threads {
		if best, found = s.scan(u, s.ascending(), &s.byLoose); !found || u.even() {
			alternative, ok := s.scan(u, s.ranks(0, u.VCPUs), &s.byTotal)
			if ok && (!found || alternative.count < best.count) {
				best, found = alternative, true
			}
		}

		return best, found
	}

	for kind := range s.byIdle {
		c, ok := s.scan(u, s.ranks(kind, u.VCPUs), &s.byIdle[kind])
		if ok && (!found || compareCandidates(c, best) < 0) {
			best, found = c, true
		}
	}

	return best, found
}

func compareCandidates(a, b candidate) int {
	return cmp.Or(cmp.Compare(a.count, b.count), compareRanks(a.rank, b.rank), compareSpots(a.spot, b.spot))
}

// ascending are all numbers of free threads: where the fewest are free is best.
func (s *state) ascending() []rank {
	ranks := make([]rank, s.largest+1)
	for free := range ranks {
		ranks[free].free = free
	}

	return ranks
}

// scan looks through the index in the order of the ranks for the first node that takes the machine; if machines are to be
// spread evenly, for the first on one of the hosts that have the fewest of them.
func (s *state) scan(u *unit, order []rank, x *index) (best candidate, found bool) {
	lowest := 0
	if u.even() {
		lowest = u.group.lowest()
	}

	for _, r := range order {
		if r.free >= len(x.buckets) {
			continue
		}

		for _, e := range x.buckets[r.free] {
			count := 0
			if u.even() {
				count = u.group.counts[e.host]
			}

			if found && count >= best.count || r.free < u.VCPUs || !s.admits(u, s.hosts[e.host]) {
				continue
			}

			if !u.fits(s.hosts[e.host].nodes[e.node].now()) {
				continue
			}

			best, found = candidate{spot: e, count: count, rank: r}, true

			if count <= lowest {
				return best, true
			}
		}
	}

	return best, found
}

func (u *unit) even() bool { return u.group != nil && u.group.Spread == SpreadEvenly }

// admits reports whether the rules of the machine's group let it onto the host. Once a host is lost, two machines that are
// to be on different hosts may share one: that is better than that one of them does not run.
func (s *state) admits(u *unit, h *hostState) bool {
	if h.Draining || h.index == s.lost {
		return false
	}

	g := u.group

	switch {
	case g == nil:
		return true
	case g.avoid[h.index]:
		return false
	case g.Spread == SpreadHosts && g.counts[h.index] > 0:
		return s.lost >= 0
	default:
		return g.home < 0 || g.home == h.index
	}
}

// wide finds the best host for a machine that needs several nodes, the fewest first. If it fits on one node somewhere, only
// a host that has fewer machines of its group can be better.
func (s *state) wide(u *unit, isNarrow bool) (best candidate, found bool) {
	spans := s.spans(u)

	if isNarrow && !u.even() || !slices.ContainsFunc(spans, func(nodes int) bool { return nodes > 1 }) {
		return best, false
	}

	fewest := 0

	for _, h := range s.hosts {
		nodes := spans[h.shape]
		if nodes < 2 || !u.Threads && h.idle < u.VCPUs || !s.admits(u, h) {
			continue
		}

		c := candidate{spot: spot{idle: int32(h.idle), host: int32(h.index)}}
		if u.even() {
			c.count = u.group.counts[h.index]
		}

		order := cmp.Or(cmp.Compare(c.count, best.count), cmp.Compare(nodes, fewest), compareSpots(c.spot, best.spot))
		if found && order >= 0 || u.among(h.rooms(), nodes) == nil {
			continue
		}

		best, fewest, found = c, nodes, true
	}

	return best, found
}

// span is the fewest nodes of a host that hold the machine when nothing else runs there, or 0 if it never fits.
func (s *state) span(u *unit, h *hostState) int { return s.spans(u)[h.shape] }

// spans are the fewest nodes that hold the machine, by shape of host.
func (s *state) spans(u *unit) []int {
	if known, ok := s.spanned[u.demand()]; ok {
		return known
	}

	spans := make([]int, len(s.shapes))

	for i, h := range s.shapes {
		rooms := h.empty()

		for count := 1; count <= len(rooms) && spans[i] == 0; count++ {
			if u.among(rooms, count) != nil {
				spans[i] = count
			}
		}
	}

	s.spanned[u.demand()] = spans

	return spans
}

// on finds the best place for a machine on a host that admits it, or nil.
func (s *state) on(u *unit, h *hostState) *seat {
	if !s.admits(u, h) {
		return nil
	}

	switch nodes := s.span(u, h); nodes {
	case 0:
		return nil
	case 1:
		return s.bestNode(u, h)
	default:
		rooms := h.rooms()
		if chosen := u.among(rooms, nodes); chosen != nil {
			return &seat{host: h.index, parts: u.divide(rooms, chosen)}
		}

		return nil
	}
}

func (s *state) bestNode(u *unit, h *hostState) *seat {
	best, lowest := -1, rank{}

	for i, n := range h.nodes {
		if !u.fits(n.now()) {
			continue
		}

		r := s.rank(n.kind, u.VCPUs, n.idle)

		if u.Threads {
			r = rank{free: n.loose}
			if n.loose < u.VCPUs { // a core is broken: any node without is better
				r.free = s.largest + n.idle + n.loose
			}
		}

		if best < 0 || compareRanks(r, lowest) < 0 {
			best, lowest = i, r
		}
	}

	if best < 0 {
		return nil
	}

	return s.single(u, h, best)
}

// single is the seat of a machine that fits on the node.
func (s *state) single(u *unit, h *hostState, node int) *seat {
	p := part{node: node, vcpus: u.VCPUs}

	if u.PageSize > 0 {
		p.pages = u.pagesOf()
	} else {
		p.memory = u.Memory
	}

	return &seat{host: h.index, parts: []part{p}}
}
