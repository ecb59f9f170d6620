package placement

import (
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
)

func TestRefusalSaysWhatEachHostLacksAndWhatHelps(t *testing.T) {
	draining := small("alpha")
	draining.Draining = true
	paged := small("beta")
	paged.Nodes[1].Pages = []topology.Page{{Size: 2 << 20, Count: 512}}
	in := func(group string, machine Machine) Machine {
		machine.Group = group

		return machine
	}
	with := func(memory, page uint64, machine Machine) Machine {
		machine.Memory, machine.PageSize = memory, page

		return machine
	}

	for name, test := range map[string]struct {
		hosts    []Host
		groups   map[string]Group
		machines []Machine
		want     string
	}{
		"cores": {[]Host{draining, small("beta")}, nil, []Machine{vm("x", 6), vm("y", 6), vm("web-1", 4), vm("web-2", 4)}, `Unable to place VM "web-1"
No host fits:
  alpha: draining
  beta: needs 2 cores on one node; node 0 has 1 free, node 1 has 1
The same holds for web-2.
Lower its vCPUs to 2, end the maintenance of alpha, or add a host.`},
		"memory": {[]Host{draining, small("beta")}, nil, []Machine{with(12*gib, 0, vm("a", 1)), with(10*gib, 0, vm("b", 1)), with(8*gib, 0, vm("web-1", 1))}, `Unable to place VM "web-1"
No host fits:
  alpha: draining
  beta: needs 8 GiB on one node; node 0 has 4 GiB free, node 1 has 6 GiB
Lower its memory to 6 GiB, end the maintenance of alpha, or add a host.`},
		"cores here and memory there": {[]Host{small("beta")}, nil, []Machine{vm("a", 8), with(8*gib, 0, vm("b", 4)), with(15*gib, 0, vm("web-1", 1))}, `Unable to place VM "web-1"
No host fits:
  beta: needs 1 core and 15 GiB on one node; node 0 has 0 cores and 15 GiB free, node 1 has 2 cores and 8 GiB
Lower its memory to 8 GiB or add a host.`},
		"huge pages": {[]Host{paged}, nil, []Machine{with(512<<20, 2<<20, vm("a", 1)), with(gib, 2<<20, vm("web-1", 1))}, `Unable to place VM "a"
No host fits:
  beta: needs 256 pages of 2 MiB on one node; node 0 has 0 free, node 1 has 0
Add a host.`},
		"a host that is too small": {[]Host{small("beta")}, nil, []Machine{vm("web-1", 40)}, `Unable to place VM "web-1"
No host fits:
  beta: too small: needs 20 cores; it has 8 cores in all
Lower its vCPUs to 16 or add a host.`},
		"more nodes": {[]Host{small("beta")}, nil, []Machine{vm("a", 10), vm("web-1", 10)}, `Unable to place VM "web-1"
No host fits:
  beta: needs 5 cores on 2 nodes; node 0 has 0 free, node 1 has 3
Lower its vCPUs to 6 or add a host.`},
		"spread": {[]Host{small("alpha"), small("beta")}, map[string]Group{"web": {Spread: SpreadHosts, Avoid: []string{"beta"}}}, []Machine{in("web", vm("a", 2)), in("web", vm("web-1", 1))}, `Unable to place VM "web-1"
No host fits:
  alpha: has a of group web, which is spread over hosts
  beta: group web keeps off it
Add a host.`},
		"together": {[]Host{small("alpha")}, map[string]Group{"web": {Together: true}}, []Machine{in("web", vm("a", 8)), in("web", vm("b", 8)), in("web", vm("c", 4))}, `Unable to place VM "a"
No host fits:
  alpha: has room for it, but not for all of group web
The same holds for b.
Let the group be on several hosts or add a host.

Unable to place VM "c"
No host fits:
  alpha: has room for it, but not for all of group web
Let the group be on several hosts or add a host.`},
		"no host": {nil, nil, []Machine{vm("a", 1)}, `Unable to place VM "a"
There is no host.
Add a host.`},
		"what makes no sense": {
			[]Host{small("alpha"), small("alpha")},
			map[string]Group{"both": {Together: true, Spread: SpreadHosts}, "odd": {Spread: "wide", Avoid: []string{"gamma"}}},
			[]Machine{vm("a", 0), vm("b", 1), vm("b", 1), in("db", vm("c", 1))},
			`Unable to place host "alpha"
Two hosts have this name.
Give each host a name of its own.

Unable to place group "both"
It is to be kept together and spread as well.
Choose one of the two.

Unable to place group "odd"
It avoids gamma, which is not one of the hosts.
Name hosts of this fleet.

Unable to place group "odd"
It is to be spread "wide".
Spread it "hosts" or "evenly", or not at all.

Unable to place VM "a"
It has 0 vCPUs.
Give it at least one vCPU.

Unable to place VM "b"
Two machines have this name.
Give each machine a name of its own.

Unable to place VM "c"
Its group "db" does not exist.
Declare the group, or name one that exists.`,
		},
		"survival": {[]Host{small("alpha"), small("beta")}, map[string]Group{"web": {Spread: SpreadHosts, Survives: true}}, []Machine{in("web", vm("web-1", 6)), in("web", vm("web-2", 6)), vm("x", 6)}, `Unable to place VM "web-2"
Group web is to survive the loss of any host. If beta was lost, no other host would fit:
  alpha: needs 3 cores on one node; node 0 has 1 free, node 1 has 1
  beta: lost
Add a host, make machines smaller, or let group web not survive the loss of a host.`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Plan(Fleet{Hosts: test.hosts, Groups: test.groups, Machines: test.machines})
			if err == nil {
				t.Fatal("it is placed")
			}

			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRefusalNamesTheMovesOfARebalanceThatHelps(t *testing.T) {
	_, err := Plan(Fleet{
		Hosts: []Host{{Name: "alpha", Nodes: hardware(2, 4, 2, 16*gib)}}, Machines: []Machine{vm("a", 2), vm("b", 2), vm("c", 8)},
		Held: map[string]Assignment{"a": {Host: "alpha", Pins: []int{0, 8}}, "b": {Host: "alpha", Pins: []int{4, 12}}},
	})

	const want = `Unable to place VM "c"
No host fits:
  alpha: needs 4 cores on one node; node 0 has 3 free, node 1 has 3
Lower its vCPUs to 6, let the fleet be rebalanced, which moves 1 machine, or add a host.`
	if err == nil || err.Error() != want {
		t.Errorf("the refusal is %v, want %s", err, want)
	}
}

func TestProtectedMachinesArePlacedWhereTheySurvive(t *testing.T) {
	fleet := Fleet{
		Hosts:  []Host{small("alpha"), small("beta"), small("gamma")},
		Groups: map[string]Group{"db": {Survives: true}, "close": {Together: true, Survives: true}},
	}

	for _, name := range []string{"a", "b", "c", "d"} {
		fleet.Machines = append(fleet.Machines, Machine{Name: name, VCPUs: 6, Memory: gib, Group: "db"})
	}

	result := mustPlan(t, fleet)
	if lost := Survivors(fleet, result); len(lost) > 0 {
		t.Errorf("would not survive: %v", lost)
	}

	fleet.Machines = append(fleet.Machines, Machine{Name: "e", VCPUs: 6, Memory: gib, Group: "close"})
	if _, err := Plan(fleet); err == nil {
		t.Error("five machines of most of a node each survive the loss of two of six nodes")
	}
}
