package placement

import "fmt"

// remedy names the smallest changes that would make room for the machine, each of them enough by itself if the machine is the only one without a place.
func (s *state) remedy(u *unit, moves int) string {
	var ways []string

	if s.choose(u) != nil {
		ways = append(ways, "let the group be on several hosts")
	} else if vcpus := s.fewer(u); vcpus > 0 {
		ways = append(ways, "lower its vCPUs to "+fmt.Sprint(vcpus))
	}

	if memory := s.less(u); memory > 0 {
		ways = append(ways, "lower its memory to "+size(memory))
	}

	for _, h := range s.hosts {
		if h.Draining && s.wouldFit(u, h) {
			ways = append(ways, "end the maintenance of "+h.Name)

			break
		}
	}

	if moves > 0 {
		ways = append(ways, fmt.Sprintf("let the fleet be rebalanced, which moves %s", count(moves, "machine")))
	}

	return sentence(enumerate(append(ways, "add a host"), "or"))
}

// fewer is the most vCPUs with which the machine would fit, or 0.
func (s *state) fewer(u *unit) int {
	smaller := *u
	machine := *u.Machine
	smaller.Machine = &machine

	for machine.VCPUs--; machine.VCPUs > 0; machine.VCPUs-- {
		if s.choose(&smaller) != nil {
			return machine.VCPUs
		}
	}

	return 0
}

// less is the most memory with which the machine would fit on a node, in whole MiB or pages, or 0.
func (s *state) less(u *unit) uint64 {
	var most uint64

	unit := max(u.PageSize, 1<<20)

	for _, h := range s.hosts {
		if !s.admits(u, h) || s.span(u, h) > 1 {
			continue
		}

		for _, n := range h.nodes {
			has, needs := u.backing(n.now())
			if u.threads(n.now()) < u.VCPUs || has >= needs {
				continue
			}

			if u.PageSize > 0 {
				has *= u.PageSize
			}

			most = max(most, has/unit*unit)
		}
	}

	return most
}

// wouldFit reports whether a draining host has room for the machine.
func (s *state) wouldFit(u *unit, h *hostState) bool {
	before := h.Host
	taking := *h.Host
	taking.Draining = false
	h.Host = &taking

	defer func() { h.Host = before }()

	return s.on(u, h) != nil
}
