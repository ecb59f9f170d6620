package gateway_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// TestLongListsLiveOnKong has more targets than a page of Kong's own size, and more paths than a route mostly has.
func TestLongListsLiveOnKong(t *testing.T) {
	on := kongEngine(t)
	unchanged := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}

	config := on.block + hcl(`targets = { for i in range(150) : "10.0.0.1:${i + 1}" => { weight = i } }`, `paths = [for i in range(60) : "/${i}"]`)

	run(t,
		resource.TestStep{Config: config},
		resource.TestStep{Config: config, ConfigPlanChecks: unchanged},
		resource.TestStep{ResourceName: upstreamType, ImportState: true, ImportStateId: "up", ImportStateVerify: true},
		resource.TestStep{Config: on.block + hcl(`targets = { for i in range(120) : "10.0.0.2:${i + 1}" => {} }`, `paths = [for i in range(60) : "/v${i}"]`)},
	)
}
