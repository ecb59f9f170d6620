package domainxml

import (
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// TestAnyMachineIsEditedIntoAnyOther holds Edit to its promise by what the result reads as.
func TestAnyMachineIsEditedIntoAnyOther(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))

	for range rounds / 4 {
		from, to := randomMachine(random), randomMachine(random)
		to.Name, to.UUID, to.Type, to.Machine, to.Seed = from.Name, from.UUID, from.Type, from.Machine, from.Seed

		for name, disk := range from.Disks { // some disks and interfaces stay
			if random.IntN(2) == 0 && len(to.Disks) < maxDisks-1 {
				to.Disks[name] = disk
			}
		}

		if random.IntN(2) == 0 {
			to.Interfaces = maps.Clone(from.Interfaces)
		}

		text := edit(t, render(t, from), to)
		wellFormed(t, text)
		same(t, text, to, parse(t, text))

		if t.Failed() {
			return
		}
	}
}

func TestMachineThatDoesNotChangeIsLeftAsItIs(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))

	for range rounds / 10 {
		spec := randomMachine(random)
		first := edit(t, render(t, spec), spec)

		if again := edit(t, first, spec); again != first {
			t.Fatalf("an edit that changes nothing gives\n%s\nof\n%s", again, first)
		}
	}
}

// TestEditKeepsWhatOthersWrote edits a machine with devices and settings that a Spec has no word for.
func TestEditKeepsWhatOthersWrote(t *testing.T) {
	text := load(t, "foreign.xml")
	want := parse(t, text)
	want.Memory, want.VCPUs, want.Pins, want.Title, want.Mark.Managed = 2<<30, 3, append(want.Pins, topology.NewCPUSet(7)), "ours", true
	delete(want.Disks, "data")
	want.Disks["more"] = Disk{Volume: Volume{Pool: "default", Name: "more"}, Format: "qcow2"}

	edited := edit(t, text, want)
	same(t, edited, want, parse(t, edited))

	for line := range strings.Lines(text) {
		for _, kept := range []string{"<graphics", "<video", "<loader", "<nvram", "<tpm", "<hostdev", "<libosinfo", "<address type=\"pci\"", "<shares", "<clock"} {
			if at := strings.TrimSpace(line); strings.HasPrefix(at, kept) && !strings.Contains(edited, strings.Fields(strings.Trim(at, "</>"))[0]) {
				t.Errorf("%s is lost in\n%s", at, edited)
			}
		}
	}
}

func edit(t *testing.T, text string, want Spec) string {
	t.Helper()

	edited, err := Edit(text, want)
	if err != nil {
		t.Fatal(err)
	}

	return edited
}
