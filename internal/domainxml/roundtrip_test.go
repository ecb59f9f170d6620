package domainxml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
)

const rounds = 2000

func TestEveryMachineReadsAsItWasRendered(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))

	for range rounds {
		want := randomMachine(random)
		text := render(t, want)

		wellFormed(t, text)
		same(t, text, want, parse(t, text))

		if t.Failed() {
			return
		}
	}
}

func TestRenderingIsAFunctionOfTheMachine(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))

	for range rounds / 10 {
		spec := randomMachine(random)
		first := render(t, spec)

		for range 5 {
			if diff := cmp.Diff(first, render(t, spec)); diff != "" {
				t.Fatalf("one machine, two texts:\n%s", diff)
			}
		}

		again := render(t, parse(t, first))
		if diff := cmp.Diff(first, again); diff != "" {
			t.Fatalf("what was read renders otherwise (-first +again):\n%s", diff)
		}
	}
}

// libvirt writes the version into the machine type, and the Spec leaves it out.
func TestMachineTypeIsReadWithoutItsVersion(t *testing.T) {
	for written, want := range map[string]string{
		"q35": "q35", "pc": "pc", "pc-q35-7.2": "q35", "pc-i440fx-7.2": "pc", "microvm": "microvm", "pseries-7.2": "pseries-7.2", "": "",
	} {
		spec := parse(t, render(t, with(func(s *Spec) { s.Machine = written })))
		if spec.Machine != want {
			t.Errorf("machine type %q is read as %q, want %q", written, spec.Machine, want)
		}
	}
}

func TestMarkReadsAsItWasRenderedAmongStrangers(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))

	for range rounds / 10 {
		spec := randomSpec(random)

		mark, err := RenderMark(spec)
		if err != nil {
			t.Fatal(err)
		}

		wellFormed(t, mark)

		bare := render(t, spec)
		for _, metadata := range []string{
			"\n    " + mark + "\n  ",
			`<libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0"><libosinfo:os id="http://debian.org/debian/12"/></libosinfo:libosinfo>` + mark,
			mark + `<vm xmlns="http://example.org/other" exclusive="true" digest="not ours"><interface name="x" mac="y"/></vm>`,
			`<!-- <vm/> --><nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1"><nova:vm exclusive="true">]]&gt;</nova:vm></nova:instance>` + mark,
		} {
			same(t, metadata, spec, parse(t, strings.Replace(bare, mark, metadata, 1)))
		}

		if t.Failed() {
			return
		}
	}
}

func TestMachineOfAnotherKindOfMarkIsNotOurs(t *testing.T) {
	mark, err := RenderMark(full())
	if err != nil {
		t.Fatal(err)
	}

	for _, metadata := range []string{
		"",
		strings.ReplaceAll(mark, "/vm/1", "/vm/2"),
		`<vm exclusive="true" complete="true"/>`,
		`<wrapper xmlns="http://example.org/other">` + mark + `</wrapper>`,
	} {
		spec := parse(t, strings.Replace(render(t, full()), mark, metadata, 1))
		if diff := cmp.Diff(Mark{}, spec.Mark); diff != "" {
			t.Errorf("with the metadata %q the machine has a mark:\n%s", metadata, diff)
		}
	}
}

func TestExclusiveCPUsAreThoseOfThePinsOfAnExclusiveMachine(t *testing.T) {
	spec := full()

	if got := spec.ExclusiveCPUs().String(); got != "2-3,34-35" {
		t.Errorf("the exclusive CPUs are %q", got)
	}

	spec.Mark.Exclusive = false

	if got := spec.ExclusiveCPUs(); !got.IsEmpty() {
		t.Errorf("a machine that shares has the exclusive CPUs %q", got)
	}

	if got := spec.PinnedCPUs().String(); got != "2-3,34-35" {
		t.Errorf("the pinned CPUs are %q", got)
	}
}

func TestMachineClaimsWhatItUses(t *testing.T) {
	pins, emulator := []topology.CPUSet{topology.NewCPUSet(34), topology.NewCPUSet(2)}, topology.NewCPUSet(0, 1)

	for name, test := range map[string]struct {
		spec Spec
		want Claim
	}{
		"alone":         {Spec{Pins: pins, Emulator: emulator, Mark: Mark{Exclusive: true}}, Claim{VCPUs: "2,34", Emulator: "0-1", Exclusive: true}},
		"sharing":       {Spec{Pins: pins}, Claim{VCPUs: "2,34"}},
		"emulator only": {Spec{Emulator: emulator, Mark: Mark{Exclusive: true}}, Claim{Emulator: "0-1"}},
		"nowhere":       {Spec{Mark: Mark{Exclusive: true}}, Claim{}},
	} {
		if got := test.spec.Claim(); got != test.want {
			t.Errorf("%s: the claim is %+v, want %+v", name, got, test.want)
		}
	}
}

// randomSpec makes a machine that keeps to what a Spec promises: at most one interface has a MAC, memory is in KiB, and
// no pin is empty.
func randomSpec(random *rand.Rand) Spec {
	spec := Spec{
		Name:    text(random),
		UUID:    fmt.Sprintf("%08x-0000-4000-8000-%012x", random.Uint32(), random.Uint32()),
		Type:    pick(random, "kvm", "qemu"),
		Machine: pick(random, "q35", "pc", "microvm"),
		Memory:  (1 + random.Uint64N(1<<40)) * 1024,
		VCPUs:   1 + random.IntN(8),
		Mark: Mark{
			Managed: true, Exclusive: random.IntN(2) == 0, Complete: random.IntN(2) == 0,
			Digest: text(random), Settings: text(random),
		},
	}

	if random.IntN(2) == 0 {
		for range spec.VCPUs {
			spec.Pins = append(spec.Pins, cpus(random))
		}
	}

	if random.IntN(2) == 0 {
		spec.Emulator = cpus(random)
	}

	if random.IntN(2) == 0 {
		spec.Pages = Pages{Size: 2 << 20, Nodes: cpus(random)}
	}

	if random.IntN(2) == 0 {
		spec.Mark.Claim = spec.Claim()
	}

	spec.Disks = map[string]Disk{}
	for i := range random.IntN(6) {
		name := pick(random, BootDisk, fmt.Sprint("disk", i), fmt.Sprint(i, text(random)))
		spec.Disks[name] = Disk{Volume: volume(random), Format: pick(random, "qcow2", "raw"), ReadOnly: random.IntN(2) == 0}
	}

	spec.Interfaces = map[string]Interface{}
	for i := range random.IntN(4) {
		nic := Interface{MAC: MAC(spec.UUID, fmt.Sprint(i))}
		if random.IntN(2) == 0 {
			nic.Bridge = "br" + text(random)
		} else {
			nic.Network = "net" + text(random)
		}

		spec.Interfaces[fmt.Sprint(i, text(random))] = nic
	}

	if random.IntN(2) == 0 {
		seed := volume(random)
		spec.Seed = &seed
	}

	return spec
}

// randomMachine is randomSpec with the hardware that only QEMU's machines may have.
func randomMachine(random *rand.Rand) Spec {
	spec := randomSpec(random)
	randomHardware(random, &spec)

	return spec
}

// randomHardware adds what a machine may have and need not.
func randomHardware(random *rand.Rand, spec *Spec) {
	some := func() bool { return random.IntN(2) == 0 }

	if some() {
		spec.MaxMemory, spec.MaxVCPUs = spec.Memory+1024*(1+random.Uint64N(1<<30)), spec.VCPUs+1+random.IntN(8)
	}

	if some() {
		spec.CPU = CPU{Model: "EPYC", Sockets: 1 + random.IntN(3), Cores: 1 + random.IntN(3), Threads: 1 + random.IntN(2)}
	}

	for node := range random.IntN(3) {
		spec.Nodes = append(spec.Nodes, Node{CPUs: cpus(random), Memory: (1 + random.Uint64N(1<<30)) * 1024, Host: node - 1})
	}

	for range random.IntN(3) {
		spec.IOThreads = append(spec.IOThreads, pickSet(random, topology.CPUSet{}, cpus(random)))
	}

	if some() {
		spec.XML = randomXML(random)
	}

	spec.Locked, spec.Preallocated = some(), some()
	spec.Title, spec.Description = line(random), line(random)
}

func pickSet(random *rand.Rand, from ...topology.CPUSet) topology.CPUSet {
	return from[random.IntN(len(from))]
}

// line is text that libvirt takes as a title.
func line(random *rand.Rand) string { return strings.ReplaceAll(text(random), "\n", "") }

func volume(random *rand.Rand) Volume { return Volume{Pool: text(random), Name: text(random)} }

func cpus(random *rand.Rand) topology.CPUSet {
	numbers := make([]int, 1+random.IntN(4))
	for i := range numbers {
		numbers[i] = random.IntN(256)
	}

	return topology.NewCPUSet(numbers...)
}

// text strings together what breaks XML that is put together carelessly.
func text(random *rand.Rand) string {
	var all strings.Builder
	for range random.IntN(6) {
		all.WriteString(pick(random, "a", "Z", "0", "-", " ", "<", ">", "&", `"`, "'", "]]>", "<![CDATA[", "-->", "<!--", "&amp;", "&#0;",
			"</vm>", "</metadata>", "</domain>", "<?xml ?>", "\n", "\t", "\r", "ä", "→", "💾", "{", "}", "%s", "\\"))
	}

	return all.String()
}

func pick(random *rand.Rand, from ...string) string { return from[random.IntN(len(from))] }

// wellFormed reads the XML strictly to its end, and sees that it is one element.
func wellFormed(t *testing.T, text string) {
	t.Helper()

	decoder := xml.NewDecoder(strings.NewReader(text))
	roots, depth := 0, 0

	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}

		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}

		switch token.(type) {
		case xml.StartElement:
			if depth++; depth == 1 {
				roots++
			}
		case xml.EndElement:
			depth--
		}
	}

	if roots != 1 {
		t.Fatalf("%d elements side by side in\n%s", roots, text)
	}
}
