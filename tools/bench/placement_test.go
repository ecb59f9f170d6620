package main

import (
	"math/rand/v2"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/placement"
)

func TestFleetsFillTheirHostsUpToOneMachine(t *testing.T) {
	for _, kind := range kinds {
		for seed := range uint64(5) {
			fleet := kind.fleet(rand.New(rand.NewPCG(seed, 1)))

			if used, all := cores(fleet.Machines), kind.cores(); used > all || used < all-14 {
				t.Errorf("%s: machines take %d of %d cores", kind.name, used, all)
			}
		}
	}
}

func TestPackingCountsMachinesUpToTheFirstRefusal(t *testing.T) {
	fleet := placement.Fleet{Hosts: servers(1, reservedServer), Groups: ungrouped}
	for i, vcpus := range []int{12, 12, 18, 18, 2} { // on two nodes of 15 cores
		fleet.Machines = append(fleet.Machines, machine(i, vcpus))
	}

	// One by one the second machine is beside the first, and neither node has nine cores left for the fourth.
	if whole, single := together(fleet), oneByOne(fleet); whole != 4 || single != 3 {
		t.Errorf("as a whole %d machines fit, one by one %d", whole, single)
	}
}

func TestKindsHaveTheCoresThatMachinesMayHave(t *testing.T) {
	for _, kind := range kinds[:4] {
		want := packingHosts * 32
		if kind.host("").Reserved.Len() > 0 {
			want = packingHosts * 30
		}

		if got := kind.cores(); got != want {
			t.Errorf("%s: %d cores, want %d", kind.name, got, want)
		}
	}
}
