package placement

import (
	"fmt"
	"slices"
	"strings"
)

// survive checks that the machines of groups that are to survive the loss of a host do. If they do not, it places the
// machines that this plan has placed once more, with those groups spread, and says what does not survive if that is no better.
func (s *state) survive(placed []*unit) *Refusal {
	lost := s.losses()
	if len(lost) == 0 {
		return &Refusal{}
	}

	refusal := s.refuseLosses(lost)
	start := len(s.journal)
	packed := true

	for _, u := range placed {
		s.rise(u)
	}

	s.spreadProtected(func() { packed = len(s.pack(placed, planEffort)) == 0 })

	if packed && len(placed) > 0 && len(s.losses()) == 0 {
		return &Refusal{}
	}

	s.rollBack(start)

	return refusal
}

// spreadProtected does something while the groups that are to survive are spread as evenly as possible.
func (s *state) spreadProtected(do func()) {
	var changed []*groupState

	for _, g := range s.groups {
		if g.Survives && g.Spread == SpreadNone && !g.Together {
			g.Spread = SpreadEvenly
			changed = append(changed, g)
		}
	}

	do()

	for _, g := range changed {
		g.Spread = SpreadNone
	}
}

// loss is a host without which some machines would have no place.
type loss struct {
	host     *hostState
	homeless []*unit // by name
	reasons  map[*unit][]HostReason
}

// losses returns what would not survive, by host.
func (s *state) losses() []loss {
	protected := make([][]*unit, len(s.hosts))

	for _, u := range s.units {
		if u.group != nil && u.group.Survives {
			protected[u.seat.host] = append(protected[u.seat.host], u)
		}
	}

	var losses []loss

	for i, h := range s.hosts {
		if len(protected[i]) == 0 {
			continue
		}

		s.lose(h, protected[i], shortEffort, func(homeless []*unit) {
			if len(homeless) == 0 {
				return
			}

			l := loss{host: h, homeless: homeless, reasons: map[*unit][]HostReason{}}
			for _, u := range homeless {
				l.reasons[u] = s.reasons(u)
			}

			losses = append(losses, l)
		})
	}

	return losses
}

// lose imagines that a host is lost: it places machines of it on the others, on which everything stays, and has a look at the
// outcome before it takes that back. It is told which machines have no place there.
func (s *state) lose(h *hostState, units []*unit, effort int, look func(homeless []*unit)) {
	s.leave(h)
	s.lost = h.index
	start := len(s.journal)

	for _, u := range units {
		u.fleeing = true
		s.rise(u)
	}

	look(s.pack(units, effort))
	s.rollBack(start)

	for _, u := range units {
		u.fleeing = false
	}

	s.lost = -1
	s.enter(h)
}

// refuseLosses says for each machine that would not survive the loss of which host that is, and why.
func (s *state) refuseLosses(losses []loss) *Refusal {
	refusal := &Refusal{}

	for _, l := range losses {
		var told []*unit

		first := len(refusal.Refused)

		for _, u := range slices.SortedFunc(slices.Values(l.homeless), func(a, b *unit) int { return strings.Compare(a.Name, b.Name) }) {
			if same := slices.IndexFunc(told, func(other *unit) bool { return alike(u, other) }); same >= 0 {
				refusal.Refused[first+same].Like = append(refusal.Refused[first+same].Like, u.Name)

				continue
			}

			told = append(told, u)
			refusal.Refused = append(refusal.Refused, Refused{
				Kind: "VM", Name: u.Name, Hosts: l.reasons[u],
				Cause:  fmt.Sprintf("Group %s is to survive the loss of any host. If %s was lost, no other host would fit:", u.Group, l.host.Name),
				Remedy: fmt.Sprintf("Add a host, make machines smaller, or let group %s not survive the loss of a host.", u.Group),
			})
		}
	}

	return refusal
}
