package vm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
)

const rounds = 5000

// eight is the set of CPUs of the host that the tests are on.
var eight = set("0-7")

func TestStepsReachTheTargetAndThenThereAreNone(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))

	for range rounds {
		before, want := randomObserved(random), randomTarget(random)
		steps := changes(before, want, eight)

		after := before
		for _, step := range steps {
			after = apply(t, after, step)
		}

		if left := changes(after, want, eight); len(left) > 0 {
			t.Fatalf("after %s there are still the steps %s\nfrom %+v\nto %+v", say(steps), say(left), before, want)
		}

		reached(t, after, want)
	}
}

func TestUpdateThatIsCutShortIsCompletedByTheNext(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))

	for range rounds {
		now, want := randomObserved(random), randomTarget(random)

		for _, step := range changes(now, want, eight) {
			if random.IntN(3) == 0 {
				break
			}

			now = apply(t, now, step)
		}

		for _, step := range changes(now, want, eight) {
			now = apply(t, now, step)
		}

		reached(t, now, want)
	}
}

func TestMachineThatIsAsItShouldBeIsLeftAlone(t *testing.T) {
	for name, test := range map[string]struct{ pins, emulator, wantPins, wantEmulator string }{
		"pinned":                                 {"0 1", "2", "0 1", "2"},
		"not pinned":                             {"", "", "", ""},
		"pinned to all, declared without pins":   {"0-7 0-7", "0-7", "", ""},
		"not pinned, declared with pins to all":  {"", "", "0-7 0-7", "0-7"},
		"one pinned to all, declared as free":    {"0-7 1", "", "0-7 1", "0-7"},
		"the same CPUs in other words and order": {"0,1,2 5", "3", "0-2 5", "3"},
	} {
		spec := domainxml.Spec{VCPUs: 2, Pins: sets(test.pins), Emulator: set(test.emulator), Mark: domainxml.Mark{Managed: true, Complete: true}}
		o := observed{domain: libvirt.Domain{Running: true, Active: true}, stored: spec, live: spec}

		spec.Pins, spec.Emulator = sets(test.wantPins), set(test.wantEmulator)
		if steps := changes(o, target{spec: spec, running: true}, eight); len(steps) > 0 {
			t.Errorf("%s: the steps are %s, want none", name, say(steps))
		}
	}
}

func TestDriftOfEitherDefinitionIsRepaired(t *testing.T) {
	good := domainxml.Spec{VCPUs: 1, Pins: sets("1"), Emulator: set("0"), Mark: domainxml.Mark{Managed: true, Complete: true, Settings: "{}"}}

	for want, drift := range map[string]func(*domainxml.Spec){
		"pin 0 to 1":    func(s *domainxml.Spec) { s.Pins = sets("2") },
		"emulator to 0": func(s *domainxml.Spec) { s.Emulator = set("") },
		"mark {true false true false  {} {  false} {  }}": func(s *domainxml.Spec) {
			s.Mark.Settings = ""
		},
		"nothing": func(*domainxml.Spec) {},
	} {
		for _, which := range []string{"stored", "live"} {
			o := observed{domain: libvirt.Domain{Running: true, Active: true}, stored: good, live: good}
			if which == "live" {
				drift(&o.live)
			} else {
				drift(&o.stored)
			}

			if got := say(changes(o, target{spec: good, running: true}, eight)); got != want {
				t.Errorf("what drifted is %s, the steps are %q, want %q", which, got, want)
			}
		}
	}
}

// Whoever looks at the host in the middle of an update, or after one that was cut short, sees no CPU of an exclusive
// machine that another one uses, provided that neither the beginning nor the end has one.
func TestNoStepLeavesACPUWithTwoOwners(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	checked := 0

	for range 20 * rounds {
		before, want := randomObserved(random), randomTarget(random)
		before.live = before.stored
		neighbour := domainxml.Spec{Pins: randomPins(random), Mark: domainxml.Mark{Exclusive: random.IntN(2) == 0}}

		after := before
		steps := changes(before, want, eight)

		for _, step := range steps {
			after = apply(t, after, step)
		}

		if !peaceful(before.stored, neighbour) || !peaceful(after.stored, neighbour) {
			continue
		}

		checked++

		now := before
		for i, step := range steps {
			if now = apply(t, now, step); !peaceful(now.stored, neighbour) {
				t.Fatalf("after %s of %s the machine has %v (exclusive: %t) beside %v (exclusive: %t)", say(steps[:i+1]), say(steps),
					now.stored.Pins, now.stored.Mark.Exclusive, neighbour.Pins, neighbour.Mark.Exclusive)
			}
		}
	}

	if checked < rounds {
		t.Errorf("only %d of the updates were fit to be checked", checked)
	}
}

// peaceful reports whether neither machine has a CPU that is the other's alone.
func peaceful(a, b domainxml.Spec) bool {
	shared := a.PinnedCPUs().Intersect(b.PinnedCPUs())

	return shared.IsEmpty() || (!a.Mark.Exclusive && !b.Mark.Exclusive)
}

func reached(t *testing.T, got observed, want target) {
	t.Helper()

	for which, spec := range map[string]domainxml.Spec{"stored": got.stored, "live": got.live} {
		if !samePins(want.spec.Pins, spec.Pins, want.spec.VCPUs, eight) || !whole(want.spec.Emulator, eight).Equal(whole(spec.Emulator, eight)) {
			t.Fatalf("the %s pins are %v and %s, want %v and %s", which, spec.Pins, spec.Emulator, want.spec.Pins, want.spec.Emulator)
		}

		if left := domainxml.Compare(spec, want.spec); len(left) > 0 && (which == "stored" || got.domain.Active) {
			t.Fatalf("the %s definition still differs in %+v", which, left)
		}

		if spec.Title != want.spec.Title || spec.Description != want.spec.Description {
			t.Fatalf("the %s texts are %q and %q", which, spec.Title, spec.Description)
		}

		mark := want.spec.Mark
		mark.Complete = got.stored.Mark.Complete // an update keeps it

		if diff := cmp.Diff(mark, spec.Mark); diff != "" {
			t.Fatalf("the %s mark (-want +got):\n%s", which, diff)
		}
	}

	if got.domain.Running != want.running || got.domain.Autostart != want.autostart {
		t.Fatalf("the machine runs: %t, autostart: %t, want %t, %t", got.domain.Running, got.domain.Autostart, want.running, want.autostart)
	}
}

func randomObserved(random *rand.Rand) observed {
	o := observed{stored: randomSpec(random)}
	o.live = o.stored
	o.domain.Autostart = random.IntN(2) == 0

	if o.domain.Active = random.IntN(3) > 0; o.domain.Active {
		o.domain.Running = random.IntN(4) > 0

		if random.IntN(2) == 0 { // somebody changed only one of the two
			o.live = randomSpec(random)
			o.live.Mark.Complete = o.stored.Mark.Complete
		}
	}

	return o
}

func randomTarget(random *rand.Rand) target {
	want := target{spec: randomSpec(random), running: random.IntN(2) == 0, autostart: random.IntN(2) == 0}
	want.spec.Mark = domainxml.Mark{Managed: true, Exclusive: want.spec.Mark.Exclusive, Settings: want.spec.Mark.Settings}

	return want
}

func randomSpec(random *rand.Rand) domainxml.Spec {
	spec := domainxml.Spec{VCPUs: 2 + random.IntN(2), MaxVCPUs: 3 + random.IntN(2), Pins: randomPins(random), Mark: domainxml.Mark{
		Managed: true, Complete: random.IntN(2) == 0, Exclusive: random.IntN(2) == 0, Digest: fmt.Sprint(random.IntN(2)), Settings: fmt.Sprint(random.IntN(2)),
	}}

	if random.IntN(2) == 0 {
		spec.Emulator = topology.NewCPUSet(random.IntN(8))
	}

	if spec.Memory = uint64(1+random.IntN(2)) << 30; random.IntN(3) > 0 {
		spec.MaxMemory = 2 << 30
	}

	spec.Title, spec.Description = fmt.Sprint(random.IntN(2)), fmt.Sprint(random.IntN(2))
	spec.IOThreads = []topology.CPUSet{topology.NewCPUSet(random.IntN(2))}[:random.IntN(2)]
	spec.Preallocated = random.IntN(8) == 0
	spec.Disks = map[string]domainxml.Disk{"root": {Format: fmt.Sprint(random.IntN(8) / 7)}}
	spec.Interfaces = map[string]domainxml.Interface{}

	for i := range 2 {
		if random.IntN(2) == 0 {
			spec.Disks[fmt.Sprint(i)] = domainxml.Disk{Format: fmt.Sprint(random.IntN(2))}
		}

		if random.IntN(2) == 0 {
			spec.Interfaces[fmt.Sprint(i)] = domainxml.Interface{MAC: fmt.Sprint(i, random.IntN(2)), Bridge: fmt.Sprint(random.IntN(2))}
		}
	}

	return spec
}

func randomPins(random *rand.Rand) []topology.CPUSet {
	if random.IntN(4) == 0 {
		return nil
	}

	return []topology.CPUSet{topology.NewCPUSet(random.IntN(8), random.IntN(8)), topology.NewCPUSet(random.IntN(8))}
}

func say(steps []step) string {
	text := ""

	for _, s := range steps {
		if text != "" {
			text += ", "
		}

		switch {
		case s.Mark != nil:
			text += fmt.Sprint("mark ", *s.Mark)
		case s.Pin != nil:
			text += fmt.Sprintf("pin %d to %s", s.Pin.Number, s.Pin.CPUs)
		case s.Emulator != nil:
			text += fmt.Sprint("emulator to ", *s.Emulator)
		case s.Autostart != nil:
			text += fmt.Sprint("autostart ", *s.Autostart)
		case s.Power != nil:
			text += fmt.Sprint("power ", *s.Power)
		case s.Define != nil:
			text += "define"
		case s.Restart != nil:
			text += "restart for " + s.Restart.For
		default:
			text += fmt.Sprintf("%+v", s)
		}
	}

	if text == "" {
		return "nothing"
	}

	return text
}

// set makes a CPU set of its text; the empty text makes the empty set.
func set(text string) topology.CPUSet {
	if text == "" {
		return topology.CPUSet{}
	}

	parsed, err := topology.ParseCPUSet(text)
	if err != nil {
		panic(err)
	}

	return parsed
}
