package hypervisor_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// machine is a machine without a guest on it: its process and threads are real, and it starts in no time.
const machine = `
resource "hypervisor_volume" "root" {
  host   = "alpha"
  name   = "%[1]s.qcow2"
  size   = "1MiB"
}

resource "hypervisor_vm" "test" {
  name             = "%[1]s"
  host             = "alpha"
  domain_type      = "%[2]s"
  memory           = "32MiB"
  shutdown_timeout = "0s"
  disks            = { root = { volume = hypervisor_volume.root.id } }
  interfaces       = { lan = { bridge = "br0" } }
  %[3]s
}
`

const vmAddress = "hypervisor_vm.test"

func TestMachineLivesThroughAllItsChanges(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	kind := testbed.DomainTypeFor(t)
	config := func(rest string) string { return onHosts(fmt.Sprintf(machine, "m1", kind, rest), host) }

	first := 0

	run(t,
		resource.TestStep{
			Config: config("cpu = { pins = [\"1\"], emulator = \"0\" }\n  timeouts = { create = \"3m\", read = \"90s\" }"),
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr(vmAddress, "cpu.count", "1"),
				resource.TestCheckResourceAttr(vmAddress, "cpu.exclusive", "true"),
				resource.TestCheckResourceAttr(vmAddress, "running", "true"),
				resource.TestCheckResourceAttr(vmAddress, "autostart", "true"),
				resource.TestMatchResourceAttr(vmAddress, "interfaces.lan.mac", regexp.MustCompile(`^52:54(:[0-9a-f]{2}){4}$`)),
				check(func() {
					wantPins(t, host, "1", "0")

					first = pid(t, host)
				}),
			),
		},
		resource.TestStep{
			ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/m1", ImportStateVerify: true,
		},
		resource.TestStep{
			Config:           config(`cpu = { pins = ["0"], emulator = "1", exclusive = false }`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				wantPins(t, host, "0", "1")

				if now := pid(t, host); now != first {
					t.Errorf("The machine has the process %d after its pins changed, and had %d", now, first)
				}
			}),
		},
		resource.TestStep{ // drift: only the running machine is moved
			PreConfig:        func() { virsh(t, host, "vcpupin", "m1", "0", "1", "--live") },
			Config:           config(`cpu = { pins = ["0"], emulator = "1", exclusive = false }`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check:            check(func() { wantPins(t, host, "0", "1") }),
		},
		resource.TestStep{ // drift: only the next start would be elsewhere
			PreConfig:        func() { virsh(t, host, "emulatorpin", "m1", "0", "--config") },
			Config:           config(`cpu = { pins = ["0"], emulator = "1", exclusive = false }`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
		},
		resource.TestStep{
			Config:           config(`cpu = { count = 1 }`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				wantPins(t, host, "0-1", "0-1")

				if now := pid(t, host); now != first {
					t.Errorf("The machine has the process %d after its pins were removed, and had %d", now, first)
				}
			}),
		},
		resource.TestStep{ // paused behind our back
			PreConfig:        func() { virsh(t, host, "suspend", "m1") },
			Config:           config(`cpu = { count = 1 }`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				if state := virsh(t, host, "domstate", "m1"); state != "running" {
					t.Errorf("The machine is %s, want it running", state)
				}
			}),
		},
		resource.TestStep{
			Config: config("cpu = { count = 1 }\n  running = false\n  autostart = false"),
			Check: check(func() {
				if state := virsh(t, host, "domstate", "m1"); state != "shut off" {
					t.Errorf("The machine is %s, want it shut off", state)
				}
			}),
		},
		resource.TestStep{ // removed behind our back
			PreConfig: func() { virsh(t, host, "undefine", "m1") },
			Config:    config(`cpu = { pins = ["1"], emulator = "0" }`),
			Check:     check(func() { wantPins(t, host, "1", "0") }),
		},
	)

	wantNames(t, host, nil, nil)
}

func planned(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(vmAddress, action)}}
}

// wantPins checks where the kernel holds the vCPU and the main thread of m1.
func wantPins(t *testing.T, host *testbed.Host, vcpu, emulator string) {
	t.Helper()

	if got := thread(t, host, "m1", "CPU 0/"); got != vcpu {
		t.Errorf("The kernel holds the vCPU to CPUs %s, want %s", got, vcpu)
	}

	if got := thread(t, host, "m1", ""); got != emulator {
		t.Errorf("The kernel holds the emulator to CPUs %s, want %s", got, emulator)
	}
}

func TestMachineThatIsOffIsGivenMoreMemoryAndStaysTheSame(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := func(memory string) string {
		return onHosts(fmt.Sprintf(`
resource "hypervisor_volume" "root" {
  host = "alpha"
  name = "m1.qcow2"
  size = "1MiB"
}

resource "hypervisor_vm" "test" {
  name        = "m1"
  host        = "alpha"
  domain_type = "qemu"
  memory      = %q
  running     = false
  cpu         = { count = 1 }
  disks       = { root = { volume = hypervisor_volume.root.id } }
}
`, memory), host)
	}

	run(t,
		resource.TestStep{Config: config("32MiB")},
		resource.TestStep{Config: config("32768KiB"), ConfigPlanChecks: planned(plancheck.ResourceActionNoop)},
		resource.TestStep{Config: config("64MiB"), ConfigPlanChecks: planned(plancheck.ResourceActionUpdate)},
	)
}

func TestExclusiveCPUIsRefusedNamingItsOwner(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	kind := testbed.DomainTypeFor(t)

	second := `
resource "hypervisor_vm" "second" {
  name        = "m2"
  host        = "alpha"
  domain_type = "` + kind + `"
  memory      = "32MiB"
  running     = false
  cpu         = { pins = ["1"], exclusive = false }
  disks       = { root = { volume = hypervisor_volume.root.id } }
  depends_on  = [hypervisor_vm.test]
}
`
	first := onHosts(fmt.Sprintf(machine, "m1", kind, `cpu = { pins = ["1"], emulator = "0" }`), host)

	run(t,
		resource.TestStep{
			Config:      first + second,
			ExpectError: flexible(`Unable to create VM "m2" ... CPU 1 of host "alpha" belongs to machine "m1" alone`),
		},
		resource.TestStep{
			Config: first,
			Check:  check(func() { wantNames(t, host, []string{"m1"}, []string{"m1.qcow2"}) }),
		},
	)
}

func TestCPUThatTheHostDoesNotHaveIsRefusedInThePlan(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]

	run(t, resource.TestStep{
		Config:      onHosts(fmt.Sprintf(machine, "m1", "qemu", `cpu = { pins = ["5000"] }`), host),
		PlanOnly:    true,
		ExpectError: flexible(`Unable to plan VM "m1" ... The vCPU 0 is pinned to CPU 5000, which host "alpha" does not have. It has the CPUs 0-1: pin the vCPU to one of these`),
	})

	wantNames(t, host, nil, nil)
}

func TestMachineOfTheNameIsNotTakenOver(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := onHosts(fmt.Sprintf(machine, "m1", "qemu", "cpu = { count = 1 }\n  running = false"), host)

	// Ours and complete, but of another declaration: what two states that both declare an m1 would see.
	run(t,
		resource.TestStep{Config: config},
		resource.TestStep{
			Config: config + `
resource "hypervisor_vm" "again" {
  name        = "m1"
  host        = "alpha"
  domain_type = "qemu"
  memory      = "64MiB"
  running     = false
  cpu         = { count = 1 }
  disks       = { root = { volume = hypervisor_volume.root.id } }
}
`,
			ExpectError: flexible(`Unable to create VM "m1" ... Host "alpha" has a machine of this name already. Import it (its import id is "alpha/m1"), remove it, or choose another name`),
		},
	)
}

func TestAddressOfAGuestComesFromTheHostsDHCPServer(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	network := t.TempDir() + "/network.xml"
	write(t, network, `<network><name>inside</name><bridge name="virbr9"/><ip address="10.78.9.1" netmask="255.255.255.0"><dhcp><range start="10.78.9.10" end="10.78.9.99"/></dhcp></ip></network>`)
	virsh(t, host, "net-create", network)

	run(t, resource.TestStep{
		Config: onHosts(fmt.Sprintf(`
resource "hypervisor_volume" "image" {
  host   = "alpha"
  name   = "image.qcow2"
  source = { file = %q }
}

resource "hypervisor_volume" "root" {
  host    = "alpha"
  name    = "m1.qcow2"
  backing = hypervisor_volume.image.id
}

resource "hypervisor_vm" "test" {
  name             = "m1"
  host             = "alpha"
  domain_type      = %q
  memory           = "128MiB"
  shutdown_timeout = "0s"
  cpu              = { count = 1 }
  disks            = { root = { volume = hypervisor_volume.root.id } }
  interfaces       = { lan = { network = "inside" } }
  wait_for         = { address = "lan" }
}
`, testbed.ImageFor(t), testbed.DomainTypeFor(t)), host),
		Check: resource.TestMatchResourceAttr(vmAddress, "addresses.lan.0", regexp.MustCompile(`^10\.78\.9\.\d+$`)),
	})

	wantNames(t, host, nil, nil)
}

func TestWaitThatIsInVainSaysWhatItSawAndKeepsTheMachine(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	kind := testbed.DomainTypeFor(t)

	run(t,
		resource.TestStep{
			Config: onHosts(fmt.Sprintf(machine, "m1", kind, `cpu = { count = 1 }
  wait_for = { tcp = "127.0.0.1:1" }
  timeouts = { create = "4s" }`), host),
			ExpectError: flexible(`Unable to create VM "m1" ... Gave up waiting for 127.0.0.1:1 to accept connections after ... last seen: ... connection ... virsh console m1`),
		},
		resource.TestStep{ // the failed machine is in the state, and the next apply replaces it
			PreConfig: func() { wantNames(t, host, []string{"m1"}, []string{"m1.qcow2"}) },
			Config:    onHosts(fmt.Sprintf(machine, "m1", kind, `cpu = { count = 1 }`), host),
			Check:     check(func() { wantNames(t, host, []string{"m1"}, []string{"m1.qcow2"}) }),
		},
	)

	wantNames(t, host, nil, nil)
}

// TestMachineOfAnotherToolIsImportedWithItsDisks has its disk by path, as virt-install writes it.
func TestMachineOfAnotherToolIsImportedWithItsDisks(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	virsh(t, host, "vol-create-as", "default", "theirs.qcow2", "1M", "--format", "qcow2")

	definition := t.TempDir() + "/theirs.xml"
	write(t, definition, `<domain type="qemu"><name>theirs</name><memory unit="MiB">32</memory><vcpu>1</vcpu>
  <os><type arch="x86_64" machine="pc">hvm</type></os><devices>
    <disk type="file" device="disk"><driver name="qemu" type="qcow2"/><source file="/var/lib/libvirt/images/theirs.qcow2"/><target dev="vda" bus="virtio"/></disk>
  </devices></domain>`)
	virsh(t, host, "define", definition)

	config := onHosts(`
resource "hypervisor_vm" "test" {
  name        = "theirs"
  host        = "alpha"
  domain_type = "qemu"
  machine     = "pc"
  memory      = "32MiB"
  running     = false
  autostart   = false
  cpu         = { count = 1, exclusive = false }
  disks       = { vda = { volume = "alpha/default/theirs.qcow2" } }
}
`, host)

	run(t,
		resource.TestStep{
			Config: config, ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/theirs", ImportStatePersist: true,
		},
		resource.TestStep{Config: config, ConfigPlanChecks: planned(plancheck.ResourceActionNoop)},
	)

	wantNames(t, host, nil, []string{"theirs.qcow2"})
}

// TestRenamedMachineTakesOverTheCPUsOfTheOneThatGoes has a guest that takes its time to power off.
func TestRenamedMachineTakesOverTheCPUsOfTheOneThatGoes(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	kind := testbed.DomainTypeFor(t)
	config := func(resource, name string) string {
		return onHosts(fmt.Sprintf(`
resource "hypervisor_volume" "m1" {
  host = "alpha"
  name = "m1.qcow2"
  size = "1MiB"
}

resource "hypervisor_volume" "m2" {
  host = "alpha"
  name = "m2.qcow2"
  size = "1MiB"
}

resource "hypervisor_vm" %q {
  name             = %q
  host             = "alpha"
  domain_type      = %q
  memory           = "32MiB"
  shutdown_timeout = "7s"
  cpu              = { pins = ["1"], emulator = "0" }
  disks            = { root = { volume = hypervisor_volume.%s.id } }
}
`, resource, name, kind, name), host)
	}

	run(t,
		resource.TestStep{Config: config("one", "m1")},
		resource.TestStep{
			Config: config("two", "m2"),
			Check:  check(func() { wantNames(t, host, []string{"m2"}, []string{"m1.qcow2", "m2.qcow2"}) }),
		},
	)
}
