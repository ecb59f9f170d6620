//go:build cgo

package libvirt

import (
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
)

// On a host with AppArmor the definitions have paths, and whoever reads them has volumes.
func TestConfinedMachineReadsTheSameFromLibvirt(t *testing.T) {
	bed, host := alpha(t)
	confine(t, host)
	readsTheSame(t, host)

	must(t, host.CreateVolume(t.Context(), VolumeSpec{Pool: "default", Name: "more", Format: "raw", Capacity: 1 << 20}))
	must(t, host.ChangeDevice(t.Context(), idleUUID, Attach, `<disk type="volume" device="disk"><driver name="qemu" type="raw"></driver>`+
		`<source pool="default" volume="more"></source><target dev="vdx" bus="virtio"></target><serial>more</serial></disk>`))

	if more := spec(t, machine(t, host).LiveXML).Disks["more"].Volume; more != (domainxml.Volume{Pool: "default", Name: "more"}) {
		t.Errorf("the disk that was attached is %v", more)
	}

	// A seed comes after the definition of its machine.
	const laterUUID = "5a2f1c1e-0000-4000-8000-00000000000a"

	later := strings.NewReplacer("<name>web-1", "<name>later", idleUUID, laterUUID).Replace(machine(t, host).XML)
	must(t, host.Define(t.Context(), strings.Replace(later, "<devices>", `<devices><disk type="volume" device="disk"><driver name="qemu" type="raw"></driver>`+
		`<source pool="default" volume="later.seed"></source><target dev="vdy" bus="virtio"></target><serial>seed</serial></disk>`, 1)))

	found, err := host.Domain(t.Context(), laterUUID)
	must(t, err)

	if seed := spec(t, found.XML).Disks["seed"]; seed.Volume != (domainxml.Volume{Pool: "default", Name: "later.seed"}) {
		t.Errorf("the disk whose volume is not there yet is %+v", seed)
	}

	must(t, host.Undefine(t.Context(), laterUUID))

	open := machine(t, client(bed)) // as it is, without the help
	for which, text := range map[string]string{"stored": open.XML, "live": open.LiveXML} {
		for name, disk := range spec(t, text).Disks {
			if disk.File != "/var/lib/libvirt/images/"+name {
				t.Errorf("disk %q of the %s machine is %+v, not given by its path", name, which, disk)
			}
		}

		if strings.Contains(text, "<source pool=") {
			t.Errorf("a disk of the %s machine is given by its pool:\n%s", which, text)
		}
	}
}

// confine has the client take its host for one with AppArmor.
func confine(t *testing.T, host *Host) {
	t.Helper()

	conn, err := host.connect(t.Context())
	must(t, err)

	defer conn.close()

	confined, ok := conn.(*confining)
	if !ok {
		t.Fatalf("the connection is a %T", conn)
	}

	confined.confined = func() (bool, error) { return true, nil }
}
