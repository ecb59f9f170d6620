package consul_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

func TestWhatOthersChangeAtTheAgentIsPlannedBack(t *testing.T) {
	name := unique(t)
	checkID := "service:" + name + ":web"
	config := block("it", fmt.Sprintf(`
  name    = %q
  address = "127.0.0.2"
  port    = 80
  tags    = ["a"]
  checks  = { web = { tcp = "127.0.0.1:1", interval = "1m" } }`, name))
	registration := func(change func(*api.AgentServiceRegistration)) func() error {
		return func() error {
			service := &api.AgentServiceRegistration{Name: name, Address: "127.0.0.2", Port: 80, Tags: []string{"a"}}
			change(service)

			return others.Agent().ServiceRegister(service)
		}
	}

	changes := map[string]func() error{
		"address":       registration(func(s *api.AgentServiceRegistration) { s.Address = "127.0.0.9" }),
		"port":          registration(func(s *api.AgentServiceRegistration) { s.Port = 81 }),
		"tags":          registration(func(s *api.AgentServiceRegistration) { s.Tags = nil }),
		"meta":          registration(func(s *api.AgentServiceRegistration) { s.Meta = map[string]string{"a": "b"} }),
		"check deleted": func() error { return others.Agent().CheckDeregister(checkID) },
		"check added": registration(func(s *api.AgentServiceRegistration) {
			s.Check = &api.AgentServiceCheck{CheckID: "foreign", TCP: "127.0.0.1:2", Interval: "1m"}
		}),
		"check redefined": registration(func(s *api.AgentServiceRegistration) {
			s.Check = &api.AgentServiceCheck{CheckID: checkID, HTTP: "http://127.0.0.1:2/", Interval: "1m", Timeout: "2s"}
		}),
		"interval": registration(func(s *api.AgentServiceRegistration) {
			s.Check = &api.AgentServiceCheck{CheckID: checkID, TCP: "127.0.0.1:1", Interval: "2m", Timeout: "2s"}
		}),
	}

	repaired(t, config, changes, func() error {
		return agentHas(name, "127.0.0.2", 80, []string{"a"}, map[string]string{}, []string{checkID})
	})
}

func TestWhatOthersChangeInTheCatalogIsPlannedBack(t *testing.T) {
	name := unique(t)
	node, checkID := "node-"+name, "service:"+name+":web"
	config := block("it", fmt.Sprintf(`
  name    = %q
  node    = %q
  address = "127.0.0.2"
  port    = 80
  tags    = ["a"]
  checks  = { web = { tcp = "127.0.0.1:1" } }`, name, node))
	target := func(tcp string) func() error {
		return func() error {
			check := &api.HealthCheck{
				Node: node, CheckID: checkID, Name: "web", ServiceID: name, Status: "passing",
				Definition: api.HealthCheckDefinition{TCP: tcp, IntervalDuration: 10e9, TimeoutDuration: 2e9},
			}
			_, err := others.Catalog().Register(&api.CatalogRegistration{Node: node, SkipNodeUpdate: true, Checks: api.HealthChecks{check}}, nil)

			return err
		}
	}

	changes := map[string]func() error{
		"service": func() error {
			service := &api.AgentService{ID: name, Service: name, Address: "127.0.0.9", Port: 81}
			_, err := others.Catalog().Register(&api.CatalogRegistration{Node: node, SkipNodeUpdate: true, Service: service}, nil)

			return err
		},
		"check deleted": func() error {
			_, err := others.Catalog().Deregister(&api.CatalogDeregistration{Node: node, CheckID: checkID}, nil)

			return err
		},
		"check redefined": target("127.0.0.1:2"),
	}

	repaired(t, config, changes, func() error {
		return catalogHas(node, name, "127.0.0.2", 80, []string{"a"}, []string{checkID})
	})
}

// repaired checks that each of what somebody else changes is planned as an update that undoes it.
func repaired(t *testing.T, config string, changes map[string]func() error, intact func() error) {
	t.Helper()

	steps := []resource.TestStep{{Config: config}}

	for _, label := range slices.Sorted(maps.Keys(changes)) {
		steps = append(steps, resource.TestStep{
			PreConfig: func() {
				t.Logf("somebody else changes: %s", label)

				if err := changes[label](); err != nil {
					t.Fatalf("change it: %v", err)
				}
			},
			Config:           config,
			ConfigPlanChecks: action(plancheck.ResourceActionUpdate),
			Check:            func(*terraform.State) error { return intact() },
		})
	}

	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: factories(consulServer.Address()), Steps: steps})
}

func TestImportedChecksOfOthersAreReplacedByOnesOfThePlan(t *testing.T) {
	name := unique(t)
	config := block("it", fmt.Sprintf(`
  name   = %q
  port   = 80
  checks = { web = { http = "http://127.0.0.1:1/", interval = "1m" } }`, name))

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		CheckDestroy:             func(*terraform.State) error { return agentHasNot(name) },
		Steps: []resource.TestStep{
			{
				PreConfig: func() {
					foreign := &api.AgentServiceRegistration{Name: name, Port: 80, Check: &api.AgentServiceCheck{HTTP: "http://127.0.0.1:1/", Interval: "1m"}}
					if err := others.Agent().ServiceRegister(foreign); err != nil {
						t.Fatalf("register: %v", err)
					}
				},
				Config: config, ResourceName: it, ImportState: true, ImportStateId: name, ImportStatePersist: true,
			},
			{
				Config:           config,
				ConfigPlanChecks: action(plancheck.ResourceActionUpdate),
				Check: func(*terraform.State) error {
					return agentHas(name, "", 80, nil, map[string]string{}, []string{"service:" + name + ":web"})
				},
			},
		},
	})
}
