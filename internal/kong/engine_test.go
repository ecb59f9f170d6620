package kong

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
	"github.com/google/go-cmp/cmp"
)

func newEngine(t *testing.T, config Config) *Engine {
	t.Helper()

	engine, err := New(config)
	if err != nil {
		t.Fatal(err)
	}

	return engine
}

// start gives an empty Kong and an engine for it.
func start(t *testing.T) (*kongtest.Server, *Engine) {
	t.Helper()

	server := kongtest.New(t)

	return server, newEngine(t, Config{AdminURL: server.URL})
}

// ask sends one request to Kong past the engine and decodes the answer.
func ask(t *testing.T, server *kongtest.Server, method, path, body string) map[string]any {
	t.Helper()

	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest && response.StatusCode != http.StatusNotFound {
		t.Fatalf("%s %s: %s", method, path, response.Status)
	}

	var answer map[string]any
	if response.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
	}

	return answer
}

// entities is a whole collection.
func entities(t *testing.T, server *kongtest.Server, path string) []map[string]any {
	t.Helper()

	list, ok := ask(t, server, http.MethodGet, path+"?size=1000", "")["data"].([]any)
	if !ok {
		return nil
	}
	var entities []map[string]any
	for _, value := range list {
		entity, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("%s holds %v, which is no entity", path, value)
		}
		entities = append(entities, entity)
	}

	return entities
}

func mustPut(t *testing.T, engine *Engine, upstream gateway.Upstream, routes ...gateway.Route) {
	t.Helper()

	if err := engine.PutUpstream(t.Context(), upstream); err != nil {
		t.Fatalf("put upstream %q: %v", upstream.Name, err)
	}
	for _, route := range routes {
		if err := engine.PutRoute(t.Context(), route); err != nil {
			t.Fatalf("put route %q: %v", route.Name, err)
		}
	}
}

func wantUpstream(t *testing.T, engine *Engine, want gateway.Upstream) {
	t.Helper()

	want = want.Complete()
	want.Timeouts = gateway.Timeouts{
		Connect: either(want.Timeouts.Connect, gateway.DefaultConnectTimeout),
		Read:    either(want.Timeouts.Read, gateway.DefaultReadTimeout),
		Write:   either(want.Timeouts.Write, gateway.DefaultWriteTimeout),
	}

	got, err := engine.Upstream(t.Context(), want.Name)
	if err != nil {
		t.Fatalf("read upstream %q: %v", want.Name, err)
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("upstream %q: wanted (-), read (+):\n%s", want.Name, difference)
	}
}

// wantError checks that an error says all of some texts.
func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()

	if err == nil {
		t.Fatalf("no error; wanted one that says %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}

func writes(server *kongtest.Server) []string {
	var writes []string
	for _, request := range server.Requests() {
		if request.IsWrite() {
			writes = append(writes, request.Method+" "+request.Path)
		}
	}

	return writes
}

func TestReadsOfAWholeRefreshShareOneListPerCollection(t *testing.T) {
	const upstreams, routesEach = 20, 5

	server, writer := start(t)
	for i := range upstreams {
		name := fmt.Sprintf("up-%d", i)
		mustPut(t, writer, gateway.Upstream{Record: gateway.Record{Name: name}, Targets: map[string]gateway.Member{"10.0.0.1:80": {Weight: 1}}})
		for j := range routesEach {
			route := gateway.Route{Record: gateway.Record{Name: fmt.Sprintf("%s-%d", name, j)}, Hosts: []string{name + ".test"}, Upstream: name}
			if err := writer.PutRoute(t.Context(), route); err != nil {
				t.Fatal(err)
			}
		}
	}

	server.Requests()
	reader := newEngine(t, Config{AdminURL: server.URL})
	var readers sync.WaitGroup
	for i := range upstreams {
		for j := range routesEach {
			readers.Go(func() {
				name := fmt.Sprintf("up-%d", i)
				route, err := reader.Route(t.Context(), fmt.Sprintf("%s-%d", name, j))
				if err != nil || route.Upstream != name {
					t.Errorf("read route %s-%d: %+v, %v", name, j, route, err)
				}
				if _, err := reader.Upstream(t.Context(), name); err != nil {
					t.Error(err)
				}
			})
		}
	}
	readers.Wait()

	counts := map[string]int{}
	for _, request := range server.Requests() {
		counts[request.Path]++
	}
	want := map[string]int{"/services": 1, "/upstreams": 1, "/routes": 1}
	for i := range upstreams {
		want[fmt.Sprintf("/upstreams/up-%d/targets", i)] = 1
	}
	if difference := cmp.Diff(want, counts); difference != "" {
		t.Errorf("requests by path: wanted (-), sent (+):\n%s", difference)
	}
}

func TestReadsFollowEveryPage(t *testing.T) {
	const routes = 1100 // a page has 1000

	server, writer := start(t)
	mustPut(t, writer, gateway.Upstream{Record: gateway.Record{Name: "up"}, Targets: map[string]gateway.Member{"10.0.0.1:80": {Weight: 1}}})
	for i := range routes {
		ask(t, server, http.MethodPut, fmt.Sprintf("/routes/r-%d", i), fmt.Sprintf(`{"paths": ["/%d"], "service": {"name": "up"}}`, i))
	}

	server.Requests()
	reader := newEngine(t, Config{AdminURL: server.URL})
	for i := range routes {
		route, err := reader.Route(t.Context(), fmt.Sprintf("r-%d", i))
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("/%d", i); len(route.Paths) != 1 || route.Paths[0] != want {
			t.Fatalf("route r-%d has the paths %q, not %q", i, route.Paths, want)
		}
	}
	if sent := len(server.Requests()); sent != 3 {
		t.Errorf("%d requests; wanted two pages of routes and one of services", sent)
	}
}

func TestReadsAfterAWriteSeeIt(t *testing.T) {
	_, engine := start(t)
	if _, err := engine.Upstream(t.Context(), "up"); !errors.Is(err, gateway.ErrNotFound) {
		t.Fatalf("read an upstream that does not exist: %v", err)
	}
	if _, err := engine.Route(t.Context(), "shop"); !errors.Is(err, gateway.ErrNotFound) {
		t.Fatalf("read a route that does not exist: %v", err)
	}

	upstream := gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 100}}, Retries: 2}
	route := gateway.Route{Record: gateway.Record{Name: "shop"}, Hosts: []string{"shop.test"}, Paths: []string{"/"}, Upstream: "up"}
	mustPut(t, engine, upstream, route)

	wantUpstream(t, engine, upstream)
	got, err := engine.Route(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(route.Complete(), got); difference != "" {
		t.Errorf("route: put (-), read (+):\n%s", difference)
	}
}

func TestAFailedReadIsNotKept(t *testing.T) {
	server, engine := start(t)
	server.RequireToken("another")
	_, err := engine.Upstream(t.Context(), "up")
	wantError(t, err, "401", "Check the token")
	if errors.Is(err, gateway.ErrNotFound) {
		t.Error("a refused read looks like a missing upstream")
	}

	server.RequireToken("")
	if _, err := engine.Upstream(t.Context(), "up"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("the next read does not ask again: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()

	if err != nil {
		t.Fatal(err)
	}
}

func either(given, standard time.Duration) time.Duration {
	if given == 0 {
		return standard
	}

	return given
}
