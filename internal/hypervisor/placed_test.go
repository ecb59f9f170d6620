package hypervisor_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

func TestMachineGoesFromItsOwnPinsToAPlacementAsItRuns(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	kind := testbed.DomainTypeFor(t)
	by := func(where string) string {
		return onHosts(fmt.Sprintf(strings.Replace(machine, `  host             = "alpha"`, "", 1), "m1", kind, where), host)
	}
	first := 0

	run(t,
		resource.TestStep{
			Config: by("host = \"alpha\"\n cpu = { pins = [\"1\"], emulator = \"0\" }"),
			Check:  check(func() { first = pid(t, host) }),
		},
		resource.TestStep{
			Config:           by(`placement = { host = "alpha", pins = ["1"], emulator = "0", memory = "32MiB" }`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
		},
		resource.TestStep{ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/m1", ImportStateVerify: true},
		resource.TestStep{
			Config:           by(`placement = { host = "alpha", pins = ["0"], emulator = "1" }`),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				wantPins(t, host, "0", "1")

				if now := pid(t, host); now != first {
					t.Errorf("The machine has the process %d after its placement changed, and had %d", now, first)
				}
			}),
		},
		resource.TestStep{
			Config:           by("host = \"alpha\"\n cpu = { pins = [\"0\"], emulator = \"1\" }"),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
		},
	)
}

// TestPlacedMachineGrowsAsItRuns gives a machine that was started with room for it the vCPUs that its placement says.
func TestPlacedMachineGrowsAsItRuns(t *testing.T) {
	host := server64(t, testbed.For(t), "alpha")
	kind := testbed.DomainTypeFor(t)
	by := func(where string) string {
		return onHosts(fmt.Sprintf(strings.Replace(machine, `  host             = "alpha"`, "", 1), "m1", kind, where), host)
	}
	grown := by("placement = { host = \"alpha\", pins = [\"1\", \"33\"], emulator = \"0\" }\n cpu = { maximum = 4 }")
	first := 0

	wantVCPUs := func(want string) resource.TestCheckFunc {
		return check(func() {
			if got := virsh(t, host, "vcpucount", "m1", "--live", "--current"); got != want {
				t.Errorf("The machine runs with %s vCPUs, want %s", got, want)
			}

			if now := pid(t, host); now != first {
				t.Errorf("The machine has the process %d, and had %d", now, first)
			}
		})
	}

	run(t,
		resource.TestStep{
			Config:      by("placement = { host = \"alpha\", pins = [\"1\", \"33\"] }\n cpu = { maximum = 1 }"),
			ExpectError: flexible(`The machine is to have 2 vCPUs and at most 1. Raise maximum, or leave it out`),
		},
		resource.TestStep{
			Config: by("placement = { host = \"alpha\", pins = [\"1\"], emulator = \"0\" }\n cpu = { maximum = 4 }"),
			Check:  check(func() { first = pid(t, host) }),
		},
		resource.TestStep{
			Config:           grown,
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check:            resource.ComposeTestCheckFunc(wantVCPUs("2"), check(func() { wantPins(t, host, "1", "0") })),
		},
		resource.TestStep{ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/m1", ImportStateVerify: true},
		resource.TestStep{ // where it runs is decided in the apply
			Config: "resource \"terraform_data\" \"pin\" {\n  input = \"34\"\n}\n" +
				by("placement = { host = \"alpha\", pins = [\"1\", \"33\", terraform_data.pin.output], emulator = \"0\" }\n cpu = { maximum = 4 }"),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check:            wantVCPUs("3"),
		},
		resource.TestStep{ // without the placement nothing holds it to CPUs any more
			Config:           by("host = \"alpha\"\n cpu = { count = 3, maximum = 4 }"),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: resource.ComposeTestCheckFunc(wantVCPUs("3"),
				resource.TestCheckNoResourceAttr(vmAddress, "cpu.pins.#"), resource.TestCheckNoResourceAttr(vmAddress, "cpu.emulator")),
		},
	)
}

// TestRunningMachinesChangePlaces has machines take each other's CPUs in one apply: two that change places, and a row of
// three of which each takes the next one's.
func TestRunningMachinesChangePlaces(t *testing.T) {
	host := server64(t, testbed.For(t), "alpha")
	kind := testbed.DomainTypeFor(t)
	names := []string{"a", "b", "c", "d", "e"}

	config := func(cpus ...int) string {
		text := "resource \"hypervisor_volume\" \"root\" {\n  host = \"alpha\"\n  name = \"root.qcow2\"\n  size = \"1MiB\"\n}\n"
		for i, name := range names {
			text += fmt.Sprintf(`
resource "hypervisor_vm" %[1]q {
  name             = %[1]q
  placement        = { host = "alpha", pins = ["%[2]d", "%[3]d"], emulator = "0,32" }
  domain_type      = %[4]q
  memory           = "32MiB"
  shutdown_timeout = "0s"
  disks            = { root = { volume = hypervisor_volume.root.id, read_only = true } }
}
`, name, cpus[i], cpus[i]+32, kind)
		}

		return onHosts(text, host)
	}

	pids := map[string]int{}
	at := func(cpus ...int) resource.TestCheckFunc {
		return check(func() {
			for i, name := range names {
				if got := affinities(virsh(t, host, "vcpupin", name, "--live")); !slices.Equal(got, []string{fmt.Sprint(cpus[i]), fmt.Sprint(cpus[i] + 32)}) {
					t.Errorf("%s has the CPUs %v, want it on %d and its sibling", name, got, cpus[i])
				}

				now := process(t, host, name)
				if first, known := pids[name]; known && first != now {
					t.Errorf("%s has the process %d, and had %d", name, now, first)
				}

				pids[name] = now
			}

			if owner := owners(t, host); len(owner) != 2*len(names) {
				t.Errorf("The machines have the CPUs %v alone", owner)
			}
		})
	}

	run(t,
		resource.TestStep{Config: config(1, 2, 3, 4, 5), Check: at(1, 2, 3, 4, 5)},
		resource.TestStep{Config: config(2, 1, 4, 5, 6), Check: at(2, 1, 4, 5, 6)},
		resource.TestStep{Config: config(1, 4, 5, 6, 2), Check: at(1, 4, 5, 6, 2)},
	)
}

// TestMachineOnHugePagesIsBoundToItsNodes only defines the machine: a guest on huge pages takes real ones to start.
func TestMachineOnHugePagesIsBoundToItsNodes(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := func(placement string) string {
		return onHosts(fmt.Sprintf(strings.Replace(machine, `  host             = "alpha"`, "", 1), "m1", "qemu",
			"running = false\n placement = { host = \"alpha\", pins = [\"1\"], "+placement+" }"), host)
	}

	run(t,
		resource.TestStep{
			Config: config(`memory = "32MiB", page_size = "2MiB", nodes = [0]`),
			Check: check(func() {
				spec, err := domainxml.Parse(virsh(t, host, "dumpxml", "m1"))
				if err != nil || spec.Pages.Size != 2<<20 || spec.Pages.Nodes.String() != "0" {
					t.Errorf("libvirt has the huge pages %+v for the machine: %v", spec.Pages, err)
				}
			}),
		},
		resource.TestStep{ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/m1", ImportStateVerify: true},
		resource.TestStep{Config: config(`memory = "32768KiB", page_size = "2048KiB", nodes = [0]`), ConfigPlanChecks: planned(plancheck.ResourceActionNoop)},
		resource.TestStep{Config: config(`nodes = [0]`), ConfigPlanChecks: planned(plancheck.ResourceActionUpdate)},
		resource.TestStep{Config: config(`memory = "32MiB"`), ConfigPlanChecks: planned(plancheck.ResourceActionUpdate)},
	)
}
