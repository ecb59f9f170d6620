package consul_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

const it = "consul_service.it"

// block is a resource block with the given lines in it.
func block(label, lines string) string {
	return fmt.Sprintf("resource \"consul_service\" %q {\n  provider = hypervisor\n%s\n}\n", label, lines)
}

func emptyPlan() resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
}

func action(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{
		PreApply:            []plancheck.PlanCheck{plancheck.ExpectResourceAction(it, action)},
		PostApplyPreRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
	}
}

// notations are the durations of the walks that are written in another notation than the one an import chooses.
var notations = []string{"checks.web.deregister_critical_service_after", "checks.web.interval", "checks.web.timeout"}

// planOfImport imports the resource of the step before anew; it fails unless the plan that follows is empty.
func planOfImport(id string) resource.TestStep {
	return resource.TestStep{ResourceName: it, ImportState: true, ImportStateKind: resource.ImportBlockWithID, ImportStateId: id}
}

// walk is a life of the resource: made, imported, changed, lost and made again.
type walk struct {
	first, second string // configurations; the second is an update in place
	imports       string
	present       func(second bool) error // whether Consul has what the configuration says
	lose          func() error            // deregisters the instance as somebody else would
	gone          func() error            // whether nothing is left
}

func (w walk) run(t *testing.T) {
	present := func(second bool) resource.TestCheckFunc {
		return func(*terraform.State) error { return w.present(second) }
	}

	lose := func() {
		if err := w.lose(); err != nil {
			t.Fatalf("lose the instance: %v", err)
		}
	}

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		CheckDestroy:             func(*terraform.State) error { return w.gone() },
		Steps: []resource.TestStep{
			{Config: w.first, ConfigPlanChecks: action(plancheck.ResourceActionCreate), Check: present(false)},
			{Config: w.first, ConfigPlanChecks: emptyPlan()},
			{ResourceName: it, ImportState: true, ImportStateId: w.imports, ImportStateVerify: true, ImportStateVerifyIgnore: notations},
			planOfImport(w.imports),
			{Config: w.second, ConfigPlanChecks: action(plancheck.ResourceActionUpdate), Check: present(true)},
			{Config: w.second, ConfigPlanChecks: emptyPlan()},
			{PreConfig: lose, Config: w.second, ConfigPlanChecks: action(plancheck.ResourceActionCreate), Check: present(true)},
			{Config: w.first, ConfigPlanChecks: action(plancheck.ResourceActionUpdate), Check: present(false)},
			{Config: w.first, ConfigPlanChecks: emptyPlan()},
		},
	})
}

func TestAgentServiceLivesThroughAllItsChanges(t *testing.T) {
	name := unique(t)
	firstChecks := []string{"service:" + name + "-1:dropped", "service:" + name + "-1:web"}
	secondChecks := []string{"service:" + name + "-1:port", "service:" + name + "-1:web"}

	walk{
		first: block("it", fmt.Sprintf(`
  name    = %q
  id      = "%[1]s-1"
  address = "127.0.0.2"
  port    = 80
  tags    = ["b", "a"]
  meta    = { rack = "r1" }
  checks = {
    web     = { http = %q, interval = "60s", timeout = "1500ms", deregister_critical_service_after = "90m" }
    dropped = { tcp = "127.0.0.1:1", status = "passing" }
  }`, name, "http://127.0.0.1:1/health?a=1&b=2")),
		second: block("it", fmt.Sprintf(`
  name    = %q
  id      = "%[1]s-1"
  address = "127.0.0.3"
  port    = 81
  tags    = ["c"]
  checks = {
    web  = { tcp = "127.0.0.1:2", interval = "1m", timeout = "1s" }
    port = { tcp = "127.0.0.1:1", status = "warning" }
  }`, name)),
		imports: name + "-1",
		present: func(second bool) error {
			if second {
				return agentHas(name+"-1", "127.0.0.3", 81, []string{"c"}, map[string]string{}, secondChecks)
			}

			return agentHas(name+"-1", "127.0.0.2", 80, []string{"a", "b"}, map[string]string{"rack": "r1"}, firstChecks)
		},
		lose: func() error { return others.Agent().ServiceDeregister(name + "-1") },
		gone: func() error { return agentHasNot(name) },
	}.run(t)
}

func TestCatalogServiceLivesThroughAllItsChanges(t *testing.T) {
	name := unique(t)
	node := "node-" + name

	walk{
		first: block("it", fmt.Sprintf(`
  name    = %q
  node    = "node-%[1]s"
  address = "127.0.0.2"
  port    = 80
  tags    = ["b", "a"]
  meta    = {}
  checks = {
    web     = { http = %q, interval = "60s", timeout = "1500ms", status = "passing", deregister_critical_service_after = "90m" }
    dropped = { tcp = "127.0.0.1:1" }
  }`, name, "http://127.0.0.1:1/health")),
		second: block("it", fmt.Sprintf(`
  name    = %q
  id      = %[1]q
  node    = "node-%[1]s"
  address = "127.0.0.3"
  checks  = { web = { http = "http://127.0.0.1:1/", interval = "1m" } }`, name)),
		imports: node + "/" + name,
		present: func(second bool) error {
			if second {
				return catalogHas(node, name, "127.0.0.3", 0, nil, []string{"service:" + name + ":web"})
			}

			return catalogHas(node, name, "127.0.0.2", 80, []string{"a", "b"}, []string{"service:" + name + ":dropped", "service:" + name + ":web"})
		},
		lose: func() error {
			_, err := others.Catalog().Deregister(&api.CatalogDeregistration{Node: node}, nil)

			return err
		},
		gone: func() error { return catalogHasNot(node, name) },
	}.run(t)
}

func TestServiceWithNothingButANameIsImportedWithAnEmptyPlan(t *testing.T) {
	name := unique(t)

	for label, lines := range map[string]string{
		"left out": fmt.Sprintf("name = %q", name),
		"empty":    fmt.Sprintf("name = %q\ntags = []\nmeta = {}\nchecks = {}", name),
	} {
		t.Run(label, func(t *testing.T) {
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: factories(consulServer.Address()),
				CheckDestroy:             func(*terraform.State) error { return agentHasNot(name) },
				Steps: []resource.TestStep{
					{
						PreConfig: func() {
							if err := others.Agent().ServiceRegister(&api.AgentServiceRegistration{Name: name}); err != nil {
								t.Fatalf("register: %v", err)
							}
						},
						ResourceName: it, ImportState: true, ImportStateId: name, ImportStatePersist: true, Config: block("it", lines),
					},
					{Config: block("it", lines), ConfigPlanChecks: emptyPlan()},
				},
			})
		})
	}
}

func TestServiceThatWaitsIsImportedWithAnEmptyPlan(t *testing.T) {
	name := unique(t)
	config := block("it", fmt.Sprintf(`
  name             = %q
  wait_for_passing = "60s"
  checks           = { web = { tcp = %q, interval = "1s" } }`, name, strings.TrimPrefix(consulServer.Address(), "http://")))

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		Steps: []resource.TestStep{
			{Config: config, Check: func(*terraform.State) error { return passes(name) }},
			planOfImport(name),
		},
	})
}

func TestIDDefaultsToTheNameAndAChangeOfItReplaces(t *testing.T) {
	name := unique(t)
	id := func(id string) []statecheck.StateCheck {
		return []statecheck.StateCheck{statecheck.ExpectKnownValue(it, tfjsonpath.New("id"), knownvalue.StringExact(id))}
	}

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		CheckDestroy:             func(*terraform.State) error { return agentHasNot(name) },
		Steps: []resource.TestStep{
			{Config: block("it", fmt.Sprintf("name = %q", name)), ConfigStateChecks: id(name)},
			{Config: block("it", fmt.Sprintf("name = %q\nport = 80", name)), ConfigPlanChecks: action(plancheck.ResourceActionUpdate)},
			{Config: block("it", fmt.Sprintf("name = %q\nid = \"%[1]s-2\"", name)), ConfigPlanChecks: action(plancheck.ResourceActionReplace), ConfigStateChecks: id(name + "-2")},
			{Config: block("it", fmt.Sprintf("name = %q", name)), ConfigPlanChecks: action(plancheck.ResourceActionReplace), ConfigStateChecks: id(name)},
		},
	})
}

// agentHas compares what the agent has with what it should have.
func agentHas(id, address string, port int, tags []string, meta map[string]string, checks []string) error {
	service, _, err := others.Agent().Service(id, nil)
	if err != nil {
		return err
	}

	all, err := others.Agent().ChecksWithFilter(fmt.Sprintf("ServiceID == %q", id))
	if err != nil {
		return err
	}

	type registered struct {
		Address string
		Port    int
		Tags    []string
		Meta    map[string]string
		Checks  []string
	}

	if !strings.HasPrefix(service.Meta["managed-by"], "terraform-provider-hypervisor owner=") {
		return fmt.Errorf("the instance has no mark of ours: %v", service.Meta)
	}

	delete(service.Meta, "managed-by")

	want := registered{address, port, tags, meta, checks}
	got := registered{service.Address, service.Port, slices.Sorted(slices.Values(service.Tags)), service.Meta, slices.Sorted(maps.Keys(all))}

	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("the agent has something else (-want +got):\n%s", diff)
	}

	return nil
}

// agentHasNot checks that the agent has no instance of the service and no check of it.
func agentHasNot(name string) error {
	services, err := others.Agent().ServicesWithFilter(fmt.Sprintf("Service == %q", name))
	if err != nil {
		return err
	}

	checks, err := others.Agent().ChecksWithFilter(fmt.Sprintf("ServiceName == %q", name))
	if err != nil {
		return err
	}

	if len(services)+len(checks) > 0 {
		return fmt.Errorf("the agent still has services %v and checks %v", services, checks)
	}

	return nil
}

func catalogHas(node, name, address string, port int, tags, checks []string) error {
	entries, _, err := others.Health().Service(name, "", false, nil)
	if err != nil {
		return err
	}

	if len(entries) != 1 || entries[0].Node.Node != node {
		return fmt.Errorf("the catalog has %d instances of %s, want one on %s", len(entries), name, node)
	}

	var ids []string
	for _, check := range entries[0].Checks {
		ids = append(ids, check.CheckID)
	}

	slices.Sort(ids)

	service := entries[0].Service
	if service.Address != address || service.Port != port || !slices.Equal(service.Tags, tags) || !slices.Equal(ids, checks) {
		return fmt.Errorf("the catalog has %+v with checks %v", service, ids)
	}

	return nil
}

func catalogHasNot(node, name string) error {
	services, _, err := others.Catalog().Service(name, "", nil)
	if err != nil {
		return err
	}

	checks, _, err := others.Health().Checks(name, nil)
	if err != nil {
		return err
	}

	left, _, err := others.Catalog().Node(node, nil)
	if err != nil {
		return err
	}

	if len(services)+len(checks) > 0 || left != nil {
		return fmt.Errorf("the catalog still has services %v, checks %v, node %v", services, checks, left)
	}

	return nil
}

func passes(id string) error {
	status, _, err := others.Agent().AgentHealthServiceByID(id)
	if err == nil && status != api.HealthPassing {
		err = fmt.Errorf("instance %s is %s", id, status)
	}

	return err
}
