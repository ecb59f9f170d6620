package placement

import "slices"

// search looks for a place for every job by trying all, and gives up when the effort is spent. Small fleets are searched
// through, so that a refusal of one is a proof.
func (s *state) search(all []job, effort *int) bool {
	if len(all) == 0 {
		return true
	}

	j, rest := all[0], all[1:]

	if len(j) > 1 {
		return s.tryHosts(j, func() bool {
			*effort -= len(j)

			return *effort > 0 && s.search(rest, effort)
		})
	}

	for _, at := range s.options(j[0]) {
		if *effort--; *effort <= 0 {
			return false
		}

		start := len(s.journal)
		s.sit(j[0], at)

		if s.search(rest, effort) {
			return true
		}

		s.rollBack(start)
	}

	return false
}

// options returns the places that a machine could have, leaving out those that differ from another in name only.
func (s *state) options(u *unit) []*seat {
	var (
		seats  []*seat
		shapes []int
	)

	for _, h := range s.hosts {
		if !s.admits(u, h) {
			continue
		}

		if s.pristine(h) {
			if slices.Contains(shapes, h.shape) {
				continue
			}

			shapes = append(shapes, h.shape)
		}

		if s.span(u, h) == 1 {
			seats = append(seats, s.nodeOptions(u, h)...)
		} else if at := s.on(u, h); at != nil {
			seats = append(seats, at)
		}
	}

	if u.even() {
		slices.SortStableFunc(seats, func(a, b *seat) int { return u.group.counts[a.host] - u.group.counts[b.host] })
	}

	return seats
}

// pristine reports whether nothing but its name tells the host from others of its shape.
func (s *state) pristine(h *hostState) bool {
	for _, g := range s.groups {
		if g.avoid[h.index] {
			return false
		}
	}

	return h.tenants == 0 && h.Taken.IsEmpty()
}

func (s *state) nodeOptions(u *unit, h *hostState) []*seat {
	var seats []*seat

	for i, n := range h.nodes {
		same := func(other *nodeState) bool {
			return other.kind == n.kind && other.idle == n.idle && other.loose == n.loose && other.memory == n.memory && slices.Equal(other.pages, n.pages)
		}

		if u.fits(n.now()) && !slices.ContainsFunc(h.nodes[:i], same) {
			seats = append(seats, s.single(u, h, i))
		}
	}

	return seats
}
