package gateway_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

const pluginType = "gateway_plugin.limit"

// limit is a plugin "limit" for the route "shop" with the given attributes, beside the upstream and the route.
func limit(attributes string) string {
	return hcl(`targets = { "10.0.0.1:80" = {} }`, `paths = ["/"]`) + fmt.Sprintf(`
resource "gateway_plugin" "limit" {
  provider = hypervisor
  name     = "limit"
  %s
}
`, attributes)
}

// pluginWords are the same plugin in the words of an engine.
type pluginWords struct {
	kind           string
	first, second  string // settings
	written        map[string]any
	secret, hidden string // a type with a secret, and its settings
}

var (
	kongWords = pluginWords{
		kind: "rate-limiting", first: `minute = 5`, second: "minute = 6\n hour = 60\n policy = \"local\"\n redis = { port = 6380 }",
		written: map[string]any{"minute": 7.0}, secret: "session", hidden: `secret = "hunter2"`,
	}
	traefikWords = pluginWords{
		kind: "rateLimit", first: `average = 5`, second: "average = 6\n burst = 60\n period = \"1m\"\n sourceCriterion = { ipStrategy = { depth = 1 } }",
		written: map[string]any{"average": 7.0}, secret: "basicAuth", hidden: `users = ["ann:$apr1$hunter2"]`,
	}
)

func TestPluginLivesOnKong(t *testing.T) { livePlugin(t, kongEngine(t), kongWords) }

func TestMiddlewareLivesOnTraefik(t *testing.T) { livePlugin(t, newStack(t).engine, traefikWords) }

// livePlugin goes the way of every resource with a plugin. Terraform's test harness adds the empty plans after each step.
func livePlugin(t *testing.T, on engine, words pluginWords) {
	t.Helper()

	config := func(settings, more string) string {
		return on.block + limit(fmt.Sprintf("type = %q\n config = { %s }\n %s", words.kind, settings, more))
	}
	first := config(words.first, `route = gateway_route.shop.name`)
	second := config(words.second, "upstream = gateway_upstream.up.name\n enabled = false")
	third := config(words.second, ``)

	planned := func(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
		return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(pluginType, action),
			plancheck.ExpectResourceAction(routeType, plancheck.ResourceActionNoop),
		}}
	}
	put := func(plugin gateway.Plugin) func() {
		return func() { must(t, on.fresh().PutPlugin(t.Context(), plugin)) }
	}
	record := gateway.Record{Name: "limit"}

	run(t,
		resource.TestStep{Config: first},
		resource.TestStep{ResourceName: pluginType, ImportState: true, ImportStateId: "limit", ImportStateVerify: true},
		resource.TestStep{Config: second, ConfigPlanChecks: planned(plancheck.ResourceActionUpdate)},
		resource.TestStep{ResourceName: pluginType, ImportState: true, ImportStateId: "limit", ImportStateVerify: true, ImportStateVerifyIgnore: []string{"config"}},
		resource.TestStep{Config: third, ConfigPlanChecks: planned(plancheck.ResourceActionUpdate)},
		resource.TestStep{
			PreConfig: put(gateway.Plugin{Record: record, Type: words.kind, Config: words.written}),
			Config:    third, ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
		},
		resource.TestStep{
			PreConfig: func() { must(t, on.fresh().DeletePlugin(t.Context(), record)) },
			Config:    third, ConfigPlanChecks: planned(plancheck.ResourceActionCreate),
		},
		resource.TestStep{Config: on.block + limit("type = \""+words.kind+"\"\n config = { "+words.first+" }"), ConfigPlanChecks: planned(plancheck.ResourceActionUpdate)},
		resource.TestStep{Config: on.block + "# nothing is left to manage"},
	)

	if _, err := on.fresh().Plugin(t.Context(), "limit"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("after destroy, reading the plugin gives %v, not ErrNotFound", err)
	}
}

func TestOnlyWhatIsDeclaredOfAPluginIsCompared(t *testing.T) {
	on := kongEngine(t)
	config := func(settings string) string {
		return on.block + "resource \"gateway_plugin\" \"limit\" {\n  provider = hypervisor\n  name = \"limit\"\n  type = \"rate-limiting\"\n  config = { " + settings + " }\n}\n"
	}
	declared := config("minute = 5\n policy = \"local\"\n hour = 60\n redis = { port = 6379 }") // two of them are defaults
	must(t, on.fresh().PutPlugin(t.Context(), gateway.Plugin{
		Record: gateway.Record{Name: "limit"}, Type: "rate-limiting",
		Config: map[string]any{"minute": 5.0, "hour": 60.0, "redis": map[string]any{"password": "hunter2"}},
	}))

	run(t,
		resource.TestStep{Config: declared, ResourceName: pluginType, ImportState: true, ImportStateId: "limit", ImportStatePersist: true},
		resource.TestStep{Config: declared, PlanOnly: true},
		resource.TestStep{
			PreConfig: func() {
				on.admin(t, http.MethodPatch, "/plugins/limit", `{"config": {"hide_client_headers": true}}`)
			},
			Config: declared, PlanOnly: true,
		},
		untold{"hunter2"}.step(resource.TestStep{Config: config("minute = 5"), ConfigPlanChecks: action(pluginType, plancheck.ResourceActionUpdate)}),
		resource.TestStep{
			PreConfig: func() {
				if plugin, err := on.fresh().Plugin(t.Context(), "limit"); err != nil || plugin.Config["hour"] != nil {
					t.Errorf("a setting that is declared no more is still there: %v, %v", plugin.Config, err)
				}
			},
			Config: config("minute = 5"), PlanOnly: true,
		},
	)
}

func TestSecretSettingsAreToldNobody(t *testing.T) {
	for name, test := range map[string]struct {
		on    engine
		words pluginWords
	}{"Kong": {kongEngine(t), kongWords}, "Traefik": {newStack(t).engine, traefikWords}} {
		t.Run(name, func(t *testing.T) {
			config := func(version int) string {
				return test.on.block + fmt.Sprintf("resource \"gateway_plugin\" \"limit\" {\n  provider = hypervisor\n  name = \"limit\"\n  type = %q\n  config_wo = { %s }\n  config_wo_version = %d\n}\n",
					test.words.secret, test.words.hidden, version)
			}
			secrets := untold{"hunter2"}

			run(t,
				secrets.step(resource.TestStep{Config: config(1)}),
				resource.TestStep{ResourceName: pluginType, ImportState: true, ImportStateId: "limit", ImportStateVerify: true},
				secrets.step(resource.TestStep{Config: config(2), ConfigPlanChecks: action(pluginType, plancheck.ResourceActionUpdate)}),
			)
		})
	}
}
