//go:build realhost

package realhost_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

const groupPool = `
resource "hypervisor_pool" "fast" {
  host   = "server"
  name   = "fast"
  type   = "logical"
  source = { name = "vg0", devices = ["/dev/vdb"] }
}
`

// inGroup is a volume in the pool.
func inGroup(name, rest string) string {
	return fmt.Sprintf("resource \"hypervisor_volume\" %[1]q {\n  host = \"server\"\n  pool = hypervisor_pool.fast.name\n  name = %[1]q\n  %[2]s\n}\n", name, rest)
}

const volumeAddress = "hypervisor_volume.data"

// TestPoolAndVolumesLiveInAVolumeGroup makes the pool, its volume and the machine on it in one apply, so that the plan does not know
// the pool yet.
func TestPoolAndVolumesLiveInAVolumeGroup(t *testing.T) {
	on(t, "vgcreate -q vg0 /dev/vdb; lvcreate -q -L 8M -n theirs vg0; printf precious | dd of=/dev/vg0/theirs conv=notrunc status=none")
	undo(t, "vgremove -q -f vg0; pvremove -q /dev/vdb")

	machine := idleOn("db", "hypervisor_volume.data.id", small+`
  cloud_init = { user_data = "#cloud-config\n{}\n" }`)
	config := func(size string) string { return groupPool + inGroup("data", "size = "+size) + machine }
	mine := func() string { return on(t, "head -c 4 /dev/vg0/data") }

	apply(t,
		resource.TestStep{
			Config: config(`"64MiB"`),
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr("hypervisor_pool.fast", "path", "/dev/vg0"),
				resource.TestCheckResourceAttr(volumeAddress, "format", "raw"),
				resource.TestCheckResourceAttr(volumeAddress, "allocation", "full"),
				resource.TestCheckResourceAttr(volumeAddress, "path", "/dev/vg0/data"),
				check(func() {
					want(t, "lvs --noheadings -o lv_name,lv_size,segtype --units m vg0", "data 64.00m linear db.seed 4.00m linear theirs 8.00m linear")
					want(t, "ls -l /proc/$(cat /run/libvirt/qemu/db.pid)/fd | grep -c $(readlink -f /dev/vg0/data)", "1")
					on(t, "printf mine | dd of=/dev/vg0/data conv=notrunc status=none")
				}),
			),
		},
		imported("hypervisor_pool.fast", "server/fast"),
		imported(volumeAddress, "server/fast/data"),
		imported("hypervisor_vm.db", "server/db"),
		resource.TestStep{ // libvirt cannot grow it, and somebody can
			Config:      config(`"128MiB"`),
			ExpectError: flexible(`Unable to grow volume "data" ... libvirt cannot grow. ... lvextend -L 134217728b /dev/vg0/data`),
		},
		resource.TestStep{
			PreConfig:        func() { on(t, "lvextend -q -L 134217728b /dev/vg0/data") },
			Config:           config(`"128MiB"`),
			ConfigPlanChecks: planned(volumeAddress, plancheck.ResourceActionNoop),
			Check: check(func() {
				want(t, "virsh blockresize db /dev/vg0/data 134217728B", "Block device '/dev/vg0/data' is resized")
				want(t, "virsh domblkinfo db vda | grep Capacity", "Capacity: 134217728")
			}),
		},
		resource.TestStep{ // what was made of other sizes is not what is declared, and is not left
			Config:      config(`"128MiB"`) + inGroup("odd", `size = "5MiB"`),
			ExpectError: flexible(`Pool "fast" is a volume group, which rounds sizes up to whole extents: 5MiB became 8MiB. Write size = "8MiB"`),
		},
		resource.TestStep{Config: config(`"128MiB"`), Check: check(func() { want(t, "lvs --noheadings -o lv_name vg0", "data db.seed theirs") })},
		refused(config(`"128MiB"`)+inGroup("other", "size = \"8MiB\"\nformat = \"qcow2\""), `Unable to plan volume "other" ... Write format = "raw" or leave it out`),
		refused(config(`"128MiB"`)+inGroup("other", "size = \"8MiB\"\nallocation = \"thin\""), `Write allocation = "full" or leave it out`),
		refused(config(`"128MiB"`)+inGroup("other", "size = \"128MiB\"\nbacking = hypervisor_volume.data.id"), `whose volumes are no overlays`),
		resource.TestStep{ // what may be data is not deleted, nor is the pool under a machine
			Config:      groupPool,
			ExpectError: flexible(`Unable to delete volume "data" ... set protected = false`),
		},
		resource.TestStep{
			Config: strings.Replace(config(`"128MiB"`), `name = "data"`, "name = \"data\"\n  protected = false", 1),
			Check: check(func() {
				if got := mine(); got != "mine" {
					t.Errorf("The volume begins with %q", got)
				}
			}),
		},
		resource.TestStep{Config: groupPool, Check: check(func() { want(t, "lvs --noheadings -o lv_name vg0", "theirs") })},
	)

	want(t, "virsh pool-list --all --name", "default")
	want(t, "vgchange -q -ay vg0 >/dev/null; head -c 8 /dev/vg0/theirs", "precious")
}

// refused is a step whose plan is.
func refused(config, text string) resource.TestStep {
	return resource.TestStep{Config: config, PlanOnly: true, ExpectError: flexible(text)}
}

// TestImageGoesIntoAVolumeGroup has an image that is no whole number of extents, an import that compares it, and a qcow2.
func TestImageGoesIntoAVolumeGroup(t *testing.T) {
	on(t, "vgcreate -q vg0 /dev/vdb")
	undo(t, "vgremove -q -f vg0; pvremove -q /dev/vdb")

	folder := t.TempDir()
	raw, qcow2 := filepath.Join(folder, "image.raw"), filepath.Join(folder, "image.qcow2")

	content := []byte(strings.Repeat("image", 1<<20))
	if err := os.WriteFile(raw, content[:5<<20], 0o600); err != nil {
		t.Fatal(err)
	}

	header := make([]byte, 64<<10)
	copy(header, "QFI\xfb\x00\x00\x00\x03")
	header[29] = 1 // 64 KiB

	if err := os.WriteFile(qcow2, header, 0o600); err != nil {
		t.Fatal(err)
	}

	image := func(file, rest string) string {
		return groupPool + inGroup("data", fmt.Sprintf("source = { file = %q }\n%s", file, rest))
	}
	identical := func() {
		want(t, fmt.Sprintf("head -c %d /dev/vg0/data | grep -o image | wc -l", 5<<20), fmt.Sprint(1<<20))
	}

	apply(t,
		resource.TestStep{
			Config: image(raw, ""),
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr(volumeAddress, "size", "8MiB"),
				resource.TestCheckResourceAttr(volumeAddress, "format", "raw"),
				check(func() {
					want(t, "lvs --noheadings -o lv_name,lv_size --units m vg0", "data 8.00m")
					identical()
				}),
			),
		},
		imported(volumeAddress, "server/fast/data?file="+raw),
		resource.TestStep{ // larger than the image: made so at once
			Config:           image(raw, `size = "16MiB"`),
			ExpectError:      flexible(`Unable to grow volume "data"`),
			ConfigPlanChecks: resource.ConfigPlanChecks{},
		},
		resource.TestStep{Config: groupPool},
		resource.TestStep{
			Config: image(raw, `size = "16MiB"`),
			Check: check(func() {
				want(t, "lvs --noheadings -o lv_name,lv_size --units m vg0", "data 16.00m")
				identical()
			}),
		},
		resource.TestStep{Config: groupPool},
		refused(image(qcow2, ""), `qemu-img convert -O raw FROM TO`),
	)
}
