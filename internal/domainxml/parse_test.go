package domainxml

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// The files are what libvirt 9.0 printed after it was given the golden machine "kvm" as one of type qemu; in marked.xml
// the mark was then written by itself, beside that of libosinfo.
func TestMachineReadsTheSameAfterLibvirtHasHadIt(t *testing.T) {
	want := full()
	want.Type = "qemu"

	for _, name := range []string{"defined.xml", "marked.xml"} {
		same(t, name, want, parse(t, load(t, name)))
	}
}

func TestMachineOfSomebodyElseReadsAsFarAsASpecGoes(t *testing.T) {
	want := Spec{
		Name: "windows", UUID: "7a1b9c54-17f3-4a52-9f0e-6f1f0f6f3b11", Type: "kvm", Machine: "pc",
		Title: "Somebody's machine & more", Memory: 4 << 30, MaxMemory: 8 << 30, VCPUs: 2, MaxVCPUs: 4,
		Pins: []topology.CPUSet{{}, topology.NewCPUSet(5)}, IOThreads: []topology.CPUSet{topology.NewCPUSet(0)},
		Disks: map[string]Disk{
			"sda":  {File: "/srv/windows.qcow2", Format: "qcow2"}, // it has no serial number, and its file is not a volume's
			"data": {Volume: Volume{Pool: "default", Name: "data"}, Format: "raw", ReadOnly: true},
		},
		Interfaces: map[string]Interface{
			"net0": {Network: "default", MAC: "52:54:00:aa:00:01"},
			"net1": {MAC: "52:54:00:aa:00:02"},
		},
	}

	same(t, "foreign.xml", want, parse(t, load(t, "foreign.xml")))
}

func TestInterfaceThatWasAddedBehindOurBackTakesNoOthersName(t *testing.T) {
	spec := small()
	spec.Interfaces = map[string]Interface{"net1": {Bridge: "br0", MAC: "52:54:00:00:00:01"}}

	added := `<interface type="bridge"><mac address="52:54:00:00:00:09"/><source bridge="br9"/></interface></devices>`
	got := parse(t, strings.Replace(render(t, spec), "</devices>", added, 1))

	spec.Interfaces["net2"] = Interface{Bridge: "br9", MAC: "52:54:00:00:00:09"}
	same(t, "both interfaces", spec, got)
}

func TestDisksOfOneSerialNumberAreTwo(t *testing.T) {
	spec := small()

	added := `<disk type="file" device="disk"><driver type="raw"/><target dev="vdx" bus="virtio"/><serial>root</serial></disk></devices>`
	got := parse(t, strings.Replace(render(t, spec), "</devices>", added, 1))

	spec.Disks["root vdx"] = Disk{Format: "raw"}
	same(t, "both disks", spec, got)
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	good := render(t, full())

	for want, text := range map[string]string{
		"parse domain XML: EOF": "",
		`parse domain "web-1": pin of vCPU 1: parse CPU set "x": "x" is not a CPU number`: strings.Replace(good, `cpuset="3,35"`, `cpuset="x"`, 1),
		`parse domain "web-1": emulator pin: parse CPU set "": it names no CPU`:           strings.Replace(good, `cpuset="0-1"`, `cpuset=""`, 1),
		`parse domain "web-1": parse the domain's metadata: strconv.ParseBool: parsing "perhaps": invalid syntax`: strings.Replace(good,
			`exclusive="true"`, `exclusive="perhaps"`, 1),
	} {
		if _, err := Parse(text); err == nil || err.Error() != want {
			t.Errorf("Parse: %v, want %q", err, want)
		}
	}
}

func load(t *testing.T, name string) string {
	t.Helper()

	text, err := os.ReadFile(filepath.Join("testdata", "libvirt", name))
	if err != nil {
		t.Fatal(err)
	}

	return string(text)
}
