package hypervisor_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

const fleetAddress = "hypervisor_placement.shop"

// servers are hosts that nobody has yet: two sockets, 64 threads and 256 GiB each.
const servers = `
locals {
  server = {
    nodes = [for socket in [0, 16] : {
      memory = "128GiB"
      cores  = [for core in range(16) : "${core + socket},${core + socket + 32}"]
    }]
  }
}
`

// shop is a placement on servers; its arguments are the machines and what else it says.
func shop(machines, rest string) string {
	return servers + fmt.Sprintf(`
resource "hypervisor_placement" "shop" {
  hosts    = { alpha = local.server, beta = local.server }
  machines = { %s }
  %s
}
`, machines, rest)
}

// alone is a placement on one server.
func alone(machines, rest string) string {
	return strings.Replace(shop(machines, rest), ", beta = local.server", "", 1)
}

const (
	web   = `web-1 = { vcpus = 2, memory = "4GiB", group = "web" }, web-2 = { vcpus = 2, memory = "4GiB", group = "web" }`
	db    = `db = { vcpus = 8, memory = "64GiB" }`
	apart = `groups = { web = { spread = "hosts", survives = "host" } }`
)

// at expects a value below the placement's assignments in the plan.
func at(value knownvalue.Check, keys ...string) plancheck.PlanCheck {
	path := tfjsonpath.New("assignments")
	for _, key := range keys {
		path = path.AtMapKey(key)
	}

	return plancheck.ExpectKnownValue(fleetAddress, path, value)
}

func pins(cpus ...string) knownvalue.Check {
	checks := make([]knownvalue.Check, len(cpus))
	for i, cpu := range cpus {
		checks[i] = knownvalue.StringExact(cpu)
	}

	return knownvalue.ListExact(checks)
}

func before(checks ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: checks}
}

func fleetUpdates() plancheck.PlanCheck {
	return plancheck.ExpectResourceAction(fleetAddress, plancheck.ResourceActionUpdate)
}

func noMoves() plancheck.PlanCheck {
	return plancheck.ExpectKnownValue(fleetAddress, tfjsonpath.New("moves"), knownvalue.ListSizeExact(0))
}

func TestPlacementIsDecidedInThePlanAndKept(t *testing.T) {
	run(t,
		resource.TestStep{
			Config: shop(web, apart),
			ConfigPlanChecks: before(
				at(knownvalue.StringExact("alpha"), "web-1", "host"), at(pins("1", "33"), "web-1", "pins"),
				at(knownvalue.StringExact("0,16,32,48"), "web-1", "emulator"), at(knownvalue.StringExact("4GiB"), "web-1", "memory"),
				at(knownvalue.StringExact("beta"), "web-2", "host"), at(pins("1", "33"), "web-2", "pins"),
				plancheck.ExpectKnownValue(fleetAddress, tfjsonpath.New("core_map"), knownvalue.StringRegexp(regexp.MustCompile(`(?m)^ +alpha .*1,33.*web-1`))),
				plancheck.ExpectKnownValue(fleetAddress, tfjsonpath.New("core_map_svg"), knownvalue.StringRegexp(regexp.MustCompile(`^<svg `))),
				plancheck.ExpectKnownValue(fleetAddress, tfjsonpath.New("free").AtMapKey("alpha").AtMapKey("cores").AtMapKey("0"), knownvalue.Int64Exact(14)),
				noMoves(),
			),
		},
		resource.TestStep{ // more of them, and none of those that are there moves
			Config:           shop(web+","+db, apart),
			ConfigPlanChecks: before(fleetUpdates(), at(pins("1", "33"), "web-1", "pins"), at(pins("1", "33"), "web-2", "pins"), at(knownvalue.ListSizeExact(8), "db", "pins"), noMoves()),
		},
		resource.TestStep{ // another way to write the same
			Config:           shop(web+`, db = { vcpus = 8, memory = "65536MiB" }`, apart),
			ConfigPlanChecks: before(fleetUpdates(), at(pins("1", "33"), "web-1", "pins"), noMoves()),
		},
	)
}

func TestHostInMaintenanceIsLeftInThePlan(t *testing.T) {
	run(t,
		resource.TestStep{Config: shop(db, "")},
		resource.TestStep{
			Config: shop(db, `host_options = { alpha = { maintenance = true } }`),
			ConfigPlanChecks: before(
				at(knownvalue.StringExact("beta"), "db", "host"),
				plancheck.ExpectKnownValue(fleetAddress, tfjsonpath.New("moves"), knownvalue.ListExact([]knownvalue.Check{knownvalue.ObjectExact(map[string]knownvalue.Check{
					"machine": knownvalue.StringExact("db"), "reason": knownvalue.StringExact("alpha is draining"),
					"from": knownvalue.StringRegexp(regexp.MustCompile(`^alpha:1,33,`)), "to": knownvalue.StringRegexp(regexp.MustCompile(`^beta:1,33,`)),
				})})),
			),
		},
		resource.TestStep{ // the end of the maintenance brings nobody back
			Config:           shop(db, ""),
			ConfigPlanChecks: before(at(knownvalue.StringExact("beta"), "db", "host"), noMoves()),
		},
	)
}

func TestRebalanceForgetsOnceWhereMachinesAre(t *testing.T) {
	const (
		a = `a = { vcpus = 16, memory = "1GiB" }`
		b = `b = { vcpus = 14, memory = "1GiB" }` // with a it fills a node, so c is on the other
		c = `c = { vcpus = 8, memory = "1GiB" }`
	)
	on := func(machine string, node int64) plancheck.PlanCheck {
		return at(knownvalue.ListExact([]knownvalue.Check{knownvalue.Int64Exact(node)}), machine, "nodes")
	}
	moves := func(number int) plancheck.PlanCheck {
		return plancheck.ExpectKnownValue(fleetAddress, tfjsonpath.New("moves"), knownvalue.ListSizeExact(number))
	}

	run(t,
		resource.TestStep{Config: alone(a+","+b+","+c, ""), ConfigPlanChecks: before(on("a", 0), on("b", 0), on("c", 1))},
		resource.TestStep{Config: alone(a+","+c, ""), ConfigPlanChecks: before(on("a", 0), on("c", 1), moves(0))},
		resource.TestStep{Config: alone(a+","+c, `rebalance = "2026-11"`), ConfigPlanChecks: before(on("a", 0), on("c", 0), moves(1))},
		resource.TestStep{Config: alone(a+","+b+","+c, `rebalance = "2026-11"`), ConfigPlanChecks: before(on("a", 0), on("b", 1), on("c", 0), moves(0))},
	)
}

func TestPlacementThatIsNotPossibleIsRefusedWithAReasonForEachHost(t *testing.T) {
	for name, test := range map[string]struct{ config, want string }{
		"too large": {
			shop(`huge = { vcpus = 64, memory = "1GiB" }`, ""),
			`Unable to place VM "huge" ... No host fits: ... alpha: ... beta:`,
		},
		"three apart on two": {
			shop(web+`, web-3 = { vcpus = 2, memory = "4GiB", group = "web" }`, `groups = { web = { spread = "hosts" } }`),
			`Unable to place VM "web-3" ... alpha: has web-1 of group web`,
		},
		"no such group": {shop(web, ""), `Unable to place VM "web-1" ... Its group "web" does not exist`},
		"options of no host": {
			shop(db, `host_options = { gamma = { maintenance = true } }`),
			`The options of "gamma" are of no host. Remove them from host_options, or add the host`,
		},
		"malformed pool": {shop(db, `host_options = { alpha = { reserved_cpus = "all" } }`), `"all" is not a CPU set`},
		"malformed size": {shop(`db = { vcpus = 2, memory = "4GB" }`, ""), `"4GB" is not a size`},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, resource.TestStep{Config: test.config, PlanOnly: true, ExpectError: flexible(test.want)})
		})
	}
}

func TestPoolOfAHostIsWhatItsOptionsSay(t *testing.T) {
	run(t, resource.TestStep{
		Config: servers + `
resource "hypervisor_placement" "shop" {
  hosts        = { alpha = local.server }
  host_options = { alpha = { reserved_cpus = "none", reserved_memory = "0B" } }
  machines     = { for i in range(32) : format("m%02d", i) => { vcpus = 2, memory = "2GiB" } }
}
`,
		ConfigPlanChecks: before(
			at(pins("0", "32"), "m00", "pins"), at(knownvalue.Null(), "m00", "emulator"), at(pins("31", "63"), "m31", "pins"),
			plancheck.ExpectKnownValue(fleetAddress, tfjsonpath.New("free").AtMapKey("alpha").AtMapKey("largest"), knownvalue.Int64Exact(0)),
		),
	})
}

// What a host's data source will say is not known while the host is being made.
func TestPlacementOnUnknownHostsIsDecidedInTheApply(t *testing.T) {
	run(t, resource.TestStep{
		Config: servers + `
resource "terraform_data" "memory" {
  input = "4GiB"
}

resource "hypervisor_placement" "shop" {
  hosts    = { alpha = local.server }
  machines = { db = { vcpus = 2, memory = terraform_data.memory.output } }
}
`,
		ConfigPlanChecks: before(plancheck.ExpectUnknownValue(fleetAddress, tfjsonpath.New("assignments"))),
		Check:            resource.TestCheckResourceAttr(fleetAddress, "assignments.db.pins.0", "1"),
	})
}
