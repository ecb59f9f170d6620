package traefik_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/traefik"
	"github.com/google/go-cmp/cmp"
)

func TestEngineOnRealTraefik(t *testing.T) {
	s := newStack(t)

	t.Run("RouteLeadsToItsUpstreamUntilItIsDeleted", s.routeLeadsToItsUpstream)
	t.Run("LongerPathAndGivenHostGoFirst", s.longerPathAndGivenHostGoFirst)
	t.Run("OddPathsMatchWhatTheySay", s.oddPathsMatchWhatTheySay)
	t.Run("ConnectionThatFailsIsRetriedOnAnotherTarget", s.failedConnectionIsRetried)
	t.Run("TargetsShareTrafficByWeight", s.targetsShareTrafficByWeight)
	t.Run("TwoStatesDoNotOverwriteEachOther", s.statesDoNotOverwriteEachOther)
	t.Run("UpstreamInUseIsKept", s.upstreamInUseIsKept)
	t.Run("LargestUpstreamAndRouteFitOneTransaction", s.largestFitOneTransaction)
	t.Run("ReadsShareOneRequest", s.readsShareOneRequest)
}

func (s stack) routeLeadsToItsUpstream(t *testing.T) {
	engine, client := s.engine(t)
	upstream := gateway.Upstream{
		Record: gateway.Record{Name: "life"}, Targets: to(backend(t, "life")), Retries: 1,
		Timeouts: gateway.Timeouts{Connect: time.Second, Read: time.Minute},
	}
	route := gateway.Route{Record: gateway.Record{Name: "life"}, Hosts: []string{"life.test"}, Paths: []string{"/", "/more"}, Upstream: "life"}

	if err := engine.PutRoute(t.Context(), route); err == nil || !strings.Contains(err.Error(), `no upstream "life"`) {
		t.Errorf("a route to an upstream that does not exist gives %v", err)
	}

	must(t, engine.PutUpstream(t.Context(), upstream))
	must(t, engine.PutRoute(t.Context(), route))
	s.answers(t, "life.test", "/some", http.StatusOK, "life")
	s.answers(t, "other.test", "/some", http.StatusNotFound, "404 page not found")

	gotRoute, err := engine.Route(t.Context(), "life")
	must(t, err)
	gotUpstream, err := engine.Upstream(t.Context(), "life")
	must(t, err)

	if diff := cmp.Diff([]any{route.Complete(), upstream.Complete()}, []any{gotRoute, gotUpstream}); diff != "" {
		t.Errorf("read differs (-put +read):\n%s", diff)
	}

	for range 2 { // the second time there is nothing left to delete
		must(t, engine.DeleteRoute(t.Context(), gateway.Record{Name: "life"}))
		must(t, engine.DeleteUpstream(t.Context(), gateway.Record{Name: "life"}))
	}

	s.answers(t, "life.test", "/some", http.StatusNotFound, "404 page not found")

	if _, err := engine.Route(t.Context(), "life"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("reading a deleted route gives %v, not ErrNotFound", err)
	}

	if _, err := engine.Upstream(t.Context(), "life"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("reading a deleted upstream gives %v, not ErrNotFound", err)
	}

	keys, err := client.Keys(t.Context(), "traefik/")
	must(t, err)

	for path := range keys {
		if strings.Contains(path, "/life") {
			t.Errorf("the key %s is left", path)
		}
	}
}

func (s stack) longerPathAndGivenHostGoFirst(t *testing.T) {
	engine, _ := s.engine(t)

	for _, route := range []gateway.Route{
		{Record: gateway.Record{Name: "prio-all"}, Paths: []string{"/a-path-that-is-longer-than-any-other-rule-of-this-test/of/precedence/between/routes", "/api"}},
		{Record: gateway.Record{Name: "prio-many"}, Hosts: []string{"one.prio.test", "two.prio.test", "three.prio.test"}, Paths: []string{"/", "/api/deep"}},
		{Record: gateway.Record{Name: "prio-api"}, Hosts: []string{"one.prio.test"}, Paths: []string{"/api"}},
		{Record: gateway.Record{Name: "prio-host"}, Hosts: []string{"four.prio.test"}},
	} {
		route.Upstream = route.Name
		must(t, engine.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: route.Name}, Targets: to(backend(t, route.Name))}))
		must(t, engine.PutRoute(t.Context(), route))
	}

	for request, want := range map[[2]string]string{
		{"one.prio.test", "/"}:             "prio-many",
		{"one.prio.test", "/api/x"}:        "prio-api",
		{"one.prio.test", "/api/deep/x"}:   "prio-many",
		{"two.prio.test", "/api/x"}:        "prio-many",
		{"two.prio.test", "/api/deep/y"}:   "prio-many",
		{"four.prio.test", "/api"}:         "prio-host",
		{"five.prio.test", "/api"}:         "prio-all",
		{"five.prio.test", "/application"}: "",
	} {
		if want == "" {
			s.answers(t, request[0], request[1], http.StatusNotFound, "404 page not found")
			continue
		}

		s.answers(t, request[0], request[1], http.StatusOK, want)
	}
}

func (s stack) oddPathsMatchWhatTheySay(t *testing.T) {
	engine, _ := s.engine(t)

	for number, path := range []string{"/it's", "/a(b)", "/x,y;z=1", "/~me/@home", "/tick`tock", `/say"hi"`, "/$a&b!c*d+e", "/trailing/"} {
		name := fmt.Sprintf("odd%d", number)
		must(t, engine.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: name}, Targets: to(backend(t, name))}))
		must(t, engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: name}, Hosts: []string{"odd.test"}, Paths: []string{path}, Upstream: name}))
		s.answers(t, "odd.test", strings.NewReplacer("`", "%60", `"`, "%22").Replace(path)+"x", http.StatusOK, name)
	}

	s.answers(t, "odd.test", "/", http.StatusNotFound, "404 page not found")
}

func (s stack) failedConnectionIsRetried(t *testing.T) {
	engine, _ := s.engine(t)

	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()

	targets := map[string]gateway.Member{backend(t, "alive"): {Weight: 1}, gone.Listener.Addr().String(): {Weight: 1}}
	must(t, engine.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: "retry"}, Targets: targets, Retries: 1}))
	must(t, engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "retry"}, Hosts: []string{"retry.test"}, Upstream: "retry"}))
	s.answers(t, "retry.test", "/", http.StatusOK, "alive")

	for range 20 {
		if status, body, err := s.get(t.Context(), "retry.test", "/"); status != http.StatusOK {
			t.Fatalf("with a retry the answer is %d %q (%v)", status, body, err)
		}
	}

	must(t, engine.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: "retry"}, Targets: targets, Retries: 0}))
	s.answers(t, "retry.test", "/", http.StatusBadGateway, "Bad Gateway")
}

func (s stack) targetsShareTrafficByWeight(t *testing.T) {
	engine, _ := s.engine(t)
	one, two, three := backend(t, "one"), backend(t, "two"), backend(t, "three")

	must(t, engine.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: "weigh"}, Targets: to(one)}))
	must(t, engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "weigh"}, Hosts: []string{"weigh.test"}, Upstream: "weigh"}))
	s.answers(t, "weigh.test", "/", http.StatusOK, "one")

	must(t, engine.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: "weigh"}, Targets: map[string]gateway.Member{
		one: {Weight: 0}, two: {Weight: 300}, three: {Weight: 100},
	}}))
	s.answers(t, "weigh.test", "/", http.StatusOK, "three") // which the old configuration never gives

	counts := map[string]int{}

	for range 100 {
		_, body, err := s.get(t.Context(), "weigh.test", "/")
		must(t, err)
		counts[body]++
	}

	if counts["one"] != 0 || counts["two"] < 74 || counts["two"] > 76 || counts["three"] < 24 {
		t.Errorf("of 100 requests %v were answered, want 75 by two and 25 by three", counts)
	}
}

func (s stack) statesDoNotOverwriteEachOther(t *testing.T) {
	mine, _ := s.engine(t)
	theirs, _ := s.engine(t)
	upstream := gateway.Upstream{Record: gateway.Record{Name: "race"}, Targets: to("10.0.0.1:80")}

	if _, err := mine.Upstream(t.Context(), "race"); !errors.Is(err, gateway.ErrNotFound) {
		t.Fatalf("the upstream exists too early: %v", err)
	}

	must(t, theirs.PutUpstream(t.Context(), upstream))

	upstream.Retries = 5
	err := mine.PutUpstream(t.Context(), upstream)

	if !errors.Is(err, catalog.ErrConflict) {
		t.Fatalf("overwriting what another state wrote meanwhile gives %v, not a conflict", err)
	}

	got, err := mine.Upstream(t.Context(), "race")
	must(t, err)

	if got.Retries != 0 {
		t.Error("a refused write has changed the upstream")
	}

	must(t, mine.PutUpstream(t.Context(), upstream))
}

func (s stack) upstreamInUseIsKept(t *testing.T) {
	engine, _ := s.engine(t)
	must(t, engine.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: "used"}, Targets: to("10.0.0.1:80")}))
	must(t, engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "user-a"}, Paths: []string{"/used", "/used/a"}, Upstream: "used"}))
	must(t, engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "user-b"}, Paths: []string{"/used/b"}, Upstream: "used"}))

	err := engine.DeleteUpstream(t.Context(), gateway.Record{Name: "used"})
	if err == nil || !strings.Contains(err.Error(), `"user-a", "user-b"`) {
		t.Fatalf("deleting an upstream in use gives %v, want an error that names both routes", err)
	}

	must(t, engine.DeleteRoute(t.Context(), gateway.Record{Name: "user-a"}))
	must(t, engine.DeleteRoute(t.Context(), gateway.Record{Name: "user-b"}))
	must(t, engine.DeleteUpstream(t.Context(), gateway.Record{Name: "used"}))
}

func (s stack) largestFitOneTransaction(t *testing.T) {
	_, client := s.engine(t)
	engine := traefik.New(traefik.Config{KeyPrefix: "/traefik/", EntryPoints: []string{"web", "internal", "public"}}, client)
	upstream := gateway.Upstream{Record: gateway.Record{Name: "large"}, Services: map[string]gateway.Member{}}
	route := gateway.Route{Record: gateway.Record{Name: "large"}, Hosts: []string{"large.test"}, Upstream: "large"}

	for number := range 50 {
		upstream.Services[fmt.Sprintf("service-%d", number)] = gateway.Member{Weight: number}
	}

	for length := range 16 {
		route.Paths = append(route.Paths, "/"+strings.Repeat("a", length))
	}

	must(t, engine.PutUpstream(t.Context(), upstream))
	must(t, engine.PutRoute(t.Context(), route))

	got, err := engine.Route(t.Context(), "large")
	must(t, err)

	if diff := cmp.Diff(route.Complete(), got); diff != "" {
		t.Errorf("route differs (-put +read):\n%s", diff)
	}

	route.Paths = []string{"/"}
	must(t, engine.PutRoute(t.Context(), route))

	upstream.Services, upstream.Targets = nil, map[string]gateway.Member{}
	for number := range 50 {
		upstream.Targets[fmt.Sprintf("10.0.0.%d:80", number)] = gateway.Member{Weight: number}
	}

	if err := engine.PutUpstream(t.Context(), upstream); err == nil || !strings.Contains(err.Error(), "in several applies") {
		t.Errorf("replacing 50 services by 50 targets gives %v, want an error that says how to", err)
	}

	upstream.Targets = to("10.0.0.1:80")
	must(t, engine.PutUpstream(t.Context(), upstream))
	must(t, engine.DeleteRoute(t.Context(), gateway.Record{Name: "large"}))
	must(t, engine.DeleteUpstream(t.Context(), gateway.Record{Name: "large"}))
}

func (s stack) readsShareOneRequest(t *testing.T) {
	target, err := url.Parse(s.consul.Address())
	must(t, err)

	var requests atomic.Int64

	forward := httputil.NewSingleHostReverseProxy(target)
	counting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(counting.Close)

	client, err := catalog.New(catalog.Config{Address: counting.URL})
	must(t, err)

	engine := traefik.New(traefik.Config{KeyPrefix: "traefik"}, client)

	var reads sync.WaitGroup
	for range 50 {
		reads.Go(func() {
			_, routeErr := engine.Route(t.Context(), "absent")
			_, upstreamErr := engine.Upstream(t.Context(), "absent")

			if !errors.Is(routeErr, gateway.ErrNotFound) || !errors.Is(upstreamErr, gateway.ErrNotFound) {
				t.Errorf("reading what is not there gives %v and %v", routeErr, upstreamErr)
			}
		})
	}

	reads.Wait()

	if got := requests.Load(); got != 1 {
		t.Errorf("100 reads made %d requests, want 1", got)
	}
}
