package placement

import (
	"fmt"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// refuse says why machines have no place. Of machines that are alike the first speaks for the others. All would fit if the
// fleet was rebalanced, with so many moves; 0 means that they would not.
func (s *state) refuse(failed []*unit, moves int) *Refusal {
	refusal := &Refusal{}

	cause := "No host fits:"
	if len(s.hosts) == 0 {
		cause = "There is no host."
	}

	var told []*unit

	for _, u := range slices.SortedFunc(slices.Values(failed), func(a, b *unit) int { return strings.Compare(a.Name, b.Name) }) {
		if same := slices.IndexFunc(told, func(other *unit) bool { return alike(u, other) }); same >= 0 {
			refusal.Refused[same].Like = append(refusal.Refused[same].Like, u.Name)

			continue
		}

		told = append(told, u)
		refusal.Refused = append(refusal.Refused, Refused{
			Kind: "VM", Name: u.Name, Cause: cause, Hosts: s.reasons(u), Remedy: s.remedy(u, moves),
		})
	}

	return refusal
}

func (s *state) reasons(u *unit) []HostReason {
	reasons := make([]HostReason, len(s.hosts))
	for i, h := range s.hosts {
		reasons[i] = HostReason{Host: h.Name, Reason: s.reason(u, h)}
	}

	return reasons
}

// reason says why the host does not take the machine.
func (s *state) reason(u *unit, h *hostState) string {
	if why := s.rule(u, h); why != "" {
		return why
	}

	nodes := s.span(u, h)
	if nodes == 0 {
		return "too small: " + s.total(u, h)
	}

	if s.on(u, h) != nil {
		return fmt.Sprintf("has room for it, but not for all of group %s", u.Group)
	}

	return s.lack(u, h, nodes)
}

// rule says which rule keeps the machine off the host, or "".
func (s *state) rule(u *unit, h *hostState) string {
	g := u.group

	switch {
	case h.Draining:
		return "draining"
	case h.index == s.lost:
		return "lost"
	case g == nil:
		return ""
	case g.avoid[h.index]:
		return fmt.Sprintf("group %s keeps off it", g.name)
	case g.Spread == SpreadHosts && g.counts[h.index] > 0 && s.lost < 0:
		return fmt.Sprintf("has %s of group %s, which is spread over hosts", g.member(h), g.name)
	case g.home >= 0 && g.home != h.index:
		return fmt.Sprintf("group %s keeps together, and is on %s", g.name, s.hosts[g.home].Name)
	default:
		return ""
	}
}

// member names a machine of the group on the host.
func (g *groupState) member(h *hostState) string {
	for _, u := range g.units {
		if u.seat != nil && u.seat.host == h.index {
			return u.Name
		}
	}

	return ""
}

// lack says what the machine needs on so many nodes, and what is free on each: CPUs, memory, or both if it is not one of them
// alone that lacks.
func (s *state) lack(u *unit, h *hostState, nodes int) string {
	cpus, memory := s.lacking(u, h.rooms(), nodes)
	on := "one node"

	if nodes > 1 {
		on = fmt.Sprintf("%d nodes", nodes)
	}

	var has []string

	for _, n := range h.nodes {
		if len(n.cores) > 0 {
			word := ""
			if len(has) == 0 {
				word = " free"
			}

			has = append(has, fmt.Sprintf("node %d has %s%s", n.id, s.amounts(u, h, n.now(), cpus, memory, false), word))
		}
	}

	return fmt.Sprintf("needs %s on %s; %s", s.needs(u, h, cpus, memory), on, strings.Join(has, ", "))
}

// total says what the machine needs and what the whole host has when nothing runs on it.
func (s *state) total(u *unit, h *hostState) string {
	rooms := h.empty()
	cpus, memory := s.lacking(u, rooms, len(rooms))
	all := room{}

	for _, r := range rooms {
		all.idle += r.idle
		all.loose += r.loose
		all.memory += r.memory

		for _, pool := range r.pages {
			all.pages = append(all.pages, topology.Page{Size: pool.Size, Count: pool.Count + take(&all.pages, pool.Size)})
		}
	}

	return fmt.Sprintf("needs %s; it has %s in all", s.needs(u, h, cpus, memory), s.amounts(u, h, all, cpus, memory, true))
}

// take removes the pool of that page size and returns how many pages it had.
func take(pages *[]topology.Page, size uint64) uint64 {
	count := free(*pages, size)
	*pages = slices.DeleteFunc(*pages, func(pool topology.Page) bool { return pool.Size == size })

	return count
}

// lacking reports whether it is CPUs or memory that no choice of so many nodes has enough of. Both are reported if there is
// enough of each, and not on the same nodes.
func (s *state) lacking(u *unit, rooms []room, nodes int) (cpus, memory bool) {
	noMemory, noCPUs := *u.Machine, *u.Machine
	noMemory.Memory, noCPUs.VCPUs = 0, 0
	cpus, memory = noMemory.among(rooms, nodes) == nil, noCPUs.among(rooms, nodes) == nil

	return cpus || !memory, memory || !cpus
}

// needs is the machine's demand in words.
func (s *state) needs(u *unit, h *hostState, cpus, memory bool) string {
	var words []string

	if cpus {
		width, thing := s.measure(u, h)
		words = append(words, count((u.VCPUs+width-1)/width, thing))
	}

	if memory && u.PageSize > 0 {
		words = append(words, count(int(u.pagesOf()), "page")+" of "+size(u.PageSize))
	} else if memory {
		words = append(words, size(u.Memory))
	}

	return strings.Join(words, " and ")
}

// amounts is what there is of what the machine needs. The unit is named again where it would not be clear.
func (s *state) amounts(u *unit, h *hostState, r room, cpus, memory, again bool) string {
	var words []string

	width, thing := s.measure(u, h)
	threads := u.threads(r) / width

	switch {
	case cpus && (memory || again):
		words = append(words, count(threads, thing))
	case cpus:
		words = append(words, fmt.Sprint(threads))
	}

	switch pages := int(free(r.pages, u.PageSize)); {
	case !memory:
	case u.PageSize == 0:
		words = append(words, size(r.memory))
	case cpus || again:
		words = append(words, count(pages, "page"))
	default:
		words = append(words, fmt.Sprint(pages))
	}

	return strings.Join(words, " and ")
}

// measure is what the host's CPUs are counted in for the machine, and how many threads that is.
func (s *state) measure(u *unit, h *hostState) (width int, thing string) {
	if u.Threads {
		return 1, "thread"
	}

	for _, n := range h.nodes {
		if len(n.cores) == 0 {
			continue
		}

		if s.kinds[n.kind] == mixed || width > 0 && s.kinds[n.kind] != width {
			return 1, "thread"
		}

		width = s.kinds[n.kind]
	}

	return max(width, 1), "core"
}
