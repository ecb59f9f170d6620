package gateway_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// authorityText is the certificate of an authority of its own, in PEM.
func authorityText(t *testing.T) string {
	t.Helper()

	authority, err := testbed.NewAuthority(t.TempDir())
	must(t, err)
	text, err := os.ReadFile(authority.CAFile())
	must(t, err)

	return string(text)
}

// TestAuthoritiesOfMembersLiveOnKong goes the way of every resource with what two upstreams share in Kong.
func TestAuthoritiesOfMembersLiveOnKong(t *testing.T) {
	on := kongEngine(t)
	old, next := authorityText(t), authorityText(t)

	config := func(one, two string) string {
		var text strings.Builder
		text.WriteString(on.block)

		for name, authorities := range map[string]string{"one": one, "two": two} {
			fmt.Fprintf(&text, "resource \"gateway_upstream\" %[1]q {\n  provider = hypervisor\n  name     = %[1]q\n  targets  = { \"10.0.0.1:443\" = {} }\n  "+
				"protocol = \"https\"\n  tls      = { ca = %[2]q }\n}\n", name, authorities)
		}

		return text.String()
	}

	unchanged := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}

	run(t,
		resource.TestStep{Config: config(old, "# Made by hand\n"+old+"\n\n")},
		resource.TestStep{ResourceName: "gateway_upstream.one", ImportState: true, ImportStateId: "one", ImportStateVerify: true},
		resource.TestStep{Config: config(old+next, next+old)},
		resource.TestStep{ResourceName: "gateway_upstream.one", ImportState: true, ImportStateId: "one", ImportStateVerify: true},
		resource.TestStep{Config: config(next+"\n# and\n"+old, old+next), ConfigPlanChecks: unchanged},
		resource.TestStep{Config: config(next, next)},
		resource.TestStep{
			PreConfig: func() { must(t, on.fresh().DeleteUpstream(t.Context(), gateway.Record{Name: "one"})) },
			Config:    config(next, next),
		},
		resource.TestStep{Config: on.block + "# nothing is left to manage"},
	)

	if rows := on.admin(t, http.MethodGet, "/ca_certificates", ""); !strings.Contains(rows, `"data":[]`) {
		t.Errorf("after destroy Kong has the authorities %s", rows)
	}
}
