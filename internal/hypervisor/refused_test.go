package hypervisor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// TestWhatTheHostWouldRefuseIsRefusedBeforeAnythingChanges edits a machine into what cannot be, and finds it as it was each time.
func TestWhatTheHostWouldRefuseIsRefusedBeforeAnythingChanges(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := func(cpu, devices string) string {
		return onHosts(fmt.Sprintf(`
resource "hypervisor_volume" "root" {
  host = "alpha"
  name = "m1.qcow2"
  size = "1MiB"
}

resource "hypervisor_vm" "test" {
  name             = "m1"
  host             = "alpha"
  domain_type      = %q
  memory           = "32MiB"
  shutdown_timeout = "0s"
  cpu              = %s
  %s
}
`, testbed.DomainTypeFor(t), cpu, devices), host)
	}

	const (
		one  = "{ count = 1 }"
		root = "disks = { root = { volume = hypervisor_volume.root.id } }\n"
	)

	first, definition := 0, ""
	untouched := func() {
		if now := pid(t, host); now != first {
			t.Errorf("The machine has the process %d, and had %d", now, first)
		}

		if now := virsh(t, host, "dumpxml", "--inactive", "m1"); now != definition {
			t.Errorf("The definition was\n%s\nand is\n%s", definition, now)
		}
	}

	steps := []resource.TestStep{{
		Config: config(one, root),
		Check:  check(func() { first, definition = pid(t, host), virsh(t, host, "dumpxml", "--inactive", "m1") }),
	}}

	for _, test := range []struct{ cpu, devices, want string }{
		{"{ count = 300 }", root + `allow_change = "reboot"`, `Unable to plan VM "m1" ... is to have 300 vCPUs, and the machine type "q35" of host "alpha" has at most 288. Give it fewer.`},
		{one, root + "cpu_model = \"EPIC\"\nallow_change = \"reboot\"", `Unable to plan VM "m1" ... Host "alpha" knows no CPU model "EPIC". Name one that it has`},
		{one, root + `interfaces = { lan = { network = "nowhere" } }`, `Unable to update VM "m1" ... Interface "lan": host "alpha" has no network "nowhere". Make it with hypervisor_network, or name another one.`},
		{one, root + `interfaces = { lan = { bridge = "br77" } }`, `Unable to update VM "m1" ... Interface "lan": host "alpha" has no bridge "br77". Make it there, or name another one.`},
		{one, `disks = { root = { volume = hypervisor_volume.root.id }, data = { volume = "alpha/default/nothing" } }`, `Unable to update VM "m1" ... Disk "data": host "alpha" has no volume "nothing" in pool "default". Make it with hypervisor_volume, or name another one`},
		{one, root + "memory_backing = { page_size = \"1GiB\" }\nallow_change = \"reboot\"", `Unable to update VM "m1" ... needs 1 huge pages of 1GiB, and host "alpha" has 0 free for it. Reserve more`},
		{one, root + "machine = \"pc\"\nallow_change = \"replace\"\ninterfaces = { lan = { network = \"nowhere\" } }", `Unable to plan VM "m1" ... would be destroyed, and the one in its place could not be made: host "alpha" has no network "nowhere".`},
		{one, "disks = { root = { volume = \"alpha/default/nothing\" } }\nmachine = \"pc\"\nallow_change = \"replace\"", `Unable to plan VM "m1" ... could not be made: host "alpha" has no volume "nothing" in pool "default".`},
		{one, root + "machine = \"pc\"\nallow_change = \"replace\"\nnuma_nodes = [{ cpus = \"0\", memory = \"32MiB\", host_node = 7 }]", `Unable to plan VM "m1" ... could not be made: NUMA node 0 of the guest is bound to node 7 of host "alpha", which has`},
		{one, root + "machine = \"pc\"\nallow_change = \"replace\"\nmemory_backing = { page_size = \"1GiB\" }", `Unable to plan VM "m1" ... could not be made: the machine needs 1 huge pages of 1GiB, and host "alpha" has 0 free for it.`},
	} {
		steps = append(steps,
			resource.TestStep{Config: config(test.cpu, test.devices), ExpectError: flexible(test.want)},
			resource.TestStep{Config: config(one, root), Check: check(untouched)})
	}

	run(t, steps...)
}

// TestDefinitionThatTheHostDoesNotStoreLeavesTheMachineAsItWas edits a machine while its host cannot store a definition, as with
// a full disk, which no plan sees.
func TestDefinitionThatTheHostDoesNotStoreLeavesTheMachineAsItWas(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	kind := testbed.DomainTypeFor(t)
	config := func(rest string) string { return onHosts(fmt.Sprintf(machine, "m1", kind, rest), host) }
	obstacle := filepath.Join(host.Folder(), "etc/qemu/m1.xml.new") // where libvirt writes a definition first

	before, after := config("cpu = { count = 1, maximum = 2 }"), config("cpu = { count = 2, maximum = 2 }")
	first, definition := 0, ""
	as := func(count string) resource.TestCheckFunc {
		return resource.TestCheckResourceAttr(vmAddress, "cpu.count", count)
	}

	run(t,
		resource.TestStep{Config: before, Check: check(func() {
			first, definition = pid(t, host), virsh(t, host, "dumpxml", "--inactive", "m1")

			if err := os.Mkdir(obstacle, 0o700); err != nil {
				t.Fatal(err)
			}
		})},
		resource.TestStep{
			Config:      after,
			ExpectError: flexible(`Unable to update VM "m1" ... Define the machine on host "alpha": ... '/etc/libvirt/qemu/m1.xml.new'`),
		},
		resource.TestStep{
			PreConfig: func() {
				if now := virsh(t, host, "dumpxml", "--inactive", "m1"); now != definition {
					t.Errorf("The definition was\n%s\nand is\n%s", definition, now)
				}

				if now := pid(t, host); now != first {
					t.Errorf("The machine has the process %d, and had %d", now, first)
				}
			},
			Config: before, PlanOnly: true, // the state is as it was too
		},
		resource.TestStep{
			PreConfig: func() {
				if err := os.Remove(obstacle); err != nil {
					t.Fatal(err)
				}
			},
			Config: after,
			Check: resource.ComposeTestCheckFunc(as("2"), check(func() {
				if now := pid(t, host); now != first {
					t.Errorf("The machine has the process %d, and had %d", now, first)
				}
			})),
		},
	)
}
