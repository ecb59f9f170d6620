package traefik_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/traefik"
	"github.com/google/go-cmp/cmp"
)

// proxied returns an engine whose requests go through a proxy before Consul. interfere is told the number of each, from 1,
// and what passes it on; if it does not call that, the request never arrives. If it panics with http.ErrAbortHandler, the
// connection is cut.
func proxied(t *testing.T, consul *testbed.Consul, interfere func(number int64, pass func())) *traefik.Engine {
	t.Helper()

	target, err := url.Parse(consul.Address())
	must(t, err)

	var requests atomic.Int64

	forward := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		interfere(requests.Add(1), func() { forward.ServeHTTP(w, r) })
	}))
	t.Cleanup(proxy.Close)

	client, err := catalog.New(catalog.Config{Address: proxy.URL})
	must(t, err)

	return traefik.New(traefik.Config{KeyPrefix: "traefik"}, client)
}

// cut passes all requests on but one, whose connection it cuts, before or after Consul has carried it out.
func cut(at int64, carriedOut bool) func(int64, func()) {
	return func(number int64, pass func()) {
		if number != at {
			pass()

			return
		}

		if carriedOut {
			pass()
		}

		panic(http.ErrAbortHandler)
	}
}

// TestCutConnectionLeavesNothingThatTheNextCallDoesNotRepair walks through a life of an upstream and a route, and cuts each
// request in turn.
func TestCutConnectionLeavesNothingThatTheNextCallDoesNotRepair(t *testing.T) {
	consul, err := testbed.For(t).StartConsul(t.Context())
	must(t, err)

	first := gateway.Upstream{Record: gateway.Record{Name: "up"}, Targets: to("10.0.0.1:80"), Retries: 1}.Complete()
	second := gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: to("web"), Retries: 3}.Complete()
	route := gateway.Route{Record: gateway.Record{Name: "shop"}, Paths: []string{"/", "/cart"}, Upstream: "up"}.Complete()
	calls := []struct {
		name string
		do   func(*traefik.Engine) error
	}{
		{"create upstream", func(e *traefik.Engine) error { return e.PutUpstream(t.Context(), first) }},
		{"create route", func(e *traefik.Engine) error { return e.PutRoute(t.Context(), route) }},
		{"update upstream", func(e *traefik.Engine) error { return e.PutUpstream(t.Context(), second) }},
		{"delete route", func(e *traefik.Engine) error { return e.DeleteRoute(t.Context(), route.Record) }},
		{"delete upstream", func(e *traefik.Engine) error { return e.DeleteUpstream(t.Context(), first.Record) }},
	}

	through := func() *traefik.Engine { return proxied(t, consul, cut(0, false)) }

	for _, carriedOut := range []bool{false, true} {
		cuts := 0

		for at, call := range calls {
			for number := int64(1); ; number++ {
				for _, earlier := range calls[:at] {
					must(t, earlier.do(through()))
				}

				var reached atomic.Bool

				cutting := cut(number, carriedOut)
				err := call.do(proxied(t, consul, func(at int64, pass func()) {
					reached.CompareAndSwap(false, at == number)
					cutting(at, pass)
				}))

				if err != nil && !errors.Is(err, gateway.ErrAway) {
					t.Errorf("%s, cut at request %d: %v, want an error that is ErrAway", call.name, number, err)
				}

				if err != nil {
					cuts++
				}

				// The connection is back: the same call again does all, whatever the cut one has done.
				must(t, call.do(through()))
				must(t, through().DeleteRoute(t.Context(), route.Record))
				must(t, through().DeleteUpstream(t.Context(), first.Record))

				if !reached.Load() {
					break
				}
			}
		}

		if want := 2 * len(calls); cuts != want { // a list and a transaction
			t.Errorf("%d cuts were felt, want %d", cuts, want)
		}
	}

	client, err := catalog.New(catalog.Config{Address: consul.Address()})
	must(t, err)

	left, err := client.Keys(t.Context(), "traefik/")
	must(t, err)

	if diff := cmp.Diff(map[string]catalog.Key{}, left); diff != "" {
		t.Errorf("after all deletions there are keys:\n%s", diff)
	}
}

// TestWritesAtTheSameTimeShareTransactions holds the first write back until all others wait behind it.
func TestWritesAtTheSameTimeShareTransactions(t *testing.T) {
	const count = 40

	consul, err := testbed.For(t).StartConsul(t.Context())
	must(t, err)

	var requests atomic.Int64

	engine := proxied(t, consul, func(number int64, pass func()) {
		requests.Store(number)
		pass()
	})

	var writers sync.WaitGroup
	for number := range count {
		writers.Go(func() {
			upstream := gateway.Upstream{Record: gateway.Record{Name: fmt.Sprintf("up-%d", number)}, Services: to("web")}
			if err := engine.PutUpstream(t.Context(), upstream); err != nil {
				t.Error(err)
			}
		})
	}

	writers.Wait()

	if got := requests.Load(); got > 1+count/2 {
		t.Errorf("%d upstreams took %d requests", count, got)
	}

	found, err := proxied(t, consul, cut(0, false)).Upstreams(t.Context())
	must(t, err)

	if len(found) != count {
		t.Errorf("there are %d upstreams, want %d", len(found), count)
	}
}

// TestOneStatesConflictFailsNobodyElse lets somebody change one of several objects that are written together.
func TestOneStatesConflictFailsNobodyElse(t *testing.T) {
	consul, err := testbed.For(t).StartConsul(t.Context())
	must(t, err)

	const count = 10

	theirs := proxied(t, consul, cut(0, false))
	engine := proxied(t, consul, cut(0, false))

	if _, err := engine.Upstream(t.Context(), "up-3"); !errors.Is(err, gateway.ErrNotFound) {
		t.Fatal(err)
	}

	must(t, theirs.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: "up-3"}, Services: to("theirs")}))

	var (
		writers sync.WaitGroup
		mu      sync.Mutex
		failed  []string
	)

	for number := range count {
		writers.Go(func() {
			name := fmt.Sprintf("up-%d", number)
			if err := engine.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: name}, Services: to("web")}); err != nil {
				mu.Lock()
				defer mu.Unlock()

				failed = append(failed, name)
			}
		})
	}

	writers.Wait()

	if diff := cmp.Diff([]string{"up-3"}, failed); diff != "" {
		t.Errorf("failed writes differ (-want +got):\n%s", diff)
	}
}
