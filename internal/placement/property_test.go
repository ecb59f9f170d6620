package placement

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
)

// drawHost makes one of several kinds of hosts, some of them odd.
func drawHost(random *rand.Rand, name string) Host {
	nodes := 1 + random.IntN(3)
	host := Host{Name: name, Nodes: hardware(nodes, 2+random.IntN(6), 1+random.IntN(2), uint64(8+random.IntN(24))*gib)}

	switch random.IntN(5) {
	case 0:
		host = reserved(host)
	case 1:
		host.Reserved = topology.NewCPUSet(0)
		host.ReservedMemory = 3 * gib
	case 2:
		host.Taken = topology.NewCPUSet(1, 2)
	case 3: // cores that differ
		node := &host.Nodes[0]
		node.Cores[0].Threads = topology.NewCPUSet(append(node.Cores[0].Threads.CPUs(), 200, 201)...)
	}

	if random.IntN(3) == 0 {
		for i := range host.Nodes {
			host.Nodes[i].Pages = []topology.Page{{Size: 2 << 20, Count: uint64(1000 + random.IntN(1000))}}
		}
	}

	return host
}

func drawMachine(random *rand.Rand, name string) Machine {
	machine := Machine{
		Name: name, VCPUs: []int{1, 1, 2, 2, 3, 4, 6, 9}[random.IntN(8)], Memory: uint64(1+random.IntN(6)) * gib / 2,
		Threads: random.IntN(4) == 0, Group: []string{"", "", "even", "apart", "close", "safe"}[random.IntN(6)],
	}

	if random.IntN(6) == 0 {
		machine.PageSize = 2 << 20
	}

	return machine
}

func drawFleet(random *rand.Rand, hosts, machines int) Fleet {
	fleet := Fleet{Groups: map[string]Group{
		"even": {Spread: SpreadEvenly}, "apart": {Spread: SpreadHosts}, "close": {Together: true}, "safe": {Survives: true, Avoid: []string{"host-1"}},
	}}

	for i := range hosts {
		fleet.Hosts = append(fleet.Hosts, drawHost(random, fmt.Sprintf("host-%d", i)))
	}

	for i := range machines {
		fleet.Machines = append(fleet.Machines, drawMachine(random, fmt.Sprintf("vm-%02d", i)))
	}

	return fleet
}

func TestEveryPlacementKeepsTheRules(t *testing.T) {
	placed := 0

	for seed := range uint64(900) {
		random := rand.New(rand.NewPCG(seed, 1))
		fleet := drawFleet(random, 3+random.IntN(4), 1+random.IntN(16))

		result, err := Plan(fleet)
		if err != nil {
			continue
		}

		placed++

		verify(t, fleet, result)

		if lost := Survivors(fleet, result); len(lost) > 0 {
			t.Errorf("would not survive: %v", lost)
		}

		if len(result.Moves) > 0 {
			t.Errorf("new machines move: %v", result.Moves)
		}

		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}

	if placed < 300 {
		t.Errorf("only %d of 900 fleets fit: that shows little", placed)
	}
}

func TestPlanOfWhatHoldsChangesNothing(t *testing.T) {
	for seed := range uint64(600) {
		random := rand.New(rand.NewPCG(seed, 2))
		fleet := drawFleet(random, 3, 1+random.IntN(14))

		first, err := Plan(fleet)
		if err != nil {
			continue
		}

		fleet.Held = first.Assignments

		second, err := Plan(fleet)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}

		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatalf("seed %d (-first +second):\n%s", seed, diff)
		}
	}
}

func TestAnswerDoesNotDependOnTheOrderOfTheInput(t *testing.T) {
	for seed := range uint64(120) {
		random := rand.New(rand.NewPCG(seed, 3))
		fleet := drawFleet(random, 4, 1+random.IntN(20))

		want, wantErr := Plan(fleet)

		for range 3 {
			shuffled := fleet
			shuffled.Hosts, shuffled.Machines = slices.Clone(fleet.Hosts), slices.Clone(fleet.Machines)
			random.Shuffle(len(shuffled.Hosts), func(i, k int) {
				shuffled.Hosts[i], shuffled.Hosts[k] = shuffled.Hosts[k], shuffled.Hosts[i]
			})
			random.Shuffle(len(shuffled.Machines), func(i, k int) {
				shuffled.Machines[i], shuffled.Machines[k] = shuffled.Machines[k], shuffled.Machines[i]
			})

			got, err := Plan(shuffled)
			if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Fatalf("seed %d: %v and then %v (-want +got):\n%s", seed, wantErr, err, diff)
			}
		}
	}
}

func TestNoOtherMachineMovesOverTenThousandEdits(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	fleet := drawFleet(random, 6, 0)
	fleet.Held = map[string]Assignment{}
	done := map[string]int{}

	for edit := range 10_000 {
		kind, edited, next := editOne(random, fleet, edit)

		result, err := Plan(next)
		if err != nil {
			if _, refused := errors.AsType[*Refusal](err); !refused {
				t.Fatalf("edit %d: %v", edit, err)
			}

			done["refused"]++

			continue
		}

		for name, now := range result.Assignments {
			if before, held := fleet.Held[name]; held && name != edited && !cmp.Equal(before, now) {
				t.Fatalf("edit %d, to %s %s, moved %s from %v to %v", edit, kind, edited, name, before, now)
			}
		}

		if before, held := fleet.Held[edited]; held && kind != "remove" && moved(before, result.Assignments[edited]) {
			t.Fatalf("edit %d, to %s %s, moved it", edit, kind, edited)
		}

		if edit%50 == 0 {
			verify(t, next, result)
		}

		done[kind]++
		fleet = next
		fleet.Held = result.Assignments
	}

	for _, kind := range []string{"add", "remove", "resize"} {
		if done[kind] < 500 {
			t.Errorf("only %d edits were to %s", done[kind], kind)
		}
	}
}

// enough is the number of machines around which a fleet that is edited stays: most of its hosts' CPUs are in use.
const enough = 20

// editOne adds, removes or resizes one machine.
func editOne(random *rand.Rand, fleet Fleet, number int) (kind, name string, next Fleet) {
	next = fleet
	next.Machines = slices.Clone(fleet.Machines)

	if random.IntN(2*enough) >= len(next.Machines) {
		machine := drawMachine(random, fmt.Sprintf("vm-%05d", number))
		next.Machines = append(next.Machines, machine)

		return "add", machine.Name, next
	}

	at := random.IntN(len(next.Machines))
	name = next.Machines[at].Name

	if random.IntN(3) == 0 {
		next.Machines = slices.Delete(next.Machines, at, at+1)
		next.Held = maps.Clone(fleet.Held)
		delete(next.Held, name)

		return "remove", name, next
	}

	next.Machines[at].VCPUs = 1 + random.IntN(8)
	next.Machines[at].Memory = uint64(1+random.IntN(6)) * gib / 2

	return "resize", name, next
}
