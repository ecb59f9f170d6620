package vm

import (
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
)

func TestRingsOfMachinesThatWaitForEachOtherAreSeenAndTheLeastGivesWay(t *testing.T) {
	for name, test := range map[string]struct {
		machines      string // "name:has>wants", without wants if it stays; a name is its UUID too
		leaving, ring string // who waits for machines that all leave; who is to give way
	}{
		"nobody in the way":        {"a:1>2 b:3", "a", ""},
		"two change places":        {"a:1>2 b:2>1", "a b", "a"},
		"three in a ring":          {"c:1>2 a:2>3 b:3>1", "a b c", "a"},
		"a chain":                  {"a:1>2 b:2>3 c:3>4", "a b c", ""},
		"a chain that does not go": {"a:1>2 b:2>3 c:3", "a", ""},
		"a chain into a ring":      {"a:1>2 b:2>3 c:3>2", "a b c", "b"},
		"two rings":                {"a:1>2 b:2>1 c:3>4 d:4>3", "a b c d", "a c"},
		"a ring through two CPUs":  {"a:1,2>3 b:3>1 c:4>2", "a b c", "a"},
		"held by one that stays":   {"a:1>2,3 b:2>1 c:3", "b", "a"},
	} {
		var leaving, ring []string

		machines := strings.Fields(test.machines)
		for _, machine := range machines {
			want, mine, others := alone(machine, machines)
			if want.Name == "" {
				continue
			}

			leaves, rings := ringOf(want, mine, others)
			if leaves {
				leaving = append(leaving, want.Name)
			}

			if rings {
				ring = append(ring, want.Name)
			}
		}

		sorted := func(names []string) string {
			slices.Sort(names)

			return strings.Join(names, " ")
		}

		if sorted(leaving) != test.leaving || sorted(ring) != test.ring {
			t.Errorf("%s: %q wait for machines that leave, %q give way; want %q and %q", name, sorted(leaving), sorted(ring), test.leaving, test.ring)
		}
	}
}

// alone reads a machine and what the others look like to it. The machine has no name if it wants nothing.
func alone(machine string, all []string) (want domainxml.Spec, mine claim, others []claim) {
	for _, text := range all {
		name, cpus, _ := strings.Cut(text, ":")
		has, wants, moves := strings.Cut(cpus, ">")
		held := claim{machine: name, vcpus: set(has), exclusive: true}

		switch {
		case text != machine && moves:
			others = append(others, held, claim{machine: name, vcpus: set(wants), exclusive: true, rival: name})
		case text != machine:
			others = append(others, held)
		case moves:
			mine = held
			want = domainxml.Spec{Name: name, UUID: name, Pins: sets(wants), Mark: domainxml.Mark{Exclusive: true}}
		}
	}

	return want, mine, others
}

func TestWhoeverIsOutrankedDoesNotWait(t *testing.T) {
	spec := domainxml.Spec{Name: "m", UUID: "5", Pins: sets("1"), Mark: domainxml.Mark{Exclusive: true}}

	for name, test := range map[string]struct {
		other claim
		want  bool
	}{
		"a lesser claim":          {claim{rival: "1", vcpus: set("1"), exclusive: true}, true},
		"a greater claim":         {claim{rival: "9", vcpus: set("1"), exclusive: true}, false},
		"who has it":              {claim{vcpus: set("1"), exclusive: true}, false},
		"a claim to another CPU":  {claim{rival: "1", vcpus: set("2"), exclusive: true}, false},
		"a lesser claim to share": {claim{rival: "1", vcpus: set("1")}, true},
	} {
		if got := outranked(spec, []claim{test.other}); got != test.want {
			t.Errorf("%s: outranked is %t, want %t", name, got, test.want)
		}
	}
}
