package domainxml

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"libvirt.org/go/libvirtxml"
)

var update = flag.Bool("update", false, "write the golden files anew")

// small is the least that a machine has; tests add what they are about.
func small() Spec {
	return Spec{
		Name: "web-1", UUID: "5f1c7c1e-8d3c-4f4e-9d25-6b0f2c1f6a01", Type: "qemu", Machine: "q35",
		Memory: 128 << 20, VCPUs: 1,
		Disks: map[string]Disk{"root": {Volume: Volume{Pool: "default", Name: "web-1"}, Format: "qcow2"}},
		Mark:  Mark{Managed: true},
	}
}

// full uses everything that a Spec can say.
func full() Spec {
	spec := small()
	spec.Type, spec.Memory, spec.VCPUs = "kvm", 4<<30, 2
	spec.Pins = []topology.CPUSet{topology.NewCPUSet(2, 34), topology.NewCPUSet(3, 35)}
	spec.Emulator = topology.NewCPUSet(0, 1)
	spec.Disks["data"] = Disk{Volume: Volume{Pool: "fast", Name: "web-1-data"}, Format: "raw"}
	spec.Disks["tools"] = Disk{Volume: Volume{Pool: "default", Name: "tools"}, Format: "raw", ReadOnly: true}
	spec.Interfaces = map[string]Interface{
		"eth0": {Bridge: "br0", MAC: "52:54:00:00:00:01"},
		"lan":  {Network: "default", MAC: "52:54:00:00:00:02"},
	}
	spec.Seed = &Volume{Pool: "default", Name: "web-1.seed"}
	spec.Mark = Mark{Managed: true, Exclusive: true, Complete: true, Digest: "9f86d081", Settings: `{"wait_tcp":"10.0.0.1:80"}`}

	return spec
}

func with(change func(*Spec)) Spec {
	spec := small()
	change(&spec)

	return spec
}

func goldens() map[string]Spec {
	return map[string]Spec{
		"qemu": small(),
		"kvm":  full(),
		"emulator-only": with(func(s *Spec) {
			s.Emulator = topology.NewCPUSet(0, 1)
		}),
		"root-first": with(func(s *Spec) {
			s.Disks["a"] = Disk{Volume: Volume{Pool: "default", Name: "a"}, Format: "raw"}
			s.Disks["z"] = Disk{Volume: Volume{Pool: "default", Name: "z"}, Format: "raw"}
		}),
		"no-root": with(func(s *Spec) {
			s.Disks = map[string]Disk{
				"b": {Volume: Volume{Pool: "default", Name: "b"}, Format: "raw"},
				"a": {Volume: Volume{Pool: "default", Name: "a"}, Format: "qcow2"},
			}
		}),
		"own-xml": with(func(s *Spec) {
			s.XML = `
  <devices>
    <watchdog model='i6300esb' action='reset'/>
    <vsock model='virtio'><cid auto='yes'/></vsock>
  </devices>
  <os firmware='efi'/>
  <features><hyperv mode='custom'><relaxed state='on'/></hyperv></features>
  <cpu><feature policy='disable' name='vmx'/></cpu>
  <cputune><shares>2048</shares></cputune>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <clock offset='localtime'/>
  <qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:env name='A' value='b &amp; c'/></qemu:commandline>
`
		}),
		"claiming": with(func(s *Spec) {
			s.Pins = []topology.CPUSet{topology.NewCPUSet(2)}
			s.Mark.Exclusive, s.Mark.Complete = true, true
			s.Mark.Claim = Claim{VCPUs: "3,35", Emulator: "0-1", Exclusive: true}
		}),
		"huge-pages": with(func(s *Spec) {
			s.Pages = Pages{Size: 1 << 30, Nodes: topology.NewCPUSet(0, 1)}
		}),
		"lxc":      box(),
		"lxc-full": fullBox(),
		"xen":      onXen(MachineXenFV),
		"xen-pv":   onXen(MachineXenPV),
		"hostile": with(func(s *Spec) {
			s.Mark.Digest, s.Mark.Settings = `"]]>&'`, `{"a":"<b>\n&amp;]]>"}`
			s.Disks["root"] = Disk{Volume: Volume{Pool: `p<&>"'`, Name: "v\n\t]]>"}, Format: "raw"}
		}),
	}
}

func TestRenderedMachinesAreTheGoldenOnes(t *testing.T) {
	for name, spec := range goldens() {
		path := filepath.Join("testdata", name+".xml")
		got := render(t, spec)

		if *update {
			if err := os.WriteFile(path, []byte(got+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}

		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v. Write it with \"go test -update\"", err)
		}

		if diff := cmp.Diff(string(want), got+"\n"); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// What libvirt makes of our XML is held by the tests of internal/libvirt, on a real one; here it is what stands in the
// files, whatever wrote it.
func TestGoldenMachinesReadAsWhatTheyWereRenderedFrom(t *testing.T) {
	for name, spec := range goldens() {
		text, err := os.ReadFile(filepath.Join("testdata", name+".xml"))
		if err != nil {
			t.Fatal(err)
		}

		same(t, name, spec, parse(t, string(text)))
	}
}

func TestMachineBootsFromRootOrElseFromTheFirstDiskByName(t *testing.T) {
	for want, names := range map[string][]string{
		"root": {"a", "root", "z"},
		"a":    {"z", "a", "roots"},
	} {
		spec := small()
		spec.Disks = map[string]Disk{}
		spec.Seed = &Volume{Pool: "default", Name: "seed"}

		for _, name := range names {
			spec.Disks[name] = Disk{Volume: Volume{Pool: "default", Name: name}, Format: "raw"}
		}

		var domain libvirtxml.Domain
		if err := domain.Unmarshal(render(t, spec)); err != nil {
			t.Fatal(err)
		}

		var serials, targets []string

		for i, disk := range domain.Devices.Disks {
			serials, targets = append(serials, disk.Serial), append(targets, disk.Target.Dev)

			if boots := disk.Boot != nil; boots != (i == 0) {
				t.Errorf("of %v disk %d boots: %t", names, i, boots)
			}
		}

		if serials[0] != want || serials[3] != "cidata" {
			t.Errorf("the disks %v are laid out as %v, want %q first and the seed last", names, serials, want)
		}

		if diff := cmp.Diff([]string{"vda", "vdb", "vdc", "vdd"}, targets); diff != "" {
			t.Errorf("devices (-want +got):\n%s", diff)
		}
	}
}

func TestProcessorIsTheHostsUnderKVMAndOneThatIsEmulatedElsewhere(t *testing.T) {
	for kind, want := range map[string]string{"kvm": "host-passthrough", "qemu": "custom"} {
		var domain libvirtxml.Domain
		if err := domain.Unmarshal(render(t, with(func(s *Spec) { s.Type = kind }))); err != nil {
			t.Fatal(err)
		}

		if domain.CPU.Mode != want {
			t.Errorf("under %s the CPU mode is %q, want %q", kind, domain.CPU.Mode, want)
		}
	}
}

func TestMoreDisksThanAMachineTakesAreRefused(t *testing.T) {
	spec := small()
	for name := 'a'; name < 'z'; name++ {
		spec.Disks[string(name)] = Disk{Volume: Volume{Pool: "default", Name: string(name)}, Format: "raw"}
	}

	if _, err := Render(spec); err != nil {
		t.Errorf("26 disks: %v", err)
	}

	spec.Seed = &Volume{Pool: "default", Name: "seed"}

	want := `render domain "web-1": 27 disks: a machine has at most 26`
	if _, err := Render(spec); err == nil || err.Error() != want {
		t.Errorf("27 disks: %v, want %q", err, want)
	}
}

func TestMACIsStableAndOfOneLocalStation(t *testing.T) {
	if got, want := MAC("web-1", "eth0"), "52:54:31:f2:d5:f0"; got != want {
		t.Errorf("the MAC of web-1's eth0 is %s, and was %s: machines would be replaced", got, want)
	}

	seen := map[string]string{}

	for _, machine := range []string{"a", "ab", "web-1", "web-2", "", "ä"} {
		for _, name := range []string{"eth0", "beth0", "lan", ""} {
			mac := MAC(machine, name)

			// The validator of the attribute takes this form only.
			if !regexp.MustCompile(`^([0-9a-f]{2}:){5}[0-9a-f]{2}$`).MatchString(mac) {
				t.Fatalf("the MAC of %s's %s is %q", machine, name, mac)
			}

			// IEEE 802: bit 0 of the first byte is multicast, bit 1 local administration.
			if first, err := strconv.ParseUint(mac[:2], 16, 8); err != nil || first&1 != 0 || first&2 == 0 {
				t.Errorf("%s is not the address of one station, locally administered (%v)", mac, err)
			}

			if other, taken := seen[mac]; taken {
				t.Errorf("%s/%s and %s have the MAC %s", machine, name, other, mac)
			}

			seen[mac] = machine + "/" + name
		}
	}
}

func render(t *testing.T, spec Spec) string {
	t.Helper()

	text, err := Render(spec)
	if err != nil {
		t.Fatal(err)
	}

	return text
}

func parse(t *testing.T, text string) Spec {
	t.Helper()

	spec, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}

	return spec
}

// same compares machines; a map without entries is as good as none.
func same(t *testing.T, what string, want, got Spec) {
	t.Helper()

	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
