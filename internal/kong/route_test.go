package kong

import (
	"errors"
	"net/http"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/google/go-cmp/cmp"
)

func TestRouteReadsBackAsItWasPut(t *testing.T) {
	routes := map[string]gateway.Route{
		"hosts and paths": {Name: "shop", Hosts: []string{"shop.test", "www.shop.test"}, Paths: []string{"/", "/api/v1"}, Upstream: "up"},
		"hosts":           {Name: "shop", Hosts: []string{"shop.test"}, Upstream: "up"},
		"paths":           {Name: "shop", Paths: []string{"/cart"}, Upstream: "up"},
	}

	server, engine := start(t)
	mustPut(t, engine, gateway.Upstream{Name: "up", Services: map[string]gateway.Member{"web": {Weight: 1}}})
	for name, route := range routes {
		t.Run(name, func(t *testing.T) {
			if err := engine.PutRoute(t.Context(), route); err != nil {
				t.Fatal(err)
			}
			for _, reader := range []*Engine{engine, newEngine(t, Config{AdminURL: server.URL})} {
				got, err := reader.Route(t.Context(), "shop")
				if err != nil {
					t.Fatal(err)
				}
				if difference := cmp.Diff(route, got); difference != "" {
					t.Errorf("put (-), read (+):\n%s", difference)
				}
			}
		})
	}

	written := ask(t, server, http.MethodGet, "/routes/shop", "")
	want := map[string]any{"strip_path": false, "preserve_host": true, "protocols": []any{"http", "https"}, "tags": []any{mark}}
	for name, value := range want {
		if difference := cmp.Diff(value, written[name]); difference != "" {
			t.Errorf("%s: wanted (-), written (+):\n%s", name, difference)
		}
	}
}

func TestRouteChangesItsUpstreamInPlace(t *testing.T) {
	server, engine := start(t)
	route := gateway.Route{Name: "shop", Hosts: []string{"shop.test"}, Upstream: "blue"}
	mustPut(t, engine, gateway.Upstream{Name: "green", Services: map[string]gateway.Member{"green": {Weight: 1}}})
	mustPut(t, engine, gateway.Upstream{Name: "blue", Services: map[string]gateway.Member{"blue": {Weight: 1}}}, route)
	before := ask(t, server, http.MethodPatch, "/routes/shop", `{"tags": ["team"]}`)

	route.Upstream = "green"
	if err := engine.PutRoute(t.Context(), route); err != nil {
		t.Fatal(err)
	}

	got, err := newEngine(t, Config{AdminURL: server.URL}).Route(t.Context(), "shop")
	if err != nil || got.Upstream != "green" {
		t.Errorf("read %+v, %v", got, err)
	}
	after := ask(t, server, http.MethodGet, "/routes/shop", "")
	if after["id"] != before["id"] {
		t.Errorf("the route was made anew: id %v, before %v", after["id"], before["id"])
	}
	if difference := cmp.Diff([]any{"team", mark}, after["tags"]); difference != "" {
		t.Errorf("tags: wanted (-), written (+):\n%s", difference)
	}
}

func TestRouteToNowhereIsRefused(t *testing.T) {
	_, engine := start(t)
	err := engine.PutRoute(t.Context(), gateway.Route{Name: "shop", Hosts: []string{"shop.test"}, Upstream: "missing"})
	wantError(t, err, `no upstream "missing"`, "Create it first")
}

func TestRouteThatKongRefusesSaysWhy(t *testing.T) {
	_, engine := start(t)
	mustPut(t, engine, gateway.Upstream{Name: "up", Services: map[string]gateway.Member{"web": {Weight: 1}}})
	err := engine.PutRoute(t.Context(), gateway.Route{Name: "shop", Paths: []string{"cart"}, Upstream: "up"})
	wantError(t, err, `put Kong route "shop"`, "Kong answered 400", "paths.1: should start with: /")
}

func TestRouteDeletedBehindOurBackIsNotFound(t *testing.T) {
	server, engine := start(t)
	mustPut(t, engine, gateway.Upstream{Name: "up", Services: map[string]gateway.Member{"web": {Weight: 1}}},
		gateway.Route{Name: "shop", Hosts: []string{"shop.test"}, Upstream: "up"})
	ask(t, server, http.MethodDelete, "/routes/shop", "")

	for _, reader := range []*Engine{engine, newEngine(t, Config{AdminURL: server.URL})} {
		if _, err := reader.Route(t.Context(), "shop"); !errors.Is(err, gateway.ErrNotFound) {
			t.Errorf("read %v", err)
		}
	}
}

func TestRouteThatLeadsNowhereReadsWithoutUpstream(t *testing.T) {
	server, engine := start(t)
	ask(t, server, http.MethodPut, "/routes/shop", `{"paths": ["/"]}`)
	route, err := engine.Route(t.Context(), "shop")
	if err != nil || route.Upstream != "" {
		t.Errorf("read %+v, %v", route, err)
	}
}
