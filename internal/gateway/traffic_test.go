package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// visitors never stop asking, and remember who answered.
type visitors struct {
	mu      sync.Mutex
	counts  map[string]int
	failure error
}

// visit lets visitors ask for shop.test until the returned function is called.
func (s stack) visit(t *testing.T) (v *visitors, leave func()) {
	t.Helper()

	ctx, cancel := context.WithCancel(t.Context())
	v = &visitors{counts: map[string]int{}}

	var crowd sync.WaitGroup
	for range 4 {
		crowd.Go(func() {
			for ctx.Err() == nil {
				status, body, err := s.get(context.WithoutCancel(ctx), "shop.test")
				if err == nil && status != http.StatusOK {
					err = fmt.Errorf("status %d %q", status, body)
				}

				v.note(body, err)
			}
		})
	}

	leave = sync.OnceFunc(func() { cancel(); crowd.Wait() })
	t.Cleanup(leave)

	return v, leave
}

func (v *visitors) note(answered string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()

	v.counts[answered]++

	if err != nil && v.failure == nil {
		v.failure = err
	}
}

// forget starts the counting anew.
func (v *visitors) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()

	v.counts = map[string]int{}
}

// share returns how many of the answers since the last forget came from the service, in percent, and of how many.
func (v *visitors) share(service string) (percent float64, of int) {
	v.mu.Lock()
	defer v.mu.Unlock()

	for _, count := range v.counts {
		of += count
	}

	return 100 * float64(v.counts[service]) / float64(max(of, 1)), of
}

func TestWeightsMoveUnderTrafficAndNoRequestFails(t *testing.T) {
	s := newStack(t)
	s.register(t, "blue")
	s.register(t, "green")

	var crowd *visitors

	var leave func()

	config := func(blue, green int) string {
		return s.block + hcl(fmt.Sprintf(`services = { blue = { weight = %d }, green = { weight = %d } }`, blue, green), `hosts = ["shop.test"]`)
	}
	move := func(blue, green int) resource.TestStep {
		return resource.TestStep{
			Config: config(blue, green),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(upstreamType, plancheck.ResourceActionUpdate),
				plancheck.ExpectResourceAction(routeType, plancheck.ResourceActionNoop),
			}},
		}
	}
	spread := func(step resource.TestStep, before int) resource.TestStep {
		step.PreConfig = func() { crowd.expect(t, "blue", before) }
		return step
	}

	run(t,
		resource.TestStep{Config: config(90, 10)},
		resource.TestStep{
			PreConfig: func() {
				s.answers(t, "shop.test", http.StatusOK)
				crowd, leave = s.visit(t)
				crowd.expect(t, "blue", 90)
			},
			Config: config(90, 10), PlanOnly: true,
		},
		move(25, 75),
		spread(move(0, 100), 25),
		spread(move(50, 50), 0),
		resource.TestStep{
			PreConfig: func() { crowd.expect(t, "blue", 50); leave() }, // before destroy answers them 404
			Config:    config(50, 50), PlanOnly: true,
		},
	)

	if crowd.failure != nil {
		t.Errorf("a request failed while weights moved: %v", crowd.failure)
	}
}

// expect waits until the service's share of 400 answers in a row is the wanted percentage.
func (v *visitors) expect(t *testing.T, service string, want int) {
	t.Helper()

	v.forget()
	eventually(t, func() error {
		got, of := v.share(service)
		if of < 400 {
			return fmt.Errorf("only %d requests were answered", of)
		}

		if got < float64(want)-3 || got > float64(want)+3 {
			v.forget()

			return fmt.Errorf("%s answered %.1f %% of %d requests, want %d %%", service, got, of, want)
		}

		return nil
	})
}

func TestTargetsAndServicesOfOneUpstreamAreSwappedInPlace(t *testing.T) {
	s := newStack(t)
	s.register(t, "blue")
	target := backend(t, "fixed")

	var leave func()

	var crowd *visitors

	run(t,
		resource.TestStep{Config: s.block + hcl(`services = { blue = {} }`, `hosts = ["shop.test"]`)},
		resource.TestStep{
			PreConfig: func() {
				s.answers(t, "shop.test", http.StatusOK)
				crowd, leave = s.visit(t)
				crowd.expect(t, "blue", 100)
			},
			Config: s.block + hcl(`targets = { `+strconv.Quote(target)+` = {} }`, `hosts = ["shop.test"]`),
		},
		resource.TestStep{
			PreConfig: func() { crowd.expect(t, "fixed", 100); leave() },
			Config:    s.block + hcl(`targets = { `+strconv.Quote(target)+` = {} }`, `hosts = ["shop.test"]`), PlanOnly: true,
		},
	)

	if crowd.failure != nil {
		t.Errorf("a request failed while the upstream changed its kind: %v", crowd.failure)
	}
}

func TestRouteListensOnTheProvidersEntryPointsOnly(t *testing.T) {
	s := newStack(t)
	s.register(t, "blue")

	on := func(entryPoint, route string) resource.TestStep {
		block := strings.Replace(s.block, "traefik = {}", fmt.Sprintf("traefik = { entry_points = [%q] }", entryPoint), 1)

		return resource.TestStep{Config: block + hcl(`services = { blue = {} }`, route)}
	}
	check := on("other", `hosts = ["other.test"]`)
	check.PreConfig = func() { s.answers(t, "web.test", http.StatusOK) }
	last := on("other", `hosts = ["other.test"]`)
	last.PlanOnly = true
	last.PreConfig = func() {
		s.answers(t, "web.test", http.StatusNotFound)
		s.answers(t, "other.test", http.StatusNotFound)
	}

	run(t, on("web", `hosts = ["web.test"]`), check, last)
}

func TestRouteAnswers404UntilItsServiceExists(t *testing.T) {
	s := newStack(t)
	config := s.block + hcl(`services = { later = {} }`, `hosts = ["shop.test"]`)

	run(t,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				s.answers(t, "shop.test", http.StatusNotFound)
				s.register(t, "later")
				s.answers(t, "shop.test", http.StatusOK)
			},
			Config: config, PlanOnly: true,
		},
	)
}

func TestServiceThatLosesItsLastInstanceLeavesTheTrafficToTheOthers(t *testing.T) {
	s := newStack(t)
	s.register(t, "blue")
	s.register(t, "green")

	config := s.block + hcl(`services = { blue = {}, green = {} }`, `hosts = ["shop.test"]`)

	run(t,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				s.answers(t, "shop.test", http.StatusOK)
				crowd, leave := s.visit(t)
				crowd.expect(t, "blue", 50)
				s.withdraw(t, "green")
				crowd.expect(t, "blue", 100)
				s.register(t, "green")
				crowd.expect(t, "blue", 50)
				s.withdraw(t, "blue")
				crowd.expect(t, "green", 100)
				leave()

				if crowd.failure != nil {
					t.Errorf("a request failed while a service came and went: %v", crowd.failure)
				}
			},
			Config: config, PlanOnly: true,
		},
	)
}

func TestUpstreamIsRenamedUnderTraffic(t *testing.T) {
	s := newStack(t)
	s.register(t, "blue")

	named := func(name, lifecycle string) string {
		return s.block + fmt.Sprintf(`
resource "gateway_upstream" "up" {
  provider = hypervisor
  name     = %q
  services = { blue = {} }
  lifecycle { %s }
}

resource "gateway_route" "shop" {
  provider = hypervisor
  name     = "shop"
  hosts    = ["shop.test"]
  upstream = gateway_upstream.up.name
}
`, name, lifecycle)
	}

	const createFirst = "create_before_destroy = true"

	var crowd *visitors

	var leave func()

	run(t,
		resource.TestStep{Config: named("old", "")},
		resource.TestStep{
			PreConfig: func() {
				s.answers(t, "shop.test", http.StatusOK)
				crowd, leave = s.visit(t)
				crowd.expect(t, "blue", 100)
			},
			Config:      named("new", ""),
			ExpectError: message(`Unable to delete gateway upstream "old"`, "shop", "create_before_destroy"),
		},
		resource.TestStep{Config: named("new", createFirst)},
		resource.TestStep{
			PreConfig: func() { crowd.expect(t, "blue", 100); leave() },
			Config:    named("new", createFirst), PlanOnly: true,
		},
	)

	if crowd.failure != nil {
		t.Errorf("a request failed while the upstream was renamed: %v", crowd.failure)
	}
}
