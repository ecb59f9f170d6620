package gateway_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

const (
	upstreamType = "gateway_upstream.up"
	routeType    = "gateway_route.shop"
)

// hcl is an upstream "up" with the given attributes and a route "shop" to it with the given ones.
func hcl(upstream, route string) string {
	return fmt.Sprintf(`
resource "gateway_upstream" "up" {
  provider = hypervisor
  name     = "up"
  %s
}

resource "gateway_route" "shop" {
  provider = hypervisor
  name     = "shop"
  upstream = gateway_upstream.up.name
  %s
}
`, upstream, route)
}

func TestUpstreamAndRouteLiveOnTraefik(t *testing.T) { live(t, newStack(t).engine) }

func TestTheSameUpstreamAndRouteLiveOnKong(t *testing.T) { live(t, kongEngine(t)) }

// live is the way that every resource goes: create, empty plan, import, empty plan, update, deleted behind our back,
// recreated, destroyed. Terraform's test harness adds the empty plans after each step.
func live(t *testing.T, on engine) {
	t.Helper()

	first := on.block + hcl(`services = { blue = {}, green = { weight = 10 } }`, `hosts = ["shop.test", "www.shop.test"]`)
	second := on.block + hcl(`
  services = { blue = { weight = 0 }, violet-2 = { weight = 65535 } }
  retries  = 0`, `
  hosts = ["shop.test"]
  paths = ["/", "/cart", "/api"]`)
	third := on.block + hcl(`targets = { "10.0.0.101:80" = {}, "[fd00::2]:8080" = { weight = 1 } }`, `paths = ["/it's"]`)

	run(t,
		resource.TestStep{
			Config: first,
			ConfigStateChecks: []statecheck.StateCheck{
				is(upstreamType, "id", knownvalue.StringExact("up")),
				is(upstreamType, "services", knownvalue.MapExact(map[string]knownvalue.Check{"blue": weight(100), "green": weight(10)})),
				is(upstreamType, "targets", knownvalue.Null()),
				is(upstreamType, "retries", knownvalue.Null()),
				is(routeType, "id", knownvalue.StringExact("shop")),
				is(routeType, "paths", knownvalue.Null()),
				is(routeType, "upstream", knownvalue.StringExact("up")),
			},
		},
		resource.TestStep{ResourceName: upstreamType, ImportState: true, ImportStateId: "up", ImportStateVerify: true},
		resource.TestStep{ResourceName: routeType, ImportState: true, ImportStateId: "shop", ImportStateVerify: true},
		resource.TestStep{Config: second, ConfigPlanChecks: both(plancheck.ResourceActionUpdate)},
		resource.TestStep{ResourceName: upstreamType, ImportState: true, ImportStateId: "up", ImportStateVerify: true},
		resource.TestStep{ResourceName: routeType, ImportState: true, ImportStateId: "shop", ImportStateVerify: true},
		resource.TestStep{Config: third, ConfigPlanChecks: both(plancheck.ResourceActionUpdate)},
		resource.TestStep{ResourceName: upstreamType, ImportState: true, ImportStateId: "up", ImportStateVerify: true},
		resource.TestStep{
			PreConfig: func() { on.remove(t) },
			Config:    third, ConfigPlanChecks: both(plancheck.ResourceActionCreate),
		},
		resource.TestStep{
			PreConfig: func() { on.change(t) },
			Config:    third, ConfigPlanChecks: both(plancheck.ResourceActionUpdate),
		},
		resource.TestStep{Config: on.block + "# nothing is left to manage"},
	)

	if _, err := on.fresh().Route(t.Context(), "shop"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("after destroy, reading the route gives %v, not ErrNotFound", err)
	}

	if _, err := on.fresh().Upstream(t.Context(), "up"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("after destroy, reading the upstream gives %v, not ErrNotFound", err)
	}
}

func TestTraefikIsLeftWithoutAKey(t *testing.T) {
	s := newStack(t)
	run(t, resource.TestStep{Config: s.block + hcl(`services = { blue = {} }`, `paths = ["/", "/api"]`)})

	if keys := s.keys(t); len(keys) > 0 {
		t.Errorf("after destroy, the keys %q are left", keys)
	}
}

func TestCreateRefusesANameThatIsTaken(t *testing.T) {
	for name, on := range map[string]engine{"Traefik": newStack(t).engine, "Kong": kongEngine(t)} {
		t.Run(name, func(t *testing.T) {
			put(t, on, gateway.Upstream{Record: gateway.Record{Name: "up"}, Targets: map[string]gateway.Member{"10.0.0.1:80": {Weight: 7}}})

			run(t, resource.TestStep{
				Config:      on.block + hcl(`services = { blue = {} }`, `paths = ["/"]`),
				ExpectError: message(`Unable to create gateway upstream "up"`, "of this name already", "Import it", "choose another name"),
			})

			kept, err := on.fresh().Upstream(t.Context(), "up")
			if err != nil || kept.Targets["10.0.0.1:80"].Weight != 7 {
				t.Errorf("the upstream that was there is now %+v (%v)", kept, err)
			}
		})
	}
}

// TestWhatAKilledRunLeftIsTakenOver has just what a run would make, as one leaves it that could not store its state.
func TestWhatAKilledRunLeftIsTakenOver(t *testing.T) {
	for name, on := range map[string]engine{"Traefik": newStack(t).engine, "Kong": kongEngine(t)} {
		t.Run(name, func(t *testing.T) {
			put(t, on, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"blue": {Weight: 100}}, Retries: 2})

			if err := on.fresh().PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "shop"}, Paths: []string{"/"}, Upstream: "up"}); err != nil {
				t.Fatal(err)
			}

			run(t, resource.TestStep{Config: on.block + hcl(`services = { blue = {} }`, `paths = ["/"]`)})
		})
	}
}

func TestUpstreamThatARouteElsewhereUsesIsNotDeleted(t *testing.T) {
	for name, on := range map[string]engine{"Traefik": newStack(t).engine, "Kong": kongEngine(t)} {
		t.Run(name, func(t *testing.T) {
			config := on.block + hcl(`targets = { "10.0.0.1:80" = {} }`, `paths = ["/"]`)

			run(t,
				resource.TestStep{Config: config},
				resource.TestStep{
					PreConfig: func() {
						must(t, on.fresh().PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "elsewhere"}, Paths: []string{"/else"}, Upstream: "up"}))
					},
					Config:      on.block + "# all is to go",
					ExpectError: message(`Unable to delete gateway upstream "up"`, "elsewhere"),
				},
				resource.TestStep{
					PreConfig: func() { must(t, on.fresh().DeleteRoute(t.Context(), gateway.Record{Name: "elsewhere"})) },
					Config:    on.block + "# all is to go",
				},
			)
		})
	}
}

func TestManyAreMadeChangedAndRemovedAtOnce(t *testing.T) {
	for name, on := range map[string]engine{"Traefik": newStack(t).engine, "Kong": kongEngine(t)} {
		t.Run(name, func(t *testing.T) {
			config := func(count, weight int) string {
				return on.block + fmt.Sprintf(`
resource "gateway_upstream" "all" {
  provider = hypervisor
  count    = %[1]d
  name     = "up-${count.index}"
  targets  = { "10.0.0.1:80" = { weight = %[2]d }, "10.0.0.2:80" = {} }
}

resource "gateway_route" "all" {
  provider = hypervisor
  count    = %[1]d
  name     = "route-${count.index}"
  hosts    = ["${count.index}.test"]
  upstream = gateway_upstream.all[count.index].name
}
`, count, weight)
			}

			run(t,
				resource.TestStep{Config: config(30, 1)},
				resource.TestStep{Config: config(30, 2)},
				resource.TestStep{Config: config(2, 3)},
			)
		})
	}
}

// remove deletes the route and the upstream behind Terraform's back.
func (e engine) remove(t *testing.T) {
	t.Helper()
	must(t, e.fresh().DeleteRoute(t.Context(), gateway.Record{Name: "shop"}))
	must(t, e.fresh().DeleteUpstream(t.Context(), gateway.Record{Name: "up"}))
}

// change sends the traffic elsewhere behind Terraform's back.
func (e engine) change(t *testing.T) {
	t.Helper()
	put(t, e, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"theirs": {Weight: 1}}, Retries: 9})
	must(t, e.fresh().PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "shop"}, Hosts: []string{"theirs.test"}, Upstream: "up"}))
}

func put(t *testing.T, on engine, upstream gateway.Upstream) {
	t.Helper()
	must(t, on.fresh().PutUpstream(t.Context(), upstream))
}

func must(t *testing.T, err error) {
	t.Helper()

	if err != nil {
		t.Fatal(err)
	}
}

func is(address, attribute string, check knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New(attribute), check)
}

func weight(value int64) knownvalue.Check {
	return knownvalue.ObjectExact(map[string]knownvalue.Check{"weight": knownvalue.Int64Exact(value)})
}

func both(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(upstreamType, action),
		plancheck.ExpectResourceAction(routeType, action),
	}}
}
