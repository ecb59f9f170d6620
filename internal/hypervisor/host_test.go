package hypervisor_test

import (
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// TestHostTellsItsTopologyAndWhoIsPinnedWhere looks at a made-up server of two sockets with 64 threads.
func TestHostTellsItsTopologyAndWhoIsPinnedWhere(t *testing.T) {
	host, err := testbed.For(t).StartHost(t.Context(), testbed.HostOptions{Name: "big", Topology: &testbed.Topology{
		Sockets: 2, CoresPerSocket: 16, ThreadsPerCore: 2, MemoryGiBPerNode: 128, HugePages2M: 1024, HugePages1G: 16,
	}})
	if err != nil {
		t.Fatal(err)
	}

	theirs := t.TempDir() + "/theirs.xml"
	write(t, theirs, `<domain type="qemu"><name>legacy-db</name><memory unit="MiB">32</memory><vcpu>2</vcpu>
  <cputune><vcpupin vcpu="0" cpuset="4"/><vcpupin vcpu="1" cpuset="36"/><emulatorpin cpuset="0,32"/></cputune>
  <os><type arch="x86_64" machine="pc">hvm</type></os></domain>`)
	virsh(t, host, "define", theirs)

	const data = "data.hypervisor_host.big"

	run(t, resource.TestStep{
		Config: onHosts(`
resource "hypervisor_volume" "root" {
  host = "big"
  name = "m1.qcow2"
  size = "1MiB"
}

resource "hypervisor_vm" "test" {
  name        = "m1"
  host        = "big"
  domain_type = "qemu"
  memory      = "32MiB"
  cpu         = { pins = ["17", "49"], emulator = "16,48" }
  disks       = { root = { volume = hypervisor_volume.root.id } }
  shutdown_timeout = "0s"
}

data "hypervisor_host" "big" {
  name       = "big"
  depends_on = [hypervisor_vm.test]
}
`, host),
		Check: resource.ComposeTestCheckFunc(
			resource.TestCheckResourceAttr(data, "facts.arch", "x86_64"),
			resource.TestCheckResourceAttr(data, "facts.cpus", "0-63"),
			resource.TestCheckResourceAttr(data, "facts.memory", "256GiB"),
			resource.TestCheckResourceAttr(data, "facts.nodes.#", "2"),
			resource.TestCheckResourceAttr(data, "facts.nodes.0.cpus", "0-15,32-47"),
			resource.TestCheckResourceAttr(data, "facts.nodes.1.memory", "128GiB"),
			resource.TestCheckResourceAttr(data, "facts.nodes.1.cores.#", "16"),
			resource.TestCheckResourceAttr(data, "facts.nodes.1.cores.1", "17,49"),
			resource.TestCheckResourceAttr(data, "facts.nodes.0.pages.2MiB", "1024"),
			resource.TestCheckResourceAttr(data, "facts.nodes.0.pages.1GiB", "16"),
			resource.TestCheckTypeSetElemAttr(data, "facts.domain_types.*", "qemu"),
			resource.TestCheckResourceAttr(data, "facts.pins.%", "1"),
			resource.TestCheckResourceAttr(data, "facts.pins.legacy-db.vcpus", "4,36"),
			resource.TestCheckResourceAttr(data, "facts.pins.legacy-db.exclusive", "false"),
			resource.TestCheckResourceAttr(data, "usage.pins.%", "1"),
			resource.TestCheckResourceAttr(data, "usage.pins.m1.vcpus", "17,49"),
			resource.TestCheckResourceAttr(data, "usage.pins.m1.emulator", "16,48"),
			resource.TestCheckResourceAttr(data, "usage.pins.m1.exclusive", "true"),
			resource.TestCheckResourceAttr(data, "usage.nodes.#", "2"),
			check(func() {
				if got := thread(t, host, "m1", "CPU 1/"); got != "49" {
					t.Errorf("vCPU 1 was asked to run on CPU %s, want 49", got)
				}
			}),
		),
	})
}
