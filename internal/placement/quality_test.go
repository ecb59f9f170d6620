package placement

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// smallFleet draws a few machines for a few small nodes, close to what they hold.
func smallFleet(random *rand.Rand) Fleet {
	var fleet Fleet

	hosts, cores := 1+random.IntN(3), 2+random.IntN(5)
	for i := range hosts {
		fleet.Hosts = append(fleet.Hosts, Host{Name: fmt.Sprintf("host-%d", i), Nodes: hardware(1+random.IntN(2), cores, 2, 64*gib)})
	}

	for i := range 2 + random.IntN(7) {
		fleet.Machines = append(fleet.Machines, Machine{Name: fmt.Sprintf("vm-%d", i), VCPUs: 2 * (1 + random.IntN(cores)), Memory: gib})
	}

	return fleet
}

// exhaustive tries all ways to put the sizes onto nodes with so many free cores and returns the largest hole that can be
// left, or -1 if they do not fit.
func exhaustive(sizes, free []int) int {
	if len(sizes) == 0 {
		return slices.Max(free)
	}

	best := -1

	for i := range free {
		if free[i] >= sizes[0] && !slices.Contains(free[:i], free[i]) {
			free[i] -= sizes[0]
			best = max(best, exhaustive(sizes[1:], free))
			free[i] += sizes[0]
		}
	}

	return best
}

func TestSmallFleetsArePlacedAsWellAsBySearchingExhaustively(t *testing.T) {
	const cases = 1000

	equal, fitting, worst := 0, 0, 0

	for seed := range uint64(cases) {
		fleet := smallFleet(rand.New(rand.NewPCG(seed, 5)))

		var sizes, free []int

		for _, machine := range fleet.Machines {
			sizes = append(sizes, machine.VCPUs/2)
		}

		for _, host := range fleet.Hosts {
			for _, node := range host.Nodes {
				free = append(free, len(node.Cores))
			}
		}

		want := exhaustive(sizes, free)

		result, err := Plan(fleet)
		if (err == nil) != (want >= 0) {
			t.Fatalf("seed %d: by searching %d cores stay free, and the plan says %v", seed, want, err)
		}

		if err != nil {
			equal++

			continue
		}

		fitting++

		got := 0
		for _, host := range Free(fleet, result) {
			for _, cores := range host.Cores {
				got = max(got, cores)
			}
		}

		if got == want {
			equal++
		}

		worst = max(worst, want-got)
	}

	t.Logf("%d of %d are equal, at worst %d cores less; %d fit", equal, cases, worst, fitting)

	if equal < cases*95/100 || worst > 1 || fitting < cases/3 {
		t.Errorf("%d of %d are equal, at worst %d cores less; %d fit", equal, cases, worst, fitting)
	}
}

// mix draws the vCPUs of a machine.
type mix func(random *rand.Rand) int

// usual are 2, 4, 8 or 16 vCPUs at 60, 25, 10 and 5 %.
func usual(random *rand.Rand) int {
	switch percent := random.IntN(100); {
	case percent < 60:
		return 2
	case percent < 85:
		return 4
	case percent < 95:
		return 8
	default:
		return 16
	}
}

// large are the usual ones with 10 % of 24 or 28.
func large(random *rand.Rand) int {
	if random.IntN(10) == 0 {
		return []int{24, 28}[random.IntN(2)]
	}

	return usual(random)
}

// odd are the usual ones, give or take a few.
func odd(random *rand.Rand) int {
	return max(1, usual(random)+random.IntN(5)-2)
}

// arrivals draws machines until one more would not fit on so many cores, however they were placed.
func arrivals(random *rand.Rand, draw mix, cores int) []Machine {
	var machines []Machine

	for {
		vcpus := draw(random)
		if cores -= (vcpus + 1) / 2; cores < 0 {
			return machines
		}

		machines = append(machines, Machine{Name: fmt.Sprintf("vm-%04d", len(machines)), VCPUs: vcpus, Memory: uint64(vcpus) * 2 * gib})
	}
}

// packFirstFit is how Nova packs: the first host that has room, and on it the node with the fewest free cores. It returns how
// many machines are placed before the first is refused.
func packFirstFit(machines []Machine, hosts, cores int) int {
	free := make([]int, 2*hosts)
	for i := range free {
		free[i] = cores
	}

	for placed, machine := range machines {
		size, at := (machine.VCPUs+1)/2, -1

		for i := 0; i < len(free) && at < 0; i += 2 {
			for _, node := range []int{i, i + 1} {
				if free[node] >= size && (at < 0 || free[node] < free[at]) {
					at = node
				}
			}
		}

		if at < 0 {
			return placed
		}

		free[at] -= size
	}

	return len(machines)
}

// oneByOne plans machines as they come and returns how many are placed before the first is refused.
func oneByOne(t *testing.T, hosts []Host, machines []Machine) int {
	t.Helper()

	fleet := Fleet{Hosts: hosts}

	for placed := range machines {
		fleet.Machines = machines[:placed+1]

		result, err := Plan(fleet)
		if err != nil {
			return placed
		}

		fleet.Held = result.Assignments
	}

	return len(machines)
}

func coresOf(machines []Machine) int {
	total := 0
	for _, machine := range machines {
		total += (machine.VCPUs + 1) / 2
	}

	return total
}

func TestFleetsReachTheBoundAndStayAheadOfFirstFit(t *testing.T) {
	const hosts, seeds = 20, 7

	for _, test := range []struct {
		name  string
		draw  mix
		build func(name string) Host
		cores int
	}{
		{"usual", usual, server, 16},
		{"usual, reserved", usual, func(name string) Host { return reserved(server(name)) }, 15},
		{"large", large, server, 16},
		{"large, reserved", large, func(name string) Host { return reserved(server(name)) }, 15},
		{"odd", odd, server, 16},
		{"odd, reserved", odd, func(name string) Host { return reserved(server(name)) }, 15},
	} {
		t.Run(test.name, func(t *testing.T) {
			var ours, theirs []int

			reached, behind := 0, 0

			for seed := range uint64(seeds) {
				fleet := Fleet{Hosts: many(hosts, test.build), Machines: arrivals(rand.New(rand.NewPCG(seed, 6)), test.draw, 2*hosts*test.cores)}

				if _, err := Plan(fleet); err != nil {
					t.Errorf("seed %d: as a whole the fleet does not fit: %v", seed, err)
				}

				placed, first := oneByOne(t, fleet.Hosts, fleet.Machines), packFirstFit(fleet.Machines, hosts, test.cores)
				ours, theirs = append(ours, coresOf(fleet.Machines[:placed])), append(theirs, coresOf(fleet.Machines[:first]))

				if placed == len(fleet.Machines) {
					reached++
				}

				if placed < first {
					behind++
				}
			}

			slices.Sort(ours)
			slices.Sort(theirs)
			t.Logf("one by one %d of %d seeds reach the bound; %d of them behind first fit; median %d, worst %d of %d cores (first fit %d, %d)",
				reached, seeds, behind, ours[seeds/2], ours[0], 2*hosts*test.cores, theirs[seeds/2], theirs[0])

			if ours[seeds/2] < theirs[seeds/2] || ours[0] < theirs[0] {
				t.Errorf("one by one the cores in use are %v, and by first fit %v", ours, theirs)
			}
		})
	}
}

func TestSpreadingOverHostsDoesNotSplitTheirNodes(t *testing.T) {
	fleet := Fleet{Hosts: many(4, small), Groups: map[string]Group{"web": {Spread: SpreadEvenly}}}
	for i := range 16 {
		fleet.Machines = append(fleet.Machines, Machine{Name: fmt.Sprintf("vm-%02d", i), VCPUs: 2, Memory: gib, Group: "web"})
	}

	free := map[string]map[int]int{}
	for name, host := range Free(fleet, mustPlan(t, fleet)) {
		free[name] = host.Cores
	}

	full := map[int]int{0: 0, 1: 4}
	if diff := cmp.Diff(map[string]map[int]int{"host-000": full, "host-001": full, "host-002": full, "host-003": full}, free); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
