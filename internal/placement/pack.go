package placement

import (
	"cmp"
	"slices"
)

// job is what is placed in one go: a machine, or the machines of a group that keeps together.
type job []*unit

// jobs divides machines into jobs.
func jobs(units []*unit) []job {
	var all []job

	together := map[*groupState]int{}

	for _, u := range slices.SortedFunc(slices.Values(units), bySize) {
		if u.group == nil || !u.group.Together {
			all = append(all, job{u})

			continue
		}

		at, known := together[u.group]
		if !known {
			at = len(all)
			together[u.group] = at
			all = append(all, nil)
		}

		all[at] = append(all[at], u)
	}

	return all
}

func (j job) vcpus() int {
	total := 0
	for _, u := range j {
		total += u.VCPUs
	}

	return total
}

func (j job) memory() uint64 {
	var total uint64
	for _, u := range j {
		total += u.Memory
	}

	return total
}

// bound reports whether the job has few hosts to choose from.
func (j job) bound() bool {
	return j[0].group != nil && (j[0].group.Spread == SpreadHosts || j[0].group.Together || len(j[0].group.Avoid) > 0)
}

// orders are the ways in which the machines of a fleet are taken up, the usual one first.
var orders = []func(a, b job) int{
	func(a, b job) int { // the largest first: what is small finds room later
		return cmp.Or(cmp.Compare(b.vcpus(), a.vcpus()), bySize(a[0], b[0]))
	},
	func(a, b job) int { // those with the least choice first
		first := map[bool]int{true: 0, false: 1}

		return cmp.Or(first[a.bound()]-first[b.bound()], cmp.Compare(b.vcpus(), a.vcpus()), bySize(a[0], b[0]))
	},
	func(a, b job) int { // those with the most memory first
		return cmp.Or(cmp.Compare(b.memory(), a.memory()), bySize(a[0], b[0]))
	},
}

// Work that may be done beyond placing each machine once, in machines seated. It bounds the time that a refusal takes:
// planEffort is for the plan itself, shortEffort for what it imagines, of which there may be one for each host.
const (
	planEffort  = 50_000
	shortEffort = 2_000
)

// pack places the machines and returns those for which there is no room. It tries one order after the other until all have
// a place; if none does, it searches, and if that fails as well the first order's outcome stands.
func (s *state) pack(units []*unit, effort int) (failed []*unit) {
	all := jobs(units)
	start := len(s.journal)
	room, search := effort, effort

	for _, order := range orders {
		slices.SortFunc(all, order)

		if failed = s.placeAll(all, &room); len(failed) == 0 {
			return nil
		}

		s.rollBack(start)
	}

	slices.SortFunc(all, orders[0])

	if s.search(all, &search) {
		return nil
	}

	return s.placeAll(all, new(int))
}

func (s *state) placeAll(all []job, effort *int) (failed []*unit) {
	for _, j := range all {
		if !s.place(j) && !s.makeRoom(j[0], len(j) > 1, effort) {
			failed = append(failed, j...)
		}
	}

	return failed
}

// place gives a job its best place.
func (s *state) place(j job) bool {
	if len(j) == 1 {
		return s.seat(j[0], s.choose(j[0]))
	}

	return s.tryHosts(j, func() bool { return true })
}

// seat seats a machine if there is a place for it.
func (s *state) seat(u *unit, at *seat) bool {
	if at == nil {
		return false
	}

	s.sit(u, at)

	return true
}

// tryHosts puts the machines of a job onto one host after the other, the fullest first, until then is satisfied.
func (s *state) tryHosts(j job, then func() bool) bool {
	hosts := slices.Clone(s.hosts)
	slices.SortStableFunc(hosts, func(a, b *hostState) int { return cmp.Compare(a.idle, b.idle) })

	for _, h := range hosts {
		start := len(s.journal)

		if s.gather(j, h) && then() {
			return true
		}

		s.rollBack(start)
	}

	return false
}

// gather puts all machines of a job onto the host, as far as it can.
func (s *state) gather(j job, h *hostState) bool {
	for _, u := range j {
		if !s.seat(u, s.on(u, h)) {
			return false
		}
	}

	return true
}
