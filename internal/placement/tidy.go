package placement

import "slices"

// recognise lets machines that are alike swap the seats that they were just given, so that as many as possible are on the
// hosts and nodes that they are on today.
func (s *state) recognise(units []*unit, held map[string]Assignment) {
	if len(held) == 0 {
		return
	}

	type class struct {
		demand

		group string
	}

	classes := map[class][]*unit{}

	var order []class

	for _, u := range units {
		c := class{demand: u.demand(), group: u.Group}
		if classes[c] == nil {
			order = append(order, c)
		}

		classes[c] = append(classes[c], u)
	}

	for _, c := range order {
		s.swap(classes[c], held)
	}
}

// swap gives the machines, which are alike, the seats that they have together: first to those whose host and nodes a seat is
// on, then to those whose host it is on, then to the others.
func (s *state) swap(units []*unit, held map[string]Assignment) {
	byHost := map[string][]*seat{}
	given := make(map[*unit]*seat, len(units))

	var spare []*seat

	for _, u := range units {
		host := s.hosts[u.seat.host].Name
		byHost[host] = append(byHost[host], u.seat)
	}

	for _, sameNodes := range []bool{true, false} {
		for _, u := range units {
			a := held[u.Name]
			at := slices.IndexFunc(byHost[a.Host], func(at *seat) bool {
				return !sameNodes || slices.Equal(at.numa(s.hosts[at.host]), a.Nodes)
			})

			if at >= 0 && given[u] == nil {
				given[u] = byHost[a.Host][at]
				byHost[a.Host] = slices.Delete(byHost[a.Host], at, at+1)
			}
		}
	}

	for _, h := range s.hosts {
		spare = append(spare, byHost[h.Name]...)
	}

	for _, u := range units {
		if given[u] == nil {
			given[u], spare = spare[0], spare[1:]
		}
	}

	for _, u := range units {
		s.rise(u)
	}

	for _, u := range units {
		s.sit(u, given[u])
	}
}

// tidy picks the CPUs of machines that were just placed anew. Those that are on the same nodes today keep their CPUs; the
// others get theirs by name, so that neighbours in the list become neighbours on the node. Nodes whose cores differ are left
// as they are, because there the order decides what fits.
func (s *state) tidy(units []*unit, held map[string]Assignment) {
	var whole, single []*unit

	for _, u := range units {
		switch {
		case s.onMixed(u):
		case u.Threads:
			single = append(single, u)
		default:
			whole = append(whole, u)
		}
	}

	all := slices.Concat(whole, single) // single threads take what whole cores leave
	seats := make(map[*unit]*seat, len(all))

	for _, u := range all {
		seats[u] = u.seat
		s.rise(u)
	}

	for _, units := range [][]*unit{whole, single} {
		var others []*unit

		for _, u := range units {
			if again := s.again(u, seats[u], held[u.Name]); again != nil {
				s.sit(u, again)
			} else {
				others = append(others, u)
			}
		}

		for _, u := range others {
			s.sit(u, seats[u].blank())
		}
	}
}

func (s *state) onMixed(u *unit) bool {
	return slices.ContainsFunc(u.seat.parts, func(p part) bool { return s.kinds[s.hosts[u.seat.host].nodes[p.node].kind] == mixed })
}

// blank is the seat before its CPUs are picked.
func (s *seat) blank() *seat {
	blank := &seat{host: s.host, parts: slices.Clone(s.parts)}
	for i := range blank.parts {
		blank.parts[i].cpus = nil
	}

	return blank
}

// again is the seat with the CPUs that the machine has today, or nil if those are not on the seat's nodes, are not free, or
// are on more cores than they need to be.
func (s *state) again(u *unit, at *seat, a Assignment) *seat {
	h := s.hosts[at.host]
	if a.Host != h.Name || len(a.Pins) != u.VCPUs {
		return nil
	}

	var cores []*coreState

	fresh := at.blank()
	fresh.pins = slices.Clone(a.Pins)

	for i, cpu := range a.Pins {
		if s.conflict(u, h, cpu) != "" || slices.Contains(a.Pins[:i], cpu) {
			return nil
		}

		if seat := h.seats[cpu]; !slices.Contains(cores, seat.core) {
			cores = append(cores, seat.core)
		}

		part := slices.IndexFunc(fresh.parts, func(p part) bool { return p.node == h.seats[cpu].node })
		if part < 0 {
			return nil
		}

		fresh.parts[part].cpus = append(fresh.parts[part].cpus, cpu)
	}

	needed := 0

	for _, p := range fresh.parts {
		if len(p.cpus) != p.vcpus {
			return nil
		}

		width := s.kinds[h.nodes[p.node].kind]
		needed += roundUp(p.vcpus, width) / max(1, width)
	}

	if !u.Threads && len(cores) > needed {
		return nil
	}

	return fresh
}
