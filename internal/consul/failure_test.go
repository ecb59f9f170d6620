package consul_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// words matches a message that has all the texts in order, wherever Terraform breaks its lines.
func words(texts ...string) *regexp.Regexp {
	patterns := make([]string, len(texts))
	for i, text := range texts {
		patterns[i] = strings.Join(strings.Fields(regexp.QuoteMeta(text)), `[\s│]+`)
	}

	return regexp.MustCompile(`(?s)` + strings.Join(patterns, `.*`))
}

func TestBadInputIsRefusedAtPlanTimeWithItsPlace(t *testing.T) {
	for name, input := range map[string]struct {
		lines string
		want  []string
	}{
		"address missing with node":  {`node = "n1"`, []string{"Missing address", "Add the instance's address"}},
		"wait without checks":        {`wait_for_passing = "30s"`, []string{"Nothing to wait for", "Add checks"}},
		"check with no kind":         {`checks = { web = { interval = "10s" } }`, []string{"Missing kind of check", `Check "web" says none of http, tcp`}},
		"check with two kinds":       {`checks = { web = { http = "http://127.0.0.1/", tcp = "127.0.0.1:1" } }`, []string{"Two kinds of check", `Check "web" says both`}},
		"malformed duration":         {`checks = { web = { tcp = "127.0.0.1:1", interval = "10 seconds" } }`, []string{"Malformed duration", "10 seconds"}},
		"interval below Consul's":    {`checks = { web = { tcp = "127.0.0.1:1", interval = "100ms" } }`, []string{"Duration too short", `checks["web"].interval is "100ms"`, `Write "1s" or more`}},
		"deregistration too early":   {`checks = { web = { tcp = "127.0.0.1:1", deregister_critical_service_after = "30s" } }`, []string{"Duration too short", `Write "1m0s" or more`}},
		"URL without a scheme":       {`checks = { web = { http = "127.0.0.1/health" } }`, []string{"Malformed URL", `checks["web"].http`, "http://10.0.0.101/health"}},
		"target without a port":      {`checks = { web = { tcp = "127.0.0.1" } }`, []string{"Malformed target", `checks["web"].tcp`, `"10.0.0.101:80"`}},
		"unknown status":             {`checks = { web = { tcp = "127.0.0.1:1", status = "up" } }`, []string{"status", "passing"}},
		"name of a check":            {`checks = { "Web 1" = { tcp = "127.0.0.1:1" } }`, []string{"lower-case letters"}},
		"port out of range":          {`port = 65536`, []string{"port", "65535"}},
		"id with a slash":            {`id = "a/b"`, []string{"neither slashes nor spaces"}},
		"name that is no DNS label":  {"name = \"my_service\"", []string{"DNS label"}},
		"key of meta with a space":   {`meta = { "a b" = "c" }`, []string{"letters, digits, dashes and underscores"}},
		"password in the URL":        {`checks = { web = { http = "http://u:hunter2@127.0.0.1/" } }`, []string{"Password in a URL"}},
		"namespace of others":        {"port = 80\nnamespace = \"team\"", []string{`Unable to plan Consul service "up"`, "not Consul Enterprise", `no namespace "team"`, "Leave namespace out"}},
		"partition of others":        {"port = 80\npartition = \"team\"", []string{`Unable to plan Consul service "up"`, "not Consul Enterprise", `no partition "team"`, "Leave partition out"}},
		"address missing, id unsure": {"node = \"n1\"\nid = uuid()", []string{"Missing address"}},
	} {
		t.Run(name, func(t *testing.T) {
			lines := input.lines
			if !strings.HasPrefix(lines, "name") {
				lines = "name = \"up\"\n" + lines
			}

			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: factories(consulServer.Address()),
				Steps:                    []resource.TestStep{{Config: block("it", lines), PlanOnly: true, ExpectError: words(input.want...)}},
			})
		})
	}
}

func TestUnreachableConsulFailsTheCreationWithItsAddressAndWhatToDo(t *testing.T) {
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories("http://127.0.0.1:1"),
		Steps: []resource.TestStep{{
			Config:      block("it", `name = "up"`),
			ExpectError: words(`Unable to create Consul service "up"`, "Consul at", "127.0.0.1:1", "cannot be reached", "connection refused", "Check that Consul runs there"),
		}},
	})
}

// outage is a Consul that can be cut off.
func outage(t *testing.T) (address string, down *atomic.Bool) {
	t.Helper()

	down = &atomic.Bool{}

	return proxy(t, func(http.ResponseWriter, *http.Request) bool {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}

		return false
	}), down
}

func TestServiceStaysInTheStateWhileConsulIsUnreachable(t *testing.T) {
	for label, lines := range map[string]string{"agent": "", "catalog": "node = \"node-%s\"\naddress = \"127.0.0.2\""} {
		t.Run(label, func(t *testing.T) {
			name := unique(t)
			address, down := outage(t)
			config := block("it", fmt.Sprintf("name = %q\n", name)+strings.ReplaceAll(lines, "%s", name))

			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: factories(address),
				Steps: []resource.TestStep{
					{Config: config},
					{
						PreConfig:   func() { down.Store(true) },
						Config:      config,
						ExpectError: words(`Unable to read Consul service "`+name+`"`, "cannot be reached"),
					},
					{
						PreConfig:        func() { down.Store(false) },
						Config:           config,
						ConfigPlanChecks: emptyPlan(),
					},
				},
			})
		})
	}
}

func TestCreationWhoseAnswerIsLostIsNoOrphan(t *testing.T) {
	name := unique(t)
	cut := &atomic.Bool{}
	cut.Store(true)

	address := proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/agent/service/register" || !cut.Load() {
			return false
		}

		if err := others.Agent().ServiceRegister(&api.AgentServiceRegistration{Name: name, Port: 80}); err != nil {
			t.Errorf("register: %v", err)
		}

		panic(http.ErrAbortHandler) // the write is done, the connection breaks
	})

	config := block("it", fmt.Sprintf("name = %q\nport = 80", name))

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(address),
		CheckDestroy:             func(*terraform.State) error { return agentHasNot(name) },
		Steps: []resource.TestStep{
			{Config: config, ExpectError: words(`Unable to create Consul service "`+name+`"`, "may have been carried out")},
			{PreConfig: func() { cut.Store(false) }, Config: config, ConfigPlanChecks: action(plancheck.ResourceActionReplace)},
		},
	})
}

func TestNodeThatRunsAnAgentIsRefusedWithItsReason(t *testing.T) {
	agent, err := others.Agent().NodeName()
	if err != nil {
		t.Fatalf("read the agent's node name: %v", err)
	}

	name := unique(t)

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		CheckDestroy: func(*terraform.State) error {
			services, _, err := others.Catalog().Service(name, "", nil)
			if err == nil && len(services) > 0 {
				err = errors.New("the refused service was registered")
			}

			return err
		},
		Steps: []resource.TestStep{{
			Config:      block("it", fmt.Sprintf("name = %q\nnode = %q\naddress = \"127.0.0.2\"", name, agent)),
			PlanOnly:    true,
			ExpectError: words(`Unable to plan Consul service "`+name+`"`, "runs a Consul agent", "anti-entropy", "Leave out node"),
		}},
	})
}

func TestTwoResourcesCannotShareAnInstance(t *testing.T) {
	name := unique(t)

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		CheckDestroy:             func(*terraform.State) error { return agentHasNot(name) },
		Steps: []resource.TestStep{
			{
				Config:      block("it", fmt.Sprintf("name = %q\nport = 80", name)) + block("twin", fmt.Sprintf("name = %q\nport = 81", name)),
				ExpectError: words(`Unable to create Consul service "`+name+`"`, "the id is taken", "give this one another id"),
			},
		},
	})
}

func TestMalformedImportIDIsRefused(t *testing.T) {
	for _, id := range []string{"/up", "node/", "a/b/c"} {
		resource.UnitTest(t, resource.TestCase{
			ProtoV6ProviderFactories: factories(consulServer.Address()),
			Steps: []resource.TestStep{{
				Config: block("it", `name = "up"`), ResourceName: it, ImportState: true, ImportStateId: id,
				ExpectError: words("Unable to import Consul service", "<node>/<service id>"),
			}},
		})
	}
}

func TestImportOfWhatDoesNotExistIsRefused(t *testing.T) {
	for _, id := range []string{"nobody", "nowhere/nobody"} {
		resource.UnitTest(t, resource.TestCase{
			ProtoV6ProviderFactories: factories(consulServer.Address()),
			Steps: []resource.TestStep{{
				Config: block("it", `name = "up"`), ResourceName: it, ImportState: true, ImportStateId: id,
				ExpectError: words("Cannot import non-existent remote object"),
			}},
		})
	}
}
