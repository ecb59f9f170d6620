package placement

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	gocmp "github.com/google/go-cmp/cmp"
)

// disturb changes what the fleet's hosts offer.
func disturb(random *rand.Rand, fleet Fleet) Fleet {
	fleet.Hosts = slices.Clone(fleet.Hosts)

	switch host := &fleet.Hosts[random.IntN(len(fleet.Hosts))]; random.IntN(4) {
	case 0:
		host.Draining = true
	case 1:
		host.Reserved = host.Reserved.Union(topology.NewCPUSet(0, 1))
	case 2:
		host.Taken = host.Taken.Union(topology.NewCPUSet(2, 3))
	case 3:
		fleet.Hosts = slices.DeleteFunc(fleet.Hosts, func(other Host) bool { return other.Name == host.Name && host.Name != "host-1" })
	}

	return fleet
}

func TestOnlyMachinesThatMustMoveDo(t *testing.T) {
	moves := 0

	for seed := range uint64(1200) {
		random := rand.New(rand.NewPCG(seed, 7))
		fleet := drawFleet(random, 4, 1+random.IntN(14))

		before, err := Plan(fleet)
		if err != nil {
			continue
		}

		fleet = disturb(random, fleet)
		fleet.Held, fleet.MayMove = before.Assignments, true

		after, err := Plan(fleet)
		if err != nil {
			continue
		}

		verify(t, fleet, after)

		for _, move := range after.Moves {
			moves++

			if move.Reason == "" || move.Reason == "the fleet is planned anew" {
				t.Errorf("seed %d: %s moves without a reason", seed, move.Machine)
			}
		}

		// A machine that did not move is exactly where it was, but for the pool that its emulator is in.
		for name, now := range after.Assignments {
			was := before.Assignments[name]
			was.Emulator, now.Emulator = topology.CPUSet{}, topology.CPUSet{}

			if named := slices.ContainsFunc(after.Moves, func(move Move) bool { return move.Machine == name }); named == gocmp.Equal(was, now) {
				t.Errorf("seed %d: that %s moves is said: %t; from %v to %v", seed, name, named, was, now)
			}
		}
	}

	if moves < 200 {
		t.Errorf("only %d machines had to move", moves)
	}
}

func TestMachinesAreSpreadAsEvenlyAsThereIsRoom(t *testing.T) {
	for seed := range uint64(250) {
		random := rand.New(rand.NewPCG(seed, 8))
		fleet := Fleet{Groups: map[string]Group{"web": {Spread: SpreadEvenly}}}

		for i := range 2 + random.IntN(4) {
			fleet.Hosts = append(fleet.Hosts, drawHost(random, fmt.Sprintf("host-%d", i)))
		}

		for i := range 1 + random.IntN(16) {
			fleet.Machines = append(fleet.Machines, Machine{Name: fmt.Sprintf("vm-%02d", i), VCPUs: 2 * (1 + i%3), Memory: gib / 16, Group: []string{"web", "web", "", ""}[i%4]})
		}

		result, err := Plan(fleet)
		if err != nil {
			continue
		}

		counts, smallest := map[string]int{}, map[string]int{}

		for _, machine := range fleet.Machines {
			if host := result.Assignments[machine.Name].Host; machine.Group == "web" {
				counts[host]++
				smallest[host] = min(machine.VCPUs, cmp.Or(smallest[host], machine.VCPUs))
			}
		}

		free := Free(fleet, result)

		for _, host := range fleet.Hosts {
			for _, other := range fleet.Hosts {
				if counts[host.Name] > counts[other.Name]+1 && free[other.Name].Largest >= smallest[host.Name] {
					t.Errorf("seed %d: %s has %d machines, and %s, which could take one, %d", seed, host.Name, counts[host.Name], other.Name, counts[other.Name])
				}
			}
		}
	}
}
