package domainxml

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// wishes are what users give machines by XML of their own, and one that the machine has already.
var wishes = []string{
	`<devices><watchdog model='i6300esb' action='reset'/></devices>`,
	`<devices><watchdog model="i6300esb" action="none"/></devices>`,
	`<devices><watchdog model='i6300esb'/></devices>`,
	"<devices>\n  <sound model='ich9'/>\n  <vsock model='virtio'>\n    <cid auto='no' address='0x7'/>\n  </vsock>\n</devices>",
	`<devices><rng model='virtio'><backend model='random'>/dev/urandom</backend></rng></devices>`,
	`<devices><rng model='virtio'><backend model='random'>/dev/random</backend></rng></devices>`,
	`<devices><hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0' bus='0x6' slot='0' function='1'/></source></hostdev></devices>`,
	`<devices><disk type='file' device='cdrom'><source file='/srv/a.iso'/><target dev='sda' bus='sata'/><readonly/></disk></devices>`,
	`<devices><emulator>/opt/qemu</emulator></devices>`,
	`<os firmware='efi'/>`,
	`<os><bootmenu enable='yes'/></os>`,
	`<features><hyperv mode='custom'><relaxed state='on'/></hyperv><kvm><hidden state='on'/></kvm></features>`,
	`<cpu><feature policy='disable' name='vmx'/></cpu>`,
	`<cpu><feature policy='require' name='aes'/><cache mode='passthrough'/></cpu>`,
	`<cputune><shares>2048</shares></cputune>`,
	`<memoryBacking><nosharepages/></memoryBacking>`,
	`<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>`,
	`<clock offset='localtime'/>`,
	`<on_crash>coredump-restart</on_crash>`,
	`<seclabel type='none' model='apparmor'/>`,
	`<sysinfo type='smbios'><system><entry name='serial'>a &lt; b</entry></system></sysinfo>`,
	`<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:arg value='-snapshot'/></q:commandline>`,
}

// randomXML is what somebody may wish for, at most one wish of a kind of which a machine has one.
func randomXML(random *rand.Rand) string {
	var text strings.Builder

	for _, at := range random.Perm(len(wishes))[:random.IntN(6)] {
		if _, err := readFragment(text.String() + wishes[at]); err == nil {
			text.WriteString(pick(random, "", "\n", "<!-- why -->") + wishes[at])
		}
	}

	return text.String()
}

func TestOwnXMLGoesWhereItBelongsAndLeavesNothingBehind(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))

	for range rounds / 10 {
		bare := randomMachine(random)
		bare.XML = ""

		dressed := bare
		dressed.XML = randomXML(random)

		plain, text := render(t, bare), render(t, dressed)
		if piece, err := Unkept(text, dressed); piece != "" || err != nil {
			t.Fatalf("the machine lacks %s (%v):\n%s", piece, err, text)
		}

		back := edit(t, text, bare)

		for _, p := range own(t, dressed.XML).pieces {
			if !strings.Contains(plain, strings.Split(p.source, " ")[0]) && strings.Contains(back, p.source) {
				t.Fatalf("%s is still there:\n%s", p.source, back)
			}
		}

		if again := edit(t, back, dressed); !SameXML(parse(t, again).XML, dressed.XML) {
			t.Fatalf("what was taken away does not come back:\n%s", again)
		}
	}
}

func TestOwnXMLThatSomebodyTookAwayIsMissed(t *testing.T) {
	machine := with(func(s *Spec) { s.XML = wishes[0] + wishes[3] + wishes[17] })
	text := render(t, machine)

	for gone, left := range map[string]string{
		`<watchdog model='i6300esb' action='reset'/>`: wishes[3] + wishes[17],
		`<sound model='ich9'/>`:                       wishes[0] + `<devices><vsock model='virtio'><cid auto='no' address='0x7'/></vsock></devices>` + wishes[17],
		`<clock offset='localtime'/>`:                 wishes[0] + wishes[3],
	} {
		without := strings.Replace(text, gone, "", 1)
		found := parse(t, without)

		if !SameXML(found.XML, left) {
			t.Errorf("without %s the machine has %q", gone, found.XML)
		}

		if differences := Compare(found, machine); len(differences) != 1 || differences[0].Attribute != "xml" || !differences[0].Boots {
			t.Errorf("without %s the differences are %+v", gone, differences)
		}

		if repaired := parse(t, edit(t, without, machine)); repaired.XML != machine.XML {
			t.Errorf("an edit leaves the machine with %q", repaired.XML)
		}
	}

	for _, changed := range []string{
		strings.Replace(text, "action='reset'", "action='none'", 1),
		strings.Replace(text, "'localtime'", "'utc'", 1),
		strings.Replace(text, "'ich9'", "'ich6'", 1),
	} {
		if found := parse(t, changed); SameXML(found.XML, machine.XML) {
			t.Errorf("nobody sees what somebody changed:\n%s", changed)
		}
	}
}

// What libvirt chooses as a machine runs is no change of it.
func TestRunningMachineIsNotHeldToEveryWord(t *testing.T) {
	machine := with(func(s *Spec) {
		s.XML = `<devices><graphics type='vnc' port='-1' autoport='yes'/><input type='tablet' bus='usb'/></devices>`
	})
	running := strings.NewReplacer("<domain ", "<domain id='7' ", "port='-1'", "port='5900'").Replace(render(t, machine))

	if found := parse(t, running); found.XML != machine.XML {
		t.Errorf("the running machine has %q", found.XML)
	}

	if unplugged := parse(t, strings.Replace(running, `<input type='tablet' bus='usb'/>`, "", 1)); SameXML(unplugged.XML, machine.XML) {
		t.Error("nobody sees what was unplugged")
	}

	if moved := edit(t, running, machine); strings.Count(moved, "<graphics") != 1 {
		t.Errorf("an edit gives the running machine another display:\n%s", moved)
	}
}

func TestElementWithLibvirtsAdditionsIsTheSame(t *testing.T) {
	machine := with(func(s *Spec) { s.XML = wishes[3] + wishes[6] })
	text := strings.NewReplacer(
		"address='0x7'/>", "address='7'/><alias name='vsock0'/><address type='pci' domain='0x0000'/>", "domain='0x0' bus='0x6'", "domain='0x0000' bus='0x06'",
		"<sound model='ich9'/>", "<sound model='ich9'><codec type='micro'/></sound>",
	).Replace(render(t, machine))

	if found := parse(t, text); found.XML != machine.XML {
		t.Errorf("the machine has %q of\n%s", found.XML, text)
	}

	if piece, err := Unkept(strings.Replace(text, "'ich9'", "'ich6'", 1), machine); err != nil || !strings.Contains(piece, "which the host keeps as <sound model='ich6'>") {
		t.Errorf("a host that keeps another model: %q, %v", piece, err)
	}

	if piece, err := Unkept(render(t, small()), machine); err != nil || !strings.HasSuffix(piece, "which the host leaves out") {
		t.Errorf("a host that leaves all out: %q, %v", piece, err)
	}
}

func TestNotationOfOwnXMLIsNoChange(t *testing.T) {
	a := wishes[3] + wishes[0]
	b := "<!-- a dog -->\n<devices>\n\t<watchdog  action=\"reset\" model=\"i6300esb\"></watchdog>\n" + strings.TrimPrefix(wishes[3], "<devices>")

	if !SameXML(a, b) {
		t.Errorf("%q and %q are not the same", a, b)
	}

	for i, one := range wishes {
		for j, other := range wishes {
			if SameXML(one, other) != (i == j) {
				t.Errorf("SameXML(%q, %q) is %t", one, other, i != j)
			}
		}
	}
}

func TestOwnXMLIsRefusedWhereItCannotWork(t *testing.T) {
	for text, want := range map[string]string{
		"<devices>":                          "not well-formed XML",
		"</domain><domain>":                  "not well-formed XML",
		"<clock/></domain>":                  "not well-formed XML",
		"<clock offset=utc/>":                "not well-formed XML",
		"<!DOCTYPE x><clock/>":               "it has a declaration",
		"clock":                              `text between the elements: "clock"`,
		"<devices>watchdog</devices>":        `text between the elements of <devices>: "watchdog"`,
		"<!-- nothing -->":                   "says nothing. Leave it out",
		"<devices/>":                         "says nothing. Leave it out",
		"<domain><clock/></domain>":          "<domain> is the provider's",
		"<name>x</name>":                     "Say it by name, and leave it out",
		"<uuid>x</uuid>":                     "relies on. Leave it out",
		"<metadata/>":                        "relies on. Leave it out",
		"<vcpu>4</vcpu>":                     "Say it by cpu,",
		"<numatune/>":                        "Say it by numa_nodes and placement,",
		"<os><type>hvm</type></os>":          "Say it by machine,",
		"<cpu mode='host-model'/>":           "the attribute mode of <cpu> is the provider's",
		"<cpu><topology sockets='1'/></cpu>": "Say it by cpu_topology,",
		"<cputune><vcpupin vcpu='0' cpuset='1'/></cputune>":    "Say it by cpu.pins,",
		"<memoryBacking><hugepages/></memoryBacking>":          "Say it by memory_backing,",
		"<devices><disk type='file'/></devices>":               "Say it by disks,",
		"<devices><disk type='file' device='disk'/></devices>": "Say it by disks,",
		"<devices><interface type='direct'/></devices>":        "Say it by interfaces,",
		"<clock offset='utc'/><clock offset='localtime'/>":     "<clock> stands there twice",
		"<qemu:commandline/>":                                  "nothing declares the prefix qemu of <qemu:commandline>",
		"<devices xmlns:x='http://x'><x:y/></devices>":         "nothing declares",
	} {
		if _, err := CanonicalXML(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", text, err, want)
		}
	}
}

func own(t *testing.T, text string) fragment {
	t.Helper()

	f, err := readFragment(text)
	if err != nil {
		t.Fatal(err)
	}

	return f
}
