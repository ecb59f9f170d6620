package consul_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/miekg/dns"
)

// resolve asks Consul's DNS for the addresses of a service, over TCP since UDP holds three records only.
func resolve(t *testing.T, name string) []string {
	t.Helper()

	question := new(dns.Msg)
	question.SetQuestion(name+".service.consul.", dns.TypeA)

	answer, _, err := (&dns.Client{Net: "tcp"}).ExchangeContext(t.Context(), question, consulServer.DNS())
	if err != nil {
		t.Fatalf("ask Consul's DNS for %s: %v", name, err)
	}

	var addresses []string

	for _, record := range answer.Answer {
		if a, ok := record.(*dns.A); ok {
			addresses = append(addresses, a.A.String())
		}
	}

	slices.Sort(addresses)

	return addresses
}

func resolvesTo(t *testing.T, name string, want ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s resolves to %v", name, want), func() bool { return slices.Equal(resolve(t, name), want) })
}

// page is a health page that fails while it is sick.
type page struct {
	*httptest.Server
	sick atomic.Bool
}

func newPage(t *testing.T) *page {
	t.Helper()

	p := &page{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if p.sick.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(p.Close)

	return p
}

func TestInstanceThatFailsItsCheckLeavesDNSAndIsNoChange(t *testing.T) {
	name := unique(t)
	well, ill := newPage(t), newPage(t)

	config := ""
	for label, one := range map[string]struct {
		address string
		page    *page
	}{"it": {"127.0.0.2", well}, "other": {"127.0.0.3", ill}} {
		config += block(label, fmt.Sprintf(`
  name    = %q
  id      = "%[1]s-%s"
  address = %q
  port    = 80
  checks  = { web = { http = %q, interval = "1s", timeout = "500ms" } }
  wait_for_passing = "20s"`, name, label, one.address, one.page.URL))
	}

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		CheckDestroy:             func(*terraform.State) error { return agentHasNot(name) },
		Steps: []resource.TestStep{
			{
				Config: config,
				Check: func(*terraform.State) error {
					resolvesTo(t, name, "127.0.0.2", "127.0.0.3")

					return nil
				},
			},
			{
				PreConfig: func() {
					ill.sick.Store(true)
					resolvesTo(t, name, "127.0.0.2")
				},
				Config:           config,
				ConfigPlanChecks: emptyPlan(),
			},
			{
				PreConfig: func() {
					ill.sick.Store(false)
					resolvesTo(t, name, "127.0.0.2", "127.0.0.3")
				},
				Config:           config,
				ConfigPlanChecks: emptyPlan(),
			},
		},
	})

	resolvesTo(t, name)
}

func TestCatalogInstancesResolveAndATagChangeKeepsThemInDNS(t *testing.T) {
	name := unique(t)
	config := func(tag string) string {
		text := ""
		for label, address := range map[string]string{"it": "127.0.0.2", "other": "127.0.0.3"} {
			text += block(label, fmt.Sprintf(`
  name    = %q
  node    = "%[1]s-%s"
  address = %q
  port    = 80
  tags    = [%q]
  checks  = { web = { http = "http://127.0.0.1:1/", status = "passing" } }`, name, label, address, tag))
		}

		return text
	}

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		CheckDestroy: func(*terraform.State) error {
			if err := catalogHasNot(name+"-it", name); err != nil {
				return err
			}

			return catalogHasNot(name+"-other", name)
		},
		Steps: []resource.TestStep{
			{Config: config("a"), Check: func(*terraform.State) error { return wantDNS(t, name, "127.0.0.2", "127.0.0.3") }},
			{
				Config:           config("b"),
				ConfigPlanChecks: action(plancheck.ResourceActionUpdate),
				Check:            func(*terraform.State) error { return wantDNS(t, name, "127.0.0.2", "127.0.0.3") },
			},
		},
	})
}

// wantDNS is resolvesTo without patience: a transaction is in DNS once it is answered.
func wantDNS(t *testing.T, name string, want ...string) error {
	if got := resolve(t, name); !slices.Equal(got, want) {
		return fmt.Errorf("%s resolves to %v, want %v", name, got, want)
	}

	return nil
}

func TestWaitFailsTheCreationAndTheNextApplyRepairsIt(t *testing.T) {
	name := unique(t)
	health := newPage(t)
	health.sick.Store(true)

	config := block("it", fmt.Sprintf(`
  name   = %q
  checks = { web = { http = %q, interval = "1s", timeout = "500ms" } }
  wait_for_passing = "2s"`, name, health.URL))

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		CheckDestroy:             func(*terraform.State) error { return agentHasNot(name) },
		Steps: []resource.TestStep{
			{Config: config, ExpectError: words(`Unable to create Consul service "`+name+`"`, "Wait 2s", `check "web" is critical`)},
			{
				PreConfig:        func() { health.sick.Store(false) },
				Config:           config,
				ConfigPlanChecks: action(plancheck.ResourceActionReplace),
				Check:            func(*terraform.State) error { return passes(name) },
			},
		},
	})
}
