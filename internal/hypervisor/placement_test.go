package hypervisor_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// A fleet without guests. Its blocks are written out, since the testing framework knows no for_each.
const (
	placedHosts = `
data "hypervisor_host" %[1]q {
  name = %[1]q
}
`
	placedFleet = `
resource "hypervisor_placement" "shop" {
  hosts    = { %s }
  machines = { %s }
  %s
}
`
	placedMachine = `
resource "hypervisor_volume" %[1]q {
  host = hypervisor_placement.shop.assignments[%[1]q].host
  name = "%[1]s.qcow2"
  size = "1MiB"
}

resource "hypervisor_vm" %[1]q {
  name             = %[1]q
  placement        = hypervisor_placement.shop.assignments[%[1]q]
  domain_type      = %[2]q
  memory           = "32MiB"
  shutdown_timeout = "0s"
  disks            = { root = { volume = hypervisor_volume.%[1]s.id } }
  allow_change     = "replace"
}
`
)

// small is a machine of 32 MiB that takes whole cores.
func small(name string, vcpus int) string {
	return fmt.Sprintf(`%s = { vcpus = %d, memory = "32MiB" }`, name, vcpus)
}

// server64 starts a host with two sockets and 64 threads, CPU n and CPU n+32 being siblings.
func server64(t *testing.T, bed *testbed.Bed, name string) *testbed.Host {
	t.Helper()

	host, err := bed.StartHost(t.Context(), testbed.HostOptions{Name: name, Topology: &testbed.Topology{
		Sockets: 2, CoresPerSocket: 16, ThreadsPerCore: 2, MemoryGiBPerNode: 128,
	}})
	if err != nil {
		t.Fatal(err)
	}

	return host
}

// onServers is the fleet on the hosts.
func onServers(t *testing.T, machines []string, rest string, hosts ...*testbed.Host) string {
	t.Helper()

	var text strings.Builder

	var facts []string

	for _, host := range hosts {
		fmt.Fprintf(&text, placedHosts, host.Name())
		facts = append(facts, fmt.Sprintf("%[1]s = data.hypervisor_host.%[1]s.facts", host.Name()))
	}

	fmt.Fprintf(&text, placedFleet, strings.Join(facts, ", "), strings.Join(machines, ", "), rest)

	for _, machine := range machines {
		fmt.Fprintf(&text, placedMachine, strings.Fields(machine)[0], testbed.DomainTypeFor(t))
	}

	return onHosts(text.String(), hosts...)
}

// assigned are the CPUs of each vCPU that a state's placement says, and the emulator's last, by machine and host.
func assigned(s *terraform.State) map[string]map[string][]string {
	attributes := s.RootModule().Resources[fleetAddress].Primary.Attributes
	all := map[string]map[string][]string{}

	for key, host := range attributes {
		name, isHost := strings.CutSuffix(key, ".host")
		if !isHost {
			continue
		}

		var cpus []string
		for vcpu := 0; attributes[fmt.Sprintf("%s.pins.%d", name, vcpu)] != ""; vcpu++ {
			cpus = append(cpus, attributes[fmt.Sprintf("%s.pins.%d", name, vcpu)])
		}

		if all[host] == nil {
			all[host] = map[string][]string{}
		}

		all[host][strings.TrimPrefix(name, "assignments.")] = append(cpus, attributes[name+".emulator"])
	}

	return all
}

// wantAsPlanned checks that libvirt reports on each host the machines that the placement put there, running, and exactly
// the pins that it planned.
func wantAsPlanned(t *testing.T, machines int, hosts ...*testbed.Host) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		found := 0

		for _, host := range hosts {
			planned := assigned(s)[host.Name()]

			running := strings.Fields(virsh(t, host, "list", "--name"))
			if slices.Sort(running); !slices.Equal(running, slices.Sorted(maps.Keys(planned))) {
				t.Errorf("On %s run the machines %v, planned are %v", host.Name(), running, planned)

				continue
			}

			for name, want := range planned {
				found++

				for _, definition := range []string{"--live", "--config"} {
					got := append(affinities(virsh(t, host, "vcpupin", name, definition)), affinities(virsh(t, host, "emulatorpin", name, definition))...)
					if !slices.Equal(got, want) {
						t.Errorf("libvirt reports the pins %v of %s on %s (%s), planned are %v", got, name, host.Name(), definition, want)
					}
				}
			}
		}

		if found != machines {
			t.Errorf("%d machines run where they were planned, want %d", found, machines)
		}

		return nil
	}
}

// affinities are the CPU sets in the last column of the table that virsh prints, in its order.
func affinities(printed string) []string {
	var cpus []string

	for line := range strings.Lines(printed) {
		columns := strings.Fields(line)
		if len(columns) == 0 {
			continue
		}

		if set, err := topology.ParseCPUSet(columns[len(columns)-1]); err == nil {
			cpus = append(cpus, set.String())
		}
	}

	return cpus
}

func action(machine string, want plancheck.ResourceActionType) plancheck.PlanCheck {
	return plancheck.ExpectResourceAction("hypervisor_vm."+machine, want)
}

func TestFleetRunsExactlyWhereThePlanPutIt(t *testing.T) {
	bed := testbed.For(t)
	host := server64(t, bed, "alpha")
	fleet := []string{small("db", 8), small("web-1", 2), small("web-2", 2)}

	run(t,
		resource.TestStep{
			Config: onServers(t, fleet, "", host),
			Check: resource.ComposeTestCheckFunc(
				wantAsPlanned(t, 3, host),
				resource.TestCheckResourceAttr(`hypervisor_vm.db`, "host", "alpha"),
				resource.TestCheckResourceAttr(`hypervisor_vm.db`, "cpu.count", "8"),
				resource.TestCheckResourceAttr(`hypervisor_vm.db`, "cpu.exclusive", "true"),
			),
		},
		resource.TestStep{ResourceName: `hypervisor_vm.db`, ImportState: true, ImportStateId: "alpha/db", ImportStateVerify: true},
		resource.TestStep{ // one more: nothing else is in the plan
			Config: onServers(t, append(fleet, small("a-first", 4)), "", host),
			ConfigPlanChecks: before(noMoves(), action("a-first", plancheck.ResourceActionCreate), action("db", plancheck.ResourceActionNoop),
				action("web-1", plancheck.ResourceActionNoop), action("web-2", plancheck.ResourceActionNoop)),
			Check: wantAsPlanned(t, 4, host),
		},
		resource.TestStep{ // drift is repaired to what was planned
			PreConfig:        func() { virsh(t, host, "vcpupin", "web-1", "0", "30", "--live") },
			Config:           onServers(t, append(fleet, small("a-first", 4)), "", host),
			ConfigPlanChecks: before(action("web-1", plancheck.ResourceActionUpdate), action("db", plancheck.ResourceActionNoop)),
			Check:            wantAsPlanned(t, 4, host),
		},
	)

	wantNames(t, host, nil, nil)
}

// TestRebalanceMovesMachinesAsTheyRun leaves a machine on a node of its own, which a new plan of the whole fleet empties.
func TestRebalanceMovesMachinesAsTheyRun(t *testing.T) {
	host := server64(t, testbed.For(t), "alpha")
	first := 0

	run(t,
		resource.TestStep{
			Config: onServers(t, []string{small("a", 16), small("b", 14), small("c", 8)}, "", host),
			Check:  resource.ComposeTestCheckFunc(wantAsPlanned(t, 3, host), check(func() { first = process(t, host, "c") })),
		},
		resource.TestStep{Config: onServers(t, []string{small("a", 16), small("c", 8)}, "", host), Check: wantAsPlanned(t, 2, host)},
		resource.TestStep{
			Config: onServers(t, []string{small("a", 16), small("c", 8)}, `rebalance = "once"`, host),
			ConfigPlanChecks: before(action("a", plancheck.ResourceActionNoop), action("c", plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(fleetAddress, tfjsonpath.New("moves"), knownvalue.ListSizeExact(1))),
			Check: resource.ComposeTestCheckFunc(wantAsPlanned(t, 2, host), check(func() {
				if now := process(t, host, "c"); now != first {
					t.Errorf("c has the process %d after it went to other CPUs, and had %d", now, first)
				}
			})),
		},
	)
}

func TestMachinesLeaveAHostInMaintenance(t *testing.T) {
	bed := testbed.For(t)
	alpha, beta := server64(t, bed, "alpha"), server64(t, bed, "beta")
	fleet := []string{small("db", 8), small("web-1", 2)}

	run(t,
		resource.TestStep{Config: onServers(t, fleet, "", alpha, beta), Check: wantAsPlanned(t, 2, alpha, beta)},
		resource.TestStep{
			Config: onServers(t, fleet, "host_options = { alpha = { maintenance = true } }", alpha, beta),
			ConfigPlanChecks: before(action("db", plancheck.ResourceActionUpdate), action("web-1", plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(fleetAddress, tfjsonpath.New("moves"), knownvalue.ListSizeExact(2))),
			Check: resource.ComposeTestCheckFunc(wantAsPlanned(t, 2, alpha, beta), check(func() { wantNames(t, alpha, nil, nil) })),
		},
	)
}

// TestKernelHoldsPlacedMachinesToTheirCPUs is on the real topology of whatever machine runs it: CPU 0 is the pool.
func TestKernelHoldsPlacedMachinesToTheirCPUs(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	options := `host_options = { alpha = { reserved_cpus = "0", reserved_memory = "1MiB" } }`

	run(t, resource.TestStep{
		Config: onServers(t, []string{`m1 = { vcpus = 1, memory = "32MiB", threads = true }`}, options, host),
		Check: resource.ComposeTestCheckFunc(wantAsPlanned(t, 1, host), func(s *terraform.State) error {
			wantPins(t, host, assigned(s)["alpha"]["m1"][0], "0")

			return nil
		}),
	})
}

// TestMachineStaysWhileItsPlacementIsNotKnown has a placement that the plan cannot decide, and that decides as before.
func TestMachineStaysWhileItsPlacementIsNotKnown(t *testing.T) {
	host := server64(t, testbed.For(t), "alpha")
	config := func(version string) string {
		return onServers(t, []string{small("m1", 2)}, "rebalance = terraform_data.version.output", host) +
			fmt.Sprintf("resource \"terraform_data\" \"version\" {\n  input = %q\n}\n", version)
	}
	first := 0

	run(t,
		resource.TestStep{Config: config("1"), Check: resource.ComposeTestCheckFunc(wantAsPlanned(t, 1, host), check(func() { first = pid(t, host) }))},
		resource.TestStep{
			Config:           config("2"),
			ConfigPlanChecks: before(plancheck.ExpectUnknownValue(fleetAddress, tfjsonpath.New("assignments")), action("m1", plancheck.ResourceActionUpdate)),
			Check: resource.ComposeTestCheckFunc(wantAsPlanned(t, 1, host), check(func() {
				if now := pid(t, host); now != first {
					t.Errorf("m1 has the process %d, and had %d", now, first)
				}
			})),
		},
	)
}

// TestSecondFleetKeepsClearOfTheFirst is the guide's way to place two fleets on one host.
func TestSecondFleetKeepsClearOfTheFirst(t *testing.T) {
	host := server64(t, testbed.For(t), "alpha")
	first := onServers(t, []string{small("db", 8)}, "", host)

	second := `
locals {
  mine = { web-1 = { vcpus = 2, memory = "32MiB" } }
  hosts = {
    alpha = {
      nodes = data.hypervisor_host.alpha.facts.nodes
      pins = merge(
        { for machine, pin in data.hypervisor_host.alpha.facts.pins : machine => { vcpus = pin.vcpus, emulator = pin.emulator } },
        { for machine, pin in data.hypervisor_host.alpha.usage.pins : machine => { vcpus = pin.vcpus, emulator = null } if !contains(keys(local.mine), machine) },
      )
    }
  }
}

resource "hypervisor_placement" "second" {
  hosts    = local.hosts
  machines = local.mine
}
` + strings.ReplaceAll(fmt.Sprintf(placedMachine, "web-1", testbed.DomainTypeFor(t)), "placement.shop", "placement.second")

	run(t,
		resource.TestStep{Config: first, Check: wantAsPlanned(t, 1, host)},
		resource.TestStep{ // and after it there is nothing to plan
			Config: first + second,
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr("hypervisor_placement.second", "assignments.web-1.pins.0", "5"),
				check(func() { owners(t, host) }),
			),
		},
	)
}
