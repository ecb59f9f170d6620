package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// outage is how long a server is away. It is longer than the pause between two questions.
const outage = time.Second

// failing starts a proxy whose server goes away for a while at its first write, and returns its address.
func failing(t *testing.T, server http.Handler, carriedOut bool) (address string, outages *atomic.Int64) {
	t.Helper()

	var since atomic.Int64 // when the outage began, in milliseconds; 0 before

	outages = &atomic.Int64{}

	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isWrite := r.Method != http.MethodGet

		if isWrite && since.CompareAndSwap(0, time.Now().UnixMilli()) && carriedOut {
			server.ServeHTTP(httptest.NewRecorder(), r)
		}

		if began := since.Load(); began != 0 && time.Since(time.UnixMilli(began)) < outage {
			outages.Add(1)
			panic(http.ErrAbortHandler)
		}

		server.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)

	return proxy.URL, outages
}

func TestGatewayThatRestartsInAnApplyIsWaitedFor(t *testing.T) {
	config := hcl(`services = { blue = {} }`, `paths = ["/", "/api"]`)

	for _, carriedOut := range []bool{false, true} {
		t.Run(fmt.Sprintf("Consul, write carried out %t", carriedOut), func(t *testing.T) {
			s := newStack(t)
			target, err := url.Parse(s.address)
			must(t, err)

			address, outages := failing(t, httputil.NewSingleHostReverseProxy(target), carriedOut)
			block := fmt.Sprintf("provider \"hypervisor\" {\n  consul  = { address = %q }\n  gateway = { traefik = {} }\n}\n", address)
			run(t, resource.TestStep{Config: block + config})

			if outages.Load() == 0 {
				t.Error("there was no outage")
			}
		})

		t.Run(fmt.Sprintf("Kong, write carried out %t", carriedOut), func(t *testing.T) {
			address, outages := failing(t, kongtest.New(t), carriedOut)
			block := fmt.Sprintf("provider \"hypervisor\" {\n  gateway = { kong = { admin_url = %q } }\n}\n", address)
			run(t, resource.TestStep{Config: block + config})

			if outages.Load() == 0 {
				t.Error("there was no outage")
			}
		})
	}
}

// TestConsulThatIsAwayWhenAGatewayIsFirstAskedIsWaitedFor has the first call of an apply meet a Consul that restarts.
func TestConsulThatIsAwayWhenAGatewayIsFirstAskedIsWaitedFor(t *testing.T) {
	s := newStack(t)
	target, err := url.Parse(s.address)
	must(t, err)

	var (
		refused atomic.Int64
		forward = httputil.NewSingleHostReverseProxy(target)
	)

	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refused.Add(1) <= 2 {
			http.Error(w, "No cluster leader", http.StatusInternalServerError)

			return
		}

		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)

	block := fmt.Sprintf("provider \"hypervisor\" {\n  consul  = { address = %q }\n  gateway = { traefik = {} }\n}\n", proxy.URL)
	run(t, resource.TestStep{Config: block + hcl(`services = { blue = {} }`, `paths = ["/"]`)})
}

func TestRouteIsAskedForAtTheProxyItself(t *testing.T) {
	s := newStack(t)
	s.register(t, "blue")

	config := func(host, wait string) string {
		return s.block + hcl(`services = { blue = {} }`, fmt.Sprintf("hosts = [%q]\n  wait_until_routed = %s\n  timeouts = { update = \"3s\" }", host, wait))
	}
	served := fmt.Sprintf(`{ url = "%s/health" }`, s.url)

	run(t,
		resource.TestStep{Config: config("shop.test", served)},
		resource.TestStep{
			PreConfig: func() {
				if status, _, err := s.get(t.Context(), "shop.test"); err != nil || status != http.StatusOK {
					t.Errorf("right after the apply the route answers %d (%v)", status, err)
				}
			},
			ResourceName: routeType, ImportState: true, ImportStateId: "shop", ImportStateVerify: true,
		},
		resource.TestStep{
			Config:      config("shop.test", fmt.Sprintf(`{ url = %q, status = 418 }`, s.url)),
			ExpectError: message(`Unable to wait for gateway route "shop"`, "it answered with the status 200", "timeouts"),
		},
		resource.TestStep{Config: config("www.shop.test", served)},
	)
}

// TestHiddenDriftIsShownAndRepaired changes what no attribute shows.
func TestHiddenDriftIsShownAndRepaired(t *testing.T) {
	s := newStack(t)
	config := s.block + hcl(`services = { blue = {} }`, `paths = ["/"]`)
	set := func(path, value string) func() {
		return func() {
			_, err := s.consul.KV().Put(pair("traefik/http/"+path, value), nil)
			must(t, err)
		}
	}
	drift := func(change func(), address string) resource.TestStep {
		return resource.TestStep{
			PreConfig: change, Config: config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate)}},
		}
	}

	run(t,
		resource.TestStep{Config: config},
		drift(set("routers/shop~spare1/service", "elsewhere"), routeType),
		drift(set("routers/shop/priority", "1"), routeType),
		drift(set("middlewares/up~retry/retry/initialInterval", "9s"), upstreamType),
		drift(set("services/up~spare2/weighted/services/0/name", "other@consulcatalog"), upstreamType),
	)
}

// TestForeignObjectIsChangedOnlyAfterItsImport has a route that somebody else made.
func TestForeignObjectIsChangedOnlyAfterItsImport(t *testing.T) {
	s := newStack(t)

	for path, value := range map[string]string{
		"traefik/http/routers/shop/rule":                    "PathPrefix(`/`)",
		"traefik/http/routers/shop/service":                 "up",
		"traefik/http/services/up/weighted/services/0/name": "blue@consulcatalog",
	} {
		_, err := s.consul.KV().Put(pair(path, value), nil)
		must(t, err)
	}

	config := s.block + hcl(`services = { blue = { weight = 1 } }`, `paths = ["/"]`)

	run(t,
		resource.TestStep{Config: config, ExpectError: message(`Unable to create gateway upstream "up"`, "of this name already", "Import it")},
		resource.TestStep{Config: config, ResourceName: upstreamType, ImportState: true, ImportStateId: "up", ImportStatePersist: true},
		resource.TestStep{Config: config, ResourceName: routeType, ImportState: true, ImportStateId: "shop", ImportStatePersist: true},
		resource.TestStep{Config: config, PlanOnly: true},
		resource.TestStep{Config: s.block + hcl(`services = { blue = { weight = 2 } }`, `paths = ["/", "/x"]`), ConfigPlanChecks: both(plancheck.ResourceActionUpdate)},
	)

	if _, err := s.fresh().Route(t.Context(), "shop"); err == nil {
		t.Error("the imported route is not destroyed")
	}
}
