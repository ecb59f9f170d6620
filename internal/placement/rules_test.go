package placement

import (
	"fmt"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
)

// mustPlan plans a fleet that must fit.
func mustPlan(t *testing.T, fleet Fleet) Result {
	t.Helper()

	result, err := Plan(fleet)
	if err != nil {
		t.Fatal(err)
	}

	verify(t, fleet, result)

	return result
}

// small is a host with two nodes of four cores with two threads: cores 0 to 3 are CPUs 0 to 3 with 8 to 11, cores 4 to 7 are
// CPUs 4 to 7 with 12 to 15. Nothing is reserved.
func small(name string) Host { return Host{Name: name, Nodes: hardware(2, 4, 2, 16*gib)} }

func vm(name string, vcpus int) Machine { return Machine{Name: name, VCPUs: vcpus, Memory: gib} }

func TestMachinesGetTheCPUsThatTheRulesSay(t *testing.T) {
	hybrid := Host{Name: "alpha", Nodes: []topology.Node{{Memory: 16 * gib, Cores: []topology.Core{
		{Threads: topology.NewCPUSet(0)}, {Threads: topology.NewCPUSet(1, 2)}, {Threads: topology.NewCPUSet(3, 4)},
	}}}}
	taken := small("alpha")
	taken.Taken = topology.NewCPUSet(0, 4)
	half := small("alpha")
	half.Reserved = topology.NewCPUSet(0)
	single := vm("a", 1)
	single.Threads = true
	triple := vm("b", 3)
	triple.Threads = true

	for name, test := range map[string]struct {
		host     Host
		machines []Machine
		want     map[string][]int
	}{
		"siblings stand side by side":                  {small("alpha"), []Machine{vm("a", 4)}, map[string][]int{"a": {0, 8, 1, 9}}},
		"an odd machine leaves a sibling unused":       {small("alpha"), []Machine{vm("a", 3), vm("b", 1)}, map[string][]int{"a": {0, 8, 1}, "b": {2}}},
		"the fullest node that holds it":               {small("alpha"), []Machine{vm("a", 6), vm("b", 2), vm("c", 8)}, map[string][]int{"a": {4, 12, 5, 13, 6, 14}, "b": {7, 15}, "c": {0, 8, 1, 9, 2, 10, 3, 11}}},
		"two nodes for what is wider than one":         {small("alpha"), []Machine{vm("a", 10)}, map[string][]int{"a": {0, 8, 1, 9, 2, 10, 3, 11, 4, 12}}},
		"the reserve is the shared pool's":             {reserved(small("alpha")), []Machine{vm("a", 2), vm("b", 6)}, map[string][]int{"a": {5, 13}, "b": {1, 9, 2, 10, 3, 11}}},
		"without threads one core is one CPU":          {Host{Name: "alpha", Nodes: hardware(1, 4, 1, 16*gib)}, []Machine{vm("a", 3)}, map[string][]int{"a": {0, 1, 2}}},
		"single threads share a core":                  {small("alpha"), []Machine{single, triple}, map[string][]int{"a": {0}, "b": {8, 1, 9}}},
		"single threads and whole cores stay apart":    {small("alpha"), []Machine{single, vm("c", 1)}, map[string][]int{"a": {1}, "c": {0}}},
		"cores of others are left alone":               {taken, []Machine{single, vm("c", 6)}, map[string][]int{"a": {5}, "c": {1, 9, 2, 10, 3, 11}}},
		"half a reserved core is for single threads":   {half, []Machine{single, vm("c", 6)}, map[string][]int{"a": {8}, "c": {1, 9, 2, 10, 3, 11}}},
		"of cores that differ those that leave least":  {hybrid, []Machine{vm("a", 3)}, map[string][]int{"a": {1, 2, 0}}},
		"of cores that differ the widest for the most": {hybrid, []Machine{vm("a", 5)}, map[string][]int{"a": {1, 2, 3, 4, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			result := mustPlan(t, Fleet{Hosts: []Host{test.host}, Machines: test.machines})

			got := map[string][]int{}
			for name, a := range result.Assignments {
				got[name] = a.Pins
			}

			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestMachinesGetTheHostsThatTheRulesSay(t *testing.T) {
	pair := []Host{small("beta"), small("alpha")}
	group := func(name string, vcpus int) Machine {
		machine := vm(name, vcpus)
		machine.Group = "web"

		return machine
	}
	draining := small("alpha")
	draining.Draining = true
	wide := Host{Name: "gamma", Nodes: hardware(1, 16, 2, 16*gib)}

	for name, test := range map[string]struct {
		hosts    []Host
		group    Group
		machines []Machine
		want     map[string]string
	}{
		"ties break by name":                     {pair, Group{}, []Machine{vm("a", 2)}, map[string]string{"a": "alpha"}},
		"the fullest host that holds them":       {pair, Group{}, []Machine{vm("a", 8), vm("b", 2), vm("c", 2)}, map[string]string{"a": "alpha", "b": "alpha", "c": "alpha"}},
		"no two on one host":                     {pair, Group{Spread: SpreadHosts}, []Machine{group("a", 2), group("b", 2)}, map[string]string{"a": "alpha", "b": "beta"}},
		"evenly":                                 {pair, Group{Spread: SpreadEvenly}, []Machine{group("a", 2), group("b", 2), group("c", 2), group("d", 2)}, map[string]string{"a": "alpha", "b": "beta", "c": "alpha", "d": "beta"}},
		"evenly as far as there is room":         {pair, Group{Spread: SpreadEvenly}, []Machine{vm("x", 14), group("a", 2), group("b", 2), group("c", 2)}, map[string]string{"x": "alpha", "a": "alpha", "b": "beta", "c": "beta"}},
		"together where there is room for all":   {pair, Group{Together: true}, []Machine{vm("x", 8), group("a", 6), group("b", 6)}, map[string]string{"x": "beta", "a": "alpha", "b": "alpha"}},
		"not on hosts that it avoids":            {pair, Group{Avoid: []string{"alpha"}}, []Machine{group("a", 2), vm("x", 2)}, map[string]string{"a": "beta", "x": "beta"}},
		"not on a host that drains":              {[]Host{draining, pair[0]}, Group{}, []Machine{vm("a", 2)}, map[string]string{"a": "beta"}},
		"one node is better than two":            {[]Host{pair[0], wide}, Group{}, []Machine{vm("a", 10)}, map[string]string{"a": "gamma"}},
		"two nodes where no node is wide enough": {[]Host{pair[0], wide}, Group{}, []Machine{vm("x", 30), vm("a", 10)}, map[string]string{"x": "gamma", "a": "beta"}},
	} {
		t.Run(name, func(t *testing.T) {
			result := mustPlan(t, Fleet{Hosts: test.hosts, Groups: map[string]Group{"web": test.group}, Machines: test.machines})

			got := map[string]string{}
			for name, a := range result.Assignments {
				got[name] = a.Host
			}

			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestMemoryComesFromTheNodesOfTheCPUs(t *testing.T) {
	paged := small("alpha")
	for i := range paged.Nodes {
		paged.Nodes[i].Pages = []topology.Page{{Size: 2 << 20, Count: 4096}}
	}

	kept := small("alpha")
	kept.ReservedMemory = 8 * gib

	for name, test := range map[string]struct {
		host    Host
		machine Machine
		want    Assignment
	}{
		"on one node":                        {small("alpha"), Machine{VCPUs: 2, Memory: 16 * gib}, Assignment{Nodes: []int{0}, Memory: map[int]uint64{0: 16 * gib}}},
		"in proportion to the vCPUs":         {small("alpha"), Machine{VCPUs: 12, Memory: 12 * gib}, Assignment{Nodes: []int{0, 1}, Memory: map[int]uint64{0: 8 * gib, 1: 4 * gib}}},
		"on a further node if one is small":  {small("alpha"), Machine{VCPUs: 2, Memory: 20 * gib}, Assignment{Nodes: []int{0, 1}, Memory: map[int]uint64{0: 16 * gib, 1: 4 * gib}}},
		"beside what the host keeps":         {kept, Machine{VCPUs: 2, Memory: 13 * gib}, Assignment{Nodes: []int{0, 1}, Memory: map[int]uint64{0: 12 * gib, 1: gib}}},
		"in huge pages, rounded up":          {paged, Machine{VCPUs: 2, Memory: 3<<20 + 1, PageSize: 2 << 20}, Assignment{Nodes: []int{0}, Pages: map[int]uint64{0: 2}}},
		"in huge pages of two nodes":         {paged, Machine{VCPUs: 2, Memory: 10 * gib, PageSize: 2 << 20}, Assignment{Nodes: []int{0, 1}, Pages: map[int]uint64{0: 4096, 1: 1024}}},
		"beside what is set aside for pages": {paged, Machine{VCPUs: 2, Memory: 9 * gib}, Assignment{Nodes: []int{0, 1}, Memory: map[int]uint64{0: 8 * gib, 1: gib}}},
	} {
		t.Run(name, func(t *testing.T) {
			test.machine.Name = "a"
			got := mustPlan(t, Fleet{Hosts: []Host{test.host}, Machines: []Machine{test.machine}}).Assignments["a"]

			if diff := cmp.Diff(test.want, Assignment{Nodes: got.Nodes, Memory: got.Memory, Pages: got.Pages}); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestServerOf64ThreadsIsFilledExactly(t *testing.T) {
	for _, test := range []struct {
		host Host
		fit  int
	}{{server("alpha"), 32}, {reserved(server("alpha")), 30}} {
		fleet := Fleet{Hosts: []Host{test.host}}
		for i := range test.fit {
			fleet.Machines = append(fleet.Machines, Machine{Name: fmt.Sprintf("vm-%02d", i), VCPUs: 2, Memory: 4 * gib})
		}

		for name, a := range mustPlan(t, fleet).Assignments {
			if a.Pins[1] != a.Pins[0]+32 {
				t.Errorf("%s is on CPUs %v, which are not one core", name, a.Pins)
			}
		}

		fleet.Machines = append(fleet.Machines, vm("more", 1))
		if result, err := Plan(fleet); err == nil {
			t.Errorf("%d machines fit and one more as well: %v", test.fit, result.Assignments["more"])
		}
	}
}

func TestDefaultReserveIsTheFirstCoreOfEveryNode(t *testing.T) {
	nodes := hardware(2, 16, 2, 0)
	nodes = append(nodes, topology.Node{ID: 2, Memory: gib}) // memory only

	if got := DefaultReserved(nodes).String(); got != "0,16,32,48" {
		t.Errorf("the reserve is %q", got)
	}
}

func TestFreeSaysWhatIsLeftNowAndAfterALoss(t *testing.T) {
	draining := small("gamma")
	draining.Draining = true
	fleet := Fleet{Hosts: []Host{small("alpha"), small("beta"), draining}, Machines: []Machine{vm("a", 8), vm("b", 6), vm("c", 8), vm("d", 3)}}

	want := map[string]HostFree{
		"alpha": {Cores: map[int]int{0: 0, 1: 0}, Largest: 0, IfLost: 3, Homeless: []string{"a", "c"}},
		"beta":  {Cores: map[int]int{0: 1, 1: 2}, Largest: 4, IfLost: 0, Homeless: []string{"b", "d"}},
		"gamma": {Cores: map[int]int{0: 4, 1: 4}, Largest: 0, IfLost: 3},
	}
	if diff := cmp.Diff(want, Free(fleet, mustPlan(t, fleet))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
