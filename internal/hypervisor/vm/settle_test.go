package vm

import (
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// The phases of a run that brings a machine to CPUs.
const (
	before = iota
	looking
	owning
	withdrawn
)

// runner is a run of another process at one moment. It reads the machines of the host one by one, as libvirt hands them
// out, while the others go on.
type runner struct {
	phase int
	read  int    // how many machines it has read in this look
	seen  string // a letter for each: "-" nothing, "c" a claim, "o" what it owns
}

// race is all interleavings of runs on one host.
type race struct {
	t     *testing.T
	wants []domainxml.Spec
	seen  map[[3]runner]bool
	ends  int
}

// from tries every next step of every run from the moment on. The states are few, so all are visited.
func (r *race) from(now [3]runner) {
	if r.seen[now] {
		return
	}

	r.seen[now] = true

	for i := range r.wants {
		for j := range i {
			if now[i].phase == owning && now[j].phase == owning && clash(r.wants[i], "alpha", r.claim(j, "")) != "" {
				r.t.Fatalf("%s and %s both have what they want: %+v", r.wants[i].Name, r.wants[j].Name, now)
			}
		}
	}

	ended := true

	for i := range r.wants {
		if now[i].phase == owning || now[i].phase == withdrawn {
			continue
		}

		ended = false
		next := now
		next[i] = r.step(now, i)
		r.from(next)
	}

	if ended {
		r.ends++

		if now[0].phase != owning && now[1].phase != owning && now[2].phase != owning {
			r.t.Fatalf("nobody got through: %+v", now)
		}
	}
}

func (r *race) step(now [3]runner, i int) runner {
	me := now[i]

	if me.phase == before {
		return runner{phase: looking}
	}

	if me.read < len(r.wants) {
		letter := "-"

		switch {
		case me.read == i:
		case now[me.read].phase == looking:
			letter = "c"
		case now[me.read].phase == owning:
			letter = "o"
		}

		return runner{phase: looking, read: me.read + 1, seen: me.seen + letter}
	}

	var others []claim

	for j, letter := range me.seen {
		switch letter {
		case 'c':
			others = append(others, r.claim(j, r.wants[j].UUID))
		case 'o':
			others = append(others, r.claim(j, ""))
		}
	}

	hindrance, err := contend(r.wants[i], "alpha", hardware(eight), others)

	switch {
	case err != nil:
		return runner{phase: withdrawn}
	case hindrance != "":
		return runner{phase: looking}
	default:
		return runner{phase: owning}
	}
}

func (r *race) claim(i int, rival string) claim {
	return claim{machine: r.wants[i].Name, vcpus: r.wants[i].PinnedCPUs(), emulator: r.wants[i].Emulator, exclusive: r.wants[i].Mark.Exclusive, rival: rival}
}

func TestNoInterleavingOfRunsGivesACPUTwoOwnersAndOneAlwaysGetsThrough(t *testing.T) {
	for name, pins := range map[string][3]string{
		"all want the same":   {"1", "1", "1"},
		"each a neighbour's":  {"1-2", "2-3", "3-4"},
		"in a ring":           {"1-2", "2-3", "3 1"},
		"two of them":         {"1", "4", "1"},
		"a shared one beside": {"s1", "1", "s1"},
		"each its own":        {"1", "2", "3"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &race{t: t, seen: map[[3]runner]bool{}}

			for i, text := range pins {
				text, shared := strings.CutPrefix(text, "s")
				id := string(rune('c' - i)) // the first to be stepped has the least right, so orders differ
				r.wants = append(r.wants, domainxml.Spec{Name: id, UUID: id, Pins: sets(text), Mark: domainxml.Mark{Exclusive: !shared}})
			}

			r.from([3]runner{})

			if r.ends == 0 {
				t.Error("no interleaving came to an end")
			}
		})
	}
}

func TestClaimsThatAreNotSettledAreToldFromWhatMachinesHave(t *testing.T) {
	render := func(name, pins string, mark domainxml.Mark) libvirt.Domain {
		text, err := domainxml.Render(domainxml.Spec{Name: name, UUID: name, Type: "kvm", VCPUs: 1, Pins: sets(pins), Mark: mark})
		if err != nil {
			t.Fatal(err)
		}

		return libvirt.Domain{Name: name, UUID: name, XML: text}
	}

	domains := []libvirt.Domain{
		render("new", "1", domainxml.Mark{Exclusive: true, Claim: domainxml.Claim{VCPUs: "1", Exclusive: true}}),
		render("moving", "2", domainxml.Mark{Exclusive: true, Complete: true, Claim: domainxml.Claim{VCPUs: "3", Emulator: "0", Exclusive: true}}),
		render("odd", "4", domainxml.Mark{Complete: true, Claim: domainxml.Claim{VCPUs: "all"}}),
	}

	got, err := claims(domains, "", eight)
	if err != nil {
		t.Fatal(err)
	}

	var firm, tentative string

	for _, c := range got {
		if c.rival == "" {
			firm += c.machine + c.vcpus.String() + " "
		} else {
			tentative += c.rival + c.vcpus.String() + " "
		}
	}

	if firm != "moving2 odd4 " || tentative != "new1 new1 moving3 odd " {
		t.Errorf("what machines have is %q, what they claim %q", firm, tentative)
	}
}

func TestMachineYieldsToTheLesserUUIDAndToWhoeverHasTheCPU(t *testing.T) {
	spec := domainxml.Spec{Name: "web", UUID: "5", Pins: sets("1"), Mark: domainxml.Mark{Exclusive: true}}

	for name, test := range map[string]struct{ rival, pins, hindrance, refusal string }{
		"nothing in the way":      {"9", "2", "", ""},
		"who is to yield":         {"9", "1", `CPU 1 of host "alpha" is claimed at the same time by machine "db"`, ""},
		"who comes first":         {"1", "1", "", `CPU 1 of host "alpha" is claimed at the same time by machine "db"`},
		"who has it already":      {"", "1", "", `CPU 1 of host "alpha" belongs to machine "db" alone. Choose among the CPUs that no machine is pinned to: 0,2-7`},
		"who has another already": {"", "3", "", ""},
	} {
		hindrance, err := contend(spec, "alpha", hardware(eight), []claim{{machine: "db", vcpus: set(test.pins), exclusive: true, rival: test.rival}})
		if says(t, name, err, test.refusal); hindrance != test.hindrance {
			t.Errorf("%s: it waits for %q, want %q", name, hindrance, test.hindrance)
		}
	}
}

func TestStaleClaimShowsInTheNextPlan(t *testing.T) {
	m := declared()
	o := asMade(t, m)
	o.stored.Mark.Claim = domainxml.Claim{VCPUs: "6", Exclusive: true}

	m.set(o, eight)

	if !m.CPU.Exclusive.IsNull() {
		t.Errorf("exclusive is %s, and should differ from whatever is declared", m.CPU.Exclusive)
	}
}

// Whoever looks at the host in the middle of a change of pins sees a claim to every CPU that the machine does not have
// yet but will.
func TestClaimStandsUntilTheCPUsHaveChangedHands(t *testing.T) {
	for name, exclusive := range map[string]bool{"exclusive": true, "sharing": false} {
		spec := domainxml.Spec{VCPUs: 2, Pins: sets("1 2"), Mark: domainxml.Mark{Managed: true, Complete: true, Exclusive: !exclusive}}
		want := target{spec: spec}
		want.spec.Pins, want.spec.Mark.Exclusive = sets("3 4"), exclusive
		spec.Mark.Claim = want.spec.Claim()

		now := observed{stored: spec, live: spec}
		for _, step := range changes(now, want, eight) {
			now = apply(t, now, step)
			moved := now.stored.PinnedCPUs().Equal(want.spec.PinnedCPUs())

			if !moved && now.stored.Mark.Claim == (domainxml.Claim{}) {
				t.Errorf("%s: nothing claims what is still to come: %+v", name, now.stored)
			}
		}

		if reached(t, now, want); now.stored.Mark.Claim != (domainxml.Claim{}) {
			t.Errorf("%s: the claim is left behind", name)
		}
	}
}
