package placement

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
)

func TestResizedMachineKeepsTheCPUsThatItStillNeeds(t *testing.T) {
	for name, test := range map[string]struct {
		held   []int
		vcpus  int
		memory uint64
		want   []int
	}{
		"unchanged":                        {[]int{5, 13}, 2, gib, []int{5, 13}},
		"more":                             {[]int{5, 13}, 4, gib, []int{5, 13, 4, 12}},
		"more, first of its own cores":     {[]int{5, 13, 6}, 4, gib, []int{5, 13, 6, 14}},
		"more than its node has":           {[]int{5, 13}, 10, gib, []int{5, 13, 4, 12, 6, 14, 7, 15, 0, 8}},
		"fewer":                            {[]int{5, 13, 6, 14}, 2, gib, []int{5, 13}},
		"more memory":                      {[]int{5, 13}, 2, 16 * gib, []int{5, 13}},
		"more memory than its node has":    {[]int{5, 13}, 2, 20 * gib, []int{5, 13}},
		"an order of its own":              {[]int{14, 6, 5}, 4, gib, []int{14, 6, 5, 13}},
		"cores of which it has one thread": {[]int{4, 5, 6}, 5, gib, []int{4, 5, 6, 12, 13}},
	} {
		t.Run(name, func(t *testing.T) {
			result := mustPlan(t, Fleet{
				Hosts:    []Host{small("alpha"), small("beta")},
				Machines: []Machine{{Name: "a", VCPUs: test.vcpus, Memory: test.memory}, vm("b", 1)},
				Held: map[string]Assignment{
					"a": {Host: "beta", Pins: test.held, Nodes: []int{1}, Memory: map[int]uint64{1: gib}},
					"b": {Host: "beta", Pins: []int{3}, Nodes: []int{0}},
				},
			})

			if diff := cmp.Diff(test.want, result.Assignments["a"].Pins); diff != "" || result.Assignments["a"].Host != "beta" || len(result.Moves) > 0 {
				t.Errorf("%v, moves %v, -want +got:\n%s", result.Assignments["a"], result.Moves, diff)
			}
		})
	}
}

func TestPlaceThatIsNoLongerValidIsRefusedOrLeft(t *testing.T) {
	beta := small("beta")
	beta.Reserved = topology.NewCPUSet(0, 8)
	beta.Taken = topology.NewCPUSet(1)
	group := Machine{Name: "a", VCPUs: 2, Memory: gib, Group: "web"}
	member := Machine{Name: "b", VCPUs: 2, Memory: gib, Group: "web"}
	on := func(host string, cpus ...int) Assignment { return Assignment{Host: host, Pins: cpus} }
	none := Group{}

	for reason, test := range map[string]struct {
		group Group
		a     Machine
		held  Assignment
	}{
		"host gamma is not among the hosts any more":                     {none, group, on("gamma", 2, 10)},
		"beta has no CPU 99":                                             {none, group, on("beta", 2, 99)},
		"two of its vCPUs are on CPU 2":                                  {none, group, on("beta", 2, 2)},
		"CPU 0 of beta is reserved":                                      {none, group, on("beta", 0, 8)},
		"CPU 1 of beta is pinned by a machine that is not of this fleet": {none, group, on("beta", 1, 9)},
		"CPU 9 of beta is on one core with a CPU that is pinned by a machine that is not of this fleet": {none, group, on("beta", 9, 2)},
		"beta: group web keeps off it":                      {Group{Avoid: []string{"beta"}}, group, on("beta", 2, 10)},
		"node 0 of beta has not the memory for it any more": {none, Machine{Name: "a", VCPUs: 2, Memory: 17 * gib, Group: "web"}, Assignment{Host: "beta", Pins: []int{2, 10}, Nodes: []int{0}, Memory: map[int]uint64{0: 17 * gib}}},
	} {
		t.Run(reason, func(t *testing.T) {
			fleet := Fleet{
				Hosts: []Host{small("alpha"), beta}, Machines: []Machine{test.a, member}, Groups: map[string]Group{"web": test.group},
				Held: map[string]Assignment{"a": test.held, "b": on("alpha", 7, 15)},
			}

			_, err := Plan(fleet)
			want := "Unable to place VM \"a\"\nIts place is no longer valid: " + reason + ".\nLet machines move, or undo the change."

			if err == nil || err.Error() != want {
				t.Errorf("the refusal is %q, want %q", err, want)
			}

			fleet.MayMove = true
			result := mustPlan(t, fleet)

			if len(result.Moves) != 1 || result.Moves[0].Machine != "a" || result.Moves[0].Reason != reason {
				t.Errorf("the moves are %v", result.Moves)
			}
		})
	}
}

func TestOfTwoMachinesOnOneCoreTheSecondByNameIsRefused(t *testing.T) {
	single := vm("b", 1)
	single.Threads = true

	for want, test := range map[string]struct {
		b    Machine
		pins []int
	}{
		"CPU 2 of alpha is a's as well":                  {vm("b", 1), []int{2}},
		"CPU 10 of alpha is on one core with a CPU of a": {single, []int{10}},
	} {
		_, err := Plan(Fleet{
			Hosts: []Host{small("alpha")}, Machines: []Machine{test.b, vm("a", 1)},
			Held: map[string]Assignment{"a": {Host: "alpha", Pins: []int{2}}, "b": {Host: "alpha", Pins: test.pins}},
		})

		refusal, refused := errors.AsType[*Refusal](err)
		if !refused || len(refusal.Refused) != 1 || refusal.Refused[0].Name != "b" || !strings.Contains(refusal.Error(), want) {
			t.Errorf("the refusal is %v, want %q", err, want)
		}
	}
}

func TestGrownMachineMovesOnlyIfItMay(t *testing.T) {
	fleet := Fleet{
		Hosts: []Host{small("alpha"), small("beta")}, Machines: []Machine{vm("a", 6), vm("b", 4)},
		Held: map[string]Assignment{
			"a": {Host: "beta", Pins: []int{0, 8, 1, 9}, Nodes: []int{0}, Memory: map[int]uint64{0: gib}},
			"b": {Host: "beta", Pins: []int{2, 10, 3, 11}, Nodes: []int{0}, Memory: map[int]uint64{0: gib}},
		},
	}

	_, err := Plan(fleet)
	if want := "Unable to place VM \"a\"\nIt does not fit where it is any more, and it may not move:\n" +
		"  beta: has room on other CPUs than its own only\nLet machines move, or undo the change."; err == nil || err.Error() != want {
		t.Errorf("the refusal is %v, want %s", err, want)
	}

	fleet.MayMove = true
	result := mustPlan(t, fleet)

	if len(result.Moves) != 1 || result.Moves[0].To.Host != "beta" || result.Moves[0].Reason != "it has outgrown its place on beta" {
		t.Errorf("the moves are %v", result.Moves)
	}

	if diff := cmp.Diff([]int{2, 10, 3, 11}, result.Assignments["b"].Pins); diff != "" {
		t.Errorf("the other machine moved:\n%s", diff)
	}
}

func TestDrainingHostSendsItsMachinesAway(t *testing.T) {
	fleet := Fleet{Hosts: []Host{small("alpha"), small("beta")}, Machines: []Machine{vm("a", 2), vm("b", 8), vm("c", 2)}}
	before := mustPlan(t, fleet)

	fleet.Held = before.Assignments
	fleet.Hosts[0].Draining = true
	result := mustPlan(t, fleet)

	var names []string

	for _, move := range result.Moves {
		names = append(names, move.Machine)

		if move.From.Host != "alpha" || move.To.Host != "beta" || move.Reason != "alpha is draining" {
			t.Errorf("the move is %v", move)
		}
	}

	if diff := cmp.Diff([]string{"a", "b", "c"}, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRebalanceForgetsWhatHolds(t *testing.T) {
	fleet := Fleet{
		Hosts: []Host{small("alpha"), small("beta")}, Machines: []Machine{vm("a", 2), vm("b", 2)},
		Held: map[string]Assignment{
			"a": {Host: "alpha", Pins: []int{0, 8}, Nodes: []int{0}, Memory: map[int]uint64{0: gib}},
			"b": {Host: "beta", Pins: []int{4, 12}, Nodes: []int{1}, Memory: map[int]uint64{1: gib}},
		},
	}

	if moves := mustPlan(t, fleet).Moves; len(moves) > 0 {
		t.Errorf("machines that are held move: %v", moves)
	}

	fleet.Rebalance = true
	result := mustPlan(t, fleet)

	if len(result.Moves) != 1 || result.Moves[0].Machine != "b" || result.Moves[0].To.Host != "alpha" || result.Moves[0].Reason != "the fleet is planned anew" {
		t.Errorf("the moves are %v", result.Moves)
	}
}

func TestRebalanceMovesNoMachineThatAnotherLikeItCanStandInFor(t *testing.T) {
	fleet := Fleet{Hosts: many(3, server)}
	for i := range 60 {
		fleet.Machines = append(fleet.Machines, vm(fmt.Sprintf("vm-%02d", i), 1+i%3))
	}

	// Machines that are alike have changed places since they were placed.
	before := mustPlan(t, fleet).Assignments
	fleet.Held = map[string]Assignment{}

	for i, machine := range fleet.Machines {
		fleet.Held[machine.Name] = before[fleet.Machines[(i+30)%60].Name]
	}

	fleet.Rebalance = true

	if moves := mustPlan(t, fleet).Moves; len(moves) > 0 {
		t.Errorf("%d machines move, %v first", len(moves), moves[0])
	}
}
