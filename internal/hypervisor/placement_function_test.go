package hypervisor_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// whatIf asks the function about hosts of two sockets.
func whatIf(t *testing.T, fleet string, step resource.TestStep) {
	t.Helper()

	step.Config = servers + "output \"answer\" {\n  value = provider::hypervisor::place({ " + fleet + " })\n}\n"
	step.PlanOnly = step.ExpectError != nil

	run(t, step)
}

func answers(value knownvalue.Check, keys ...string) plancheck.PlanCheck {
	path := tfjsonpath.New(keys[0])
	for _, key := range keys[1:] {
		path = path.AtMapKey(key)
	}

	return plancheck.ExpectKnownOutputValueAtPath("answer", path, value)
}

func TestFunctionAnswersWhatTheResourceWouldDecide(t *testing.T) {
	whatIf(t, `hosts = { alpha = local.server, beta = local.server }, machines = { `+web+`, `+db+` }, `+apart, resource.TestStep{
		ConfigPlanChecks: before(
			answers(knownvalue.Null(), "error"),
			answers(knownvalue.StringExact("alpha"), "assignments", "web-1", "host"), answers(pins("5", "37"), "assignments", "web-1", "pins"),
			answers(knownvalue.StringExact("beta"), "assignments", "web-2", "host"),
			answers(knownvalue.StringRegexp(regexp.MustCompile("web-1")), "core_map"), answers(knownvalue.ListSizeExact(0), "moves"),
			answers(knownvalue.NotNull(), "free", "alpha", "largest"),
		),
	})

	run(t, resource.TestStep{
		Config: shop(web+","+db, apart) + `
locals {
  asked = {
    same = provider::hypervisor::place({ hosts = hypervisor_placement.shop.hosts, machines = hypervisor_placement.shop.machines, groups = hypervisor_placement.shop.groups }).assignments
    added = provider::hypervisor::place({
      hosts    = hypervisor_placement.shop.hosts
      machines = { db = { vcpus = 8, memory = "64GiB" }, a-first = { vcpus = 2, memory = "1GiB" } }
      held     = hypervisor_placement.shop.assignments
    }).assignments
  }
}

output "kept" {
  value = tostring(jsonencode(local.asked.same) == jsonencode(hypervisor_placement.shop.assignments) && jsonencode(local.asked.added.db) == jsonencode(hypervisor_placement.shop.assignments.db))
}
`,
		Check: resource.ComposeTestCheckFunc(resource.TestCheckOutput("kept", "true"), resource.TestCheckResourceAttr(fleetAddress, "assignments.db.pins.#", "8")),
	})
}

func TestFunctionSaysWhyThereIsNoPlacementAndDoesNotFail(t *testing.T) {
	whatIf(t, `hosts = { alpha = local.server }, machines = { huge = { vcpus = 64, memory = "1GiB" } }`, resource.TestStep{
		ConfigPlanChecks: before(
			answers(knownvalue.Null(), "assignments"), answers(knownvalue.Null(), "core_map"), answers(knownvalue.Null(), "free"),
			answers(knownvalue.StringRegexp(regexp.MustCompile(`(?s)^Unable to place VM "huge"\nNo host fits:\n  alpha: `)), "error"),
		),
	})
}

func TestFunctionRefusesWhatMakesNoSense(t *testing.T) {
	for name, test := range map[string]struct{ fleet, want string }{
		"no hosts":         {`machines = {}`, `the fleet has no hosts`},
		"malformed size":   {`hosts = { alpha = local.server }, machines = { db = { vcpus = 2, memory = "4GB" } }`, `"4GB" is not a size`},
		"malformed cores":  {`hosts = { alpha = { nodes = [{ memory = "1GiB", cores = ["x"] }] } }, machines = {}`, `"x" is not a CPU set`},
		"no memory":        {`hosts = { alpha = local.server }, machines = { db = { vcpus = 2 } }`, `machine "db" lacks vcpus or memory`},
		"vcpus as a text":  {`hosts = { alpha = local.server }, machines = { db = { vcpus = "two", memory = "1GiB" } }`, `fleet.machines.db.vcpus is not a`},
		"a list for a map": {`hosts = [local.server], machines = {}`, `fleet.hosts is not a map`},
		"odd pool":         {`hosts = { alpha = local.server }, machines = {}, host_options = { alpha = { reserved_cpus = "all" } }`, `the reserved_cpus "all" of host "alpha" are neither a CPU set nor "none"`},
		"survives what":    {`hosts = { alpha = local.server }, machines = {}, groups = { web = { survives = "rack" } }`, `group "web" survives "rack"`},
		"odd pages":        {`hosts = { alpha = { nodes = [{ memory = "1GiB", pages = { big = 1 } }] } }, machines = {}`, `has 1 pages of "big"`},
	} {
		t.Run(name, func(t *testing.T) { whatIf(t, test.fleet, resource.TestStep{ExpectError: flexible(test.want)}) })
	}
}
