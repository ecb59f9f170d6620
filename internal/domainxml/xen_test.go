package domainxml

import (
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// onXen is a machine with everything that Xen has.
func onXen(machine string) Spec {
	spec := full()
	spec.Type, spec.Machine, spec.Emulator = Xen, machine, topology.CPUSet{}
	spec.Disks = map[string]Disk{
		"root":  {File: "/var/lib/libvirt/images/web-1.qcow2", Format: "qcow2"},
		"data":  {File: "/dev/fast/web-1-data", Format: "raw"},
		"tools": {File: "/var/lib/libvirt/images/tools.raw", Format: "raw", ReadOnly: true},
	}

	return spec
}

func TestMachineOnXenReadsAsItWasRendered(t *testing.T) {
	for _, machine := range []string{MachineXenFV, MachineXenPV} {
		text := render(t, onXen(machine))
		wellFormed(t, text)
		same(t, text, onXen(machine), parse(t, text))
	}
}

func TestEveryMachineOnXenReadsAsItWasRendered(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))

	for range rounds / 10 {
		want := randomSpec(random)
		want.Type, want.Machine, want.Pages = Xen, pick(random, MachineXenFV, MachineXenPV), Pages{}

		for name, disk := range want.Disks {
			disk.Volume, disk.File = Volume{}, "/srv/"+text(random)
			want.Disks[name] = disk
		}

		if len(want.Disks) == 0 { // a seed lies beside the boot disk
			want.Seed = nil
		}

		text := render(t, want)
		wellFormed(t, text)
		same(t, text, want, parse(t, text))

		if t.Failed() {
			return
		}
	}
}

// No Xen ran here. What holds these files is libvirt's own schema, against which "virsh define --validate" checks.
func TestGoldenMachinesAreWhatLibvirtsSchemaAllows(t *testing.T) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) < len(goldens()) {
		t.Fatalf("golden files: %v, %v", files, err)
	}

	const schema = "/usr/share/libvirt/schemas/domain.rng"

	command := exec.CommandContext(t.Context(), "xmllint", append([]string{"--noout", "--relaxng", schema}, files...)...)
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v (it needs the Debian packages libxml2-utils and libvirt0):\n%s", err, output)
	}
}
