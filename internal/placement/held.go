package placement

import (
	"fmt"
	"slices"
	"strings"
)

// settle seats the machines that are held, first all as they are and then, by name, those that have grown or shrunk. It
// returns why machines lose their places, by machine, and which of them may do so only if that is allowed.
func (s *state) settle(held map[string]Assignment) (why map[string]string, invalid []Refused) {
	why = map[string]string{}

	var seated []*unit

	lose := func(u *unit, reason string, hosts ...HostReason) {
		why[u.Name] = reason

		cause := fmt.Sprintf("Its place is no longer valid: %s.", reason)
		if hosts != nil {
			cause = "It does not fit where it is any more, and it may not move:"
		}

		invalid = append(invalid, Refused{
			Kind: "VM", Name: u.Name, Cause: cause, Hosts: hosts,
			Remedy: "Let machines move, or undo the change.",
		})
	}

	for _, u := range s.recallable(held) {
		a := held[u.Name]

		if h, known := s.byName[a.Host]; known && h.Draining {
			why[u.Name] = h.Name + " is draining"
		} else if reason := s.recall(u, a); reason != "" {
			lose(u, reason)
		} else {
			seated = append(seated, u)
		}
	}

	slices.SortFunc(seated, func(a, b *unit) int { return strings.Compare(a.Name, b.Name) })

	for _, shrinking := range []bool{true, false} {
		for _, u := range seated {
			if u.seat == nil || u.fitted() || (u.VCPUs <= len(u.seat.pins)) != shrinking {
				continue
			}

			if h := s.hosts[u.seat.host]; !s.resize(u) {
				lose(u, "it has outgrown its place on "+h.Name, HostReason{Host: h.Name, Reason: s.outgrown(u, h)})
			}
		}
	}

	slices.SortFunc(invalid, func(a, b Refused) int { return strings.Compare(a.Name, b.Name) })

	return why, invalid
}

// recallable returns the machines that are held, those with a recorded share of memory first: they take what they have, and
// the others take what is left.
func (s *state) recallable(held map[string]Assignment) []*unit {
	var known, unknown []*unit

	for _, u := range s.units {
		switch a, ok := held[u.Name]; {
		case !ok || len(a.Pins) == 0:
		case len(a.Memory)+len(a.Pages) > 0:
			known = append(known, u)
		default:
			unknown = append(unknown, u)
		}
	}

	return append(known, unknown...)
}

// recall seats a machine where it is held, as large as it was, or says why it cannot be there.
func (s *state) recall(u *unit, a Assignment) string {
	h, known := s.byName[a.Host]
	if !known {
		return fmt.Sprintf("host %s is not among the hosts any more", a.Host)
	}

	if why := s.rule(u, h); why != "" {
		return h.Name + ": " + why
	}

	for i, cpu := range a.Pins {
		if why := s.conflict(u, h, cpu); why != "" {
			return why
		}

		if slices.Contains(a.Pins[:i], cpu) {
			return fmt.Sprintf("two of its vCPUs are on CPU %d", cpu)
		}
	}

	at := &seat{host: h.index, pins: a.Pins}

	for i, n := range h.nodes {
		cpus := h.onNode(a.Pins, i)
		if len(cpus) > 0 || slices.Contains(a.Nodes, n.id) {
			at.parts = append(at.parts, part{node: i, vcpus: len(cpus), cpus: cpus, memory: a.Memory[n.id], pages: a.Pages[n.id]})
		}
	}

	if why := u.recallMemory(h, at, a); why != "" {
		return why
	}

	s.sit(u, at)
	u.fixed = true
	u.kept = u.fitted() && slices.Equal(at.numa(h), a.Nodes) && len(a.Memory)+len(a.Pages) > 0 &&
		(len(a.Memory) == 0 || u.PageSize == 0) && (len(a.Pages) == 0 || u.PageSize > 0)

	return ""
}

// onNode returns those of the CPUs that are on the node.
func (h *hostState) onNode(cpus []int, node int) []int {
	elsewhere := func(cpu int) bool { return h.seats[cpu].node != node }

	if !slices.ContainsFunc(cpus, elsewhere) {
		return cpus
	}

	return slices.DeleteFunc(slices.Clone(cpus), elsewhere)
}

// outgrown says why a machine that has left its place for a moment cannot grow there.
func (s *state) outgrown(u *unit, h *hostState) string {
	if s.on(u, h) != nil {
		return "has room on other CPUs than its own only"
	}

	return s.reason(u, h) + ", with its own"
}

// conflict says why the CPU cannot be the machine's, or "".
func (s *state) conflict(u *unit, h *hostState, cpu int) string {
	at, known := h.at(cpu)
	if !known {
		return fmt.Sprintf("%s has no CPU %d", h.Name, cpu)
	}

	var why string

	switch core := at.core; {
	case core.blocked&at.thread != 0:
		why = "reserved"
	case h.Taken.Contains(cpu):
		why = "pinned by a machine that is not of this fleet"
	case core.closed:
		why = "on one core with a CPU that is pinned by a machine that is not of this fleet"
	case core.used&at.thread != 0:
		why = h.owner(at, cpu) + "'s as well"
	case core.owned, !u.Threads && core.used != 0:
		why = "on one core with a CPU of " + h.owner(at, core.cpus...)
	case !u.Threads && core.blocked != 0:
		why = "on one core with a CPU that is reserved"
	default:
		return ""
	}

	return fmt.Sprintf("CPU %d of %s is %s", cpu, h.Name, why)
}

// owner names the machine that has one of the CPUs.
func (h *hostState) owner(at threadAt, cpus ...int) string {
	for _, u := range h.nodes[at.node].tenants {
		if slices.ContainsFunc(cpus, func(cpu int) bool { return slices.Contains(u.seat.pins, cpu) }) {
			return u.Name
		}
	}

	return ""
}

// recallMemory books the memory of a machine's seat as it is recorded. What is not recorded is divided once more; what has
// changed is booked when the machine is resized.
func (u *unit) recallMemory(h *hostState, at *seat, a Assignment) string {
	_, needs := u.backing(room{})
	booked := at.booked(u.PageSize)

	switch {
	case booked == needs:
	case len(a.Memory)+len(a.Pages) == 0 && u.PageSize == 0:
		u.back(h.rooms(), at.parts)
	default:
		for i := range at.parts {
			at.parts[i].memory, at.parts[i].pages = 0, 0
		}

		return ""
	}

	for i, p := range at.parts {
		if n := h.nodes[p.node]; p.memory > n.memory || p.pages > free(n.pages, u.PageSize) {
			return fmt.Sprintf("node %d of %s has not the memory for it any more", n.id, h.Name)
		}

		if u.PageSize > 0 {
			at.parts[i].memory = 0
		} else {
			at.parts[i].pages = 0
		}
	}

	if at.booked(u.PageSize) < needs {
		return fmt.Sprintf("its nodes on %s have not the memory for it any more", h.Name)
	}

	return ""
}

// booked is how many pages, or bytes of ordinary memory, the seat has.
func (s *seat) booked(pageSize uint64) uint64 {
	var total uint64

	for _, p := range s.parts {
		if pageSize > 0 {
			total += p.pages
		} else {
			total += p.memory
		}
	}

	return total
}

// fitted reports whether the machine's seat is as large as the machine.
func (u *unit) fitted() bool {
	_, needs := u.backing(room{})

	return len(u.seat.pins) == u.VCPUs && u.seat.booked(u.PageSize) == needs
}
