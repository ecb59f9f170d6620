//go:build realhost

package realhost_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

const sharedPool = `
resource "hypervisor_pool" "shared" {
  host   = "server"
  name   = "shared"
  type   = "netfs"
  path   = "/var/lib/libvirt/shared"
  source = { host = "localhost", dir = "/srv/export", format = "nfs" }
}
`

const sharedVolume = `
resource "hypervisor_volume" "data" {
  host = "server"
  pool = hypervisor_pool.shared.name
  name = "data.qcow2"
  size = %q
}
`

// TestPoolLivesOnAnNFSExport has the server mount what it exports itself, which is another mount of the same files.
func TestPoolLivesOnAnNFSExport(t *testing.T) {
	on(t, "mkdir -p /srv/export; printf precious >/srv/export/theirs.raw; exportfs -o rw,no_root_squash,no_subtree_check,fsid=1 localhost:/srv/export") //nolint:misspell // a program
	undo(t, "exportfs -u localhost:/srv/export; rm -r /srv/export")                                                                                     //nolint:misspell // a program

	machine := idleOn("shop", "hypervisor_volume.data.id", small)
	config := func(size string) string { return sharedPool + fmt.Sprintf(sharedVolume, size) + machine }

	apply(t,
		resource.TestStep{
			Config: config("16MiB"),
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr(volumeAddress, "format", "qcow2"),
				resource.TestCheckResourceAttr(volumeAddress, "allocation", "thin"),
				resource.TestCheckResourceAttr(volumeAddress, "path", "/var/lib/libvirt/shared/data.qcow2"),
				check(func() {
					want(t, "findmnt --noheadings --output SOURCE /var/lib/libvirt/shared", "localhost:/srv/export")
					want(t, "qemu-img info -U /srv/export/data.qcow2 | grep -c 16777216", "1")
					want(t, "ls -l /proc/$(cat /run/libvirt/qemu/shop.pid)/fd | grep -c shared/data.qcow2", "1")
				}),
			),
		},
		imported("hypervisor_pool.shared", "server/shared"),
		imported(volumeAddress, "server/shared/data.qcow2"),
		imported("hypervisor_vm.shop", "server/shop"),
		resource.TestStep{ // on the running machine
			Config:           config("32MiB"),
			ConfigPlanChecks: planned(volumeAddress, plancheck.ResourceActionUpdate),
			Check: check(func() {
				want(t, "virsh domblkinfo shop vda | grep Capacity", "Capacity: 33554432")
			}),
		},
	)

	want(t, "virsh pool-list --all --name", "default")
	want(t, "findmnt /var/lib/libvirt/shared || cat /srv/export/theirs.raw; ls /srv/export", "precioustheirs.raw")
}
