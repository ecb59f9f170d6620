package hypervisor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

const volumes = `
resource "hypervisor_volume" "image" {
  host   = "alpha"
  name   = "image.qcow2"
  source = { file = %q }
}

resource "hypervisor_volume" "overlay" {
  host    = "alpha"
  name    = "overlay.qcow2"
  backing = hypervisor_volume.image.id
  %s
}
`

func TestVolumesLiveThroughAllTheirChanges(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	image := testbed.ImageFor(t)
	config := func(size string) string { return onHosts(fmt.Sprintf(volumes, image, size), host) }
	lacking := func(rest string) string {
		return onHosts("resource \"hypervisor_volume\" \"image\" {\n  host = \"alpha\"\n  name = \"lost.qcow2\"\n  "+rest+"\n}\n", host)
	}

	run(t,
		resource.TestStep{
			Config:      lacking("pool = \"none\"\n  size = \"1MiB\""),
			ExpectError: flexible(`Host "alpha" has no pool "none". Make it with hypervisor_pool or, on the host, with virsh pool-define-as`),
		},
		resource.TestStep{
			Config:      lacking(`backing = "alpha/default/none.qcow2"`),
			ExpectError: flexible(`The volume below is missing: find volume "none.qcow2" in pool "default" of host "alpha": not found. Make it on this host first`),
		},
		resource.TestStep{
			Config: config(""),
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr("hypervisor_volume.image", "id", "alpha/default/image.qcow2"),
				resource.TestCheckResourceAttr("hypervisor_volume.image", "format", "qcow2"),
				resource.TestCheckResourceAttr("hypervisor_volume.overlay", "size", "24MiB"),
				check(func() {
					xml := virsh(t, host, "vol-dumpxml", "--pool", "default", "overlay.qcow2")
					if !strings.Contains(xml, "<path>/var/lib/libvirt/images/image.qcow2</path>") {
						t.Errorf("The overlay does not stand on the image:\n%s", xml)
					}
				}),
			),
		},
		resource.TestStep{
			ResourceName: "hypervisor_volume.overlay", ImportState: true, ImportStateId: "alpha/default/overlay.qcow2", ImportStateVerify: true,
		},
		resource.TestStep{
			ResourceName: "hypervisor_volume.image", ImportState: true, ImportStateId: "alpha/default/image.qcow2?file=" + image, ImportStateVerify: true,
		},
		resource.TestStep{
			Config: config(`size = "48MiB"`),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("hypervisor_volume.overlay", plancheck.ResourceActionUpdate),
			}},
			Check: check(func() { wantCapacity(t, host, "48.00 MiB") }),
		},
		resource.TestStep{
			Config:      config(`size = "32MiB"`),
			ExpectError: flexible(`Unable to shrink volume "overlay.qcow2" ... It has 48MiB, and size is 32MiB. A volume only grows`),
		},
		resource.TestStep{
			PreConfig: func() { virsh(t, host, "vol-delete", "--pool", "default", "overlay.qcow2") },
			Config:    config(`size = "48MiB"`),
			Check:     check(func() { wantCapacity(t, host, "48.00 MiB") }),
		},
	)

	wantNames(t, host, nil, nil)
}

func wantCapacity(t *testing.T, host *testbed.Host, want string) {
	t.Helper()

	if info := virsh(t, host, "vol-info", "--pool", "default", "overlay.qcow2"); !strings.Contains(info, want) {
		t.Errorf("The overlay does not have %s:\n%s", want, info)
	}
}

func TestDiskOfARunningMachineGrows(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	kind := testbed.DomainTypeFor(t)
	config := func(size string) string {
		return onHosts(strings.Replace(fmt.Sprintf(machine, "m1", kind, `cpu = { count = 1 }`), "1MiB", size, 1), host)
	}

	first := 0

	run(t,
		resource.TestStep{Config: config("1MiB"), Check: check(func() { first = pid(t, host) })},
		resource.TestStep{
			Config: config("8MiB"),
			Check: check(func() {
				if info := virsh(t, host, "domblkinfo", "m1", "vda"); !strings.Contains(info, "8388608") {
					t.Errorf("The running machine does not see the new size:\n%s", info)
				}

				if now := pid(t, host); now != first {
					t.Errorf("The machine has the process %d after its disk grew, and had %d", now, first)
				}
			}),
		},
	)
}

// TestInterruptedUploadIsMadeAnew leaves what an upload leaves that was killed in the middle.
func TestInterruptedUploadIsMadeAnew(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	virsh(t, host, "vol-create-as", "default", "image.qcow2.uploading", "0")
	virsh(t, host, "vol-create-as", "default", "image.qcow2", "1M")

	run(t, resource.TestStep{
		Config: onHosts(fmt.Sprintf(volumes, testbed.ImageFor(t), ""), host),
		Check: check(func() {
			wantNames(t, host, nil, []string{"image.qcow2", "overlay.qcow2"})

			copied := filepath.Join(t.TempDir(), "copy")
			virsh(t, host, "vol-download", "--pool", "default", "image.qcow2", copied)

			if !same(t, copied, testbed.ImageFor(t)) {
				t.Error("The uploaded image is not the image")
			}
		}),
	})
}

func TestVolumeOfTheNameIsNotOverwritten(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	virsh(t, host, "vol-create-as", "default", "image.qcow2", "1M")

	run(t, resource.TestStep{
		Config:      onHosts(fmt.Sprintf(volumes, testbed.ImageFor(t), ""), host),
		ExpectError: flexible(`Pool "default" of host "alpha" has a volume of this name already, and its content is not the image's`),
	})

	wantNames(t, host, nil, []string{"image.qcow2"})
}

func TestVolumeBelowAnOverlayIsNotDeleted(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	image := fmt.Sprintf("resource \"hypervisor_volume\" \"image\" {\n  host = \"alpha\"\n  name = \"image.qcow2\"\n  source = { file = %q }\n}\n", testbed.ImageFor(t))

	run(t,
		resource.TestStep{
			Config: onHosts(image, host),
			Check: check(func() {
				virsh(t, host, "vol-create-as", "default", "theirs.qcow2", "24M", "--format", "qcow2", "--backing-vol", "image.qcow2", "--backing-vol-format", "qcow2")
			}),
		},
		resource.TestStep{
			Config:      onHosts("", host),
			ExpectError: flexible(`Unable to delete volume "image.qcow2" ... Volume "theirs.qcow2" of pool "default" is an overlay on it and would be lost with it`),
		},
		resource.TestStep{
			PreConfig: func() { virsh(t, host, "vol-delete", "--pool", "default", "theirs.qcow2") },
			Config:    onHosts(image, host),
		},
	)
}

// TestVolumeThatAForeignMachineHasAsAFileIsNotDeleted has the disk as virt-install gives it: by its path.
func TestVolumeThatAForeignMachineHasAsAFileIsNotDeleted(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	empty := "resource \"hypervisor_volume\" \"empty\" {\n  host = \"alpha\"\n  name = \"empty.qcow2\"\n  size = \"1MiB\"\n}\n"

	run(t,
		resource.TestStep{
			Config: onHosts(empty, host),
			Check: check(func() {
				definition := filepath.Join(t.TempDir(), "theirs.xml")
				text := fmt.Sprintf(`<domain type="qemu"><name>theirs</name><memory unit="MiB">32</memory><os><type arch="x86_64">hvm</type></os>
<devices><disk type="file" device="disk"><driver name="qemu" type="qcow2"/><source file=%q/><target dev="vda" bus="virtio"/></disk></devices></domain>`,
					virsh(t, host, "vol-path", "empty.qcow2", "--pool", "default"))

				if err := os.WriteFile(definition, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}

				virsh(t, host, "define", definition)
			}),
		},
		resource.TestStep{
			Config:      onHosts("", host),
			ExpectError: flexible(`Unable to delete volume "empty.qcow2" ... Machine "theirs" of host "alpha" uses it. Remove the machine or its disk first`),
		},
		resource.TestStep{
			PreConfig: func() { virsh(t, host, "undefine", "theirs") },
			Config:    onHosts(empty, host),
		},
	)
}

func same(t *testing.T, a, b string) bool {
	t.Helper()

	left, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}

	right, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}

	return string(left) == string(right)
}
