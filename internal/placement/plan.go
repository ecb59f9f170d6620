package placement

import "slices"

// Plan places a fleet. The same fleet, in whatever order its hosts and machines are listed, gets the same answer. The error
// is a [*Refusal]: it says for every machine that has no place why no host takes it, and what would help.
//
// A machine that is held stays where it is, also when it grows or shrinks. It gets another place if its host is draining,
// if [Fleet.Rebalance] asks for that, or if its place is no longer valid and [Fleet.MayMove] allows it.
func Plan(fleet Fleet) (Result, error) {
	if err := check(&fleet).err(); err != nil {
		return Result{}, err
	}

	s := newState(&fleet)
	held := fleet.Held

	if fleet.Rebalance {
		held = nil
	}

	why, invalid := s.settle(held)
	if len(invalid) > 0 && !fleet.MayMove {
		return Result{}, &Refusal{Refused: invalid}
	}

	s.open()

	moving := s.unseated()
	s.stay(held, moving)

	if failed := s.pack(s.unseated(), planEffort); len(failed) > 0 {
		return Result{}, s.refuse(failed, rebalanced(&fleet))
	}

	if err := s.survive(moving).err(); err != nil {
		return Result{}, err
	}

	s.recognise(moving, fleet.Held)
	s.tidy(moving, fleet.Held)

	return s.result(&fleet, why), nil
}

// rebalanced is the number of machines that would have to move for the whole fleet to fit, or 0 if that is no way out that
// a short look finds.
func rebalanced(fleet *Fleet) int {
	if fleet.Rebalance || len(fleet.Held) == 0 {
		return 0
	}

	s := newState(fleet)
	s.open()

	if len(s.pack(s.units, shortEffort)) > 0 || len(s.losses()) > 0 {
		return 0
	}

	s.recognise(s.units, fleet.Held)
	s.tidy(s.units, fleet.Held)

	return len(s.result(fleet, nil).Moves)
}

// stay gives machines that lose their places others on the hosts that they are on, if there is room: to be pinned anew
// disturbs a machine less than to migrate.
func (s *state) stay(held map[string]Assignment, units []*unit) {
	for _, u := range units {
		if h, known := s.byName[held[u.Name].Host]; known {
			s.seat(u, s.on(u, h))
		}
	}
}

// unseated returns the machines that have no place yet.
func (s *state) unseated() []*unit {
	var units []*unit

	for _, u := range s.units {
		if u.seat == nil {
			units = append(units, u)
		}
	}

	return units
}

// result describes where all machines are, and which of them are elsewhere today.
func (s *state) result(fleet *Fleet, why map[string]string) Result {
	result := Result{Assignments: make(map[string]Assignment, len(s.units))}

	for _, u := range s.units {
		h := s.hosts[u.seat.host]
		from, held := fleet.Held[u.Name]

		if u.kept {
			from.Emulator = h.Reserved
			result.Assignments[u.Name] = from

			continue
		}

		to := u.assignment(h)
		result.Assignments[u.Name] = to

		if !held || !moved(from, to) {
			continue
		}

		reason, known := why[u.Name]
		if !known {
			reason = "the fleet is planned anew"
		}

		result.Moves = append(result.Moves, Move{Machine: u.Name, From: from, To: to, Reason: reason})
	}

	return result
}

// moved reports whether a machine leaves its host or any of the CPUs that it has and still needs.
func moved(from, to Assignment) bool {
	common := min(len(from.Pins), len(to.Pins))

	return from.Host != to.Host || !slices.Equal(from.Pins[:common], to.Pins[:common])
}
