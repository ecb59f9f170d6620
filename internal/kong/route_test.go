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
		"hosts and paths": {Hosts: []string{"shop.test", "www.shop.test"}, Paths: []string{"/", "/api/v1"}},
		"all paths":       {Paths: []string{"/cart"}, ExactPaths: []string{"/a.b"}, PathPatterns: []string{"/v[0-9]+/", "/x$|/y"}},
		"stripped":        {Paths: []string{"/cart"}, StripPath: true, Protocol: gateway.HTTPS, RedirectHTTPS: true, SNIs: []string{"a.test"}},
		"methods":         {Methods: []string{"GET", "POST"}, Headers: map[string][]string{"X-A": {"1", "2"}, "X-B": {"3"}}},
		"connections":     {Protocol: gateway.TCP, Ports: []int{5432, 5433}},
		"TLS connections": {Protocol: gateway.TLS, Ports: []int{5432}, SNIs: []string{"a.test", "b.test"}},
		"unread":          {Protocol: gateway.TLSPassthrough, SNIs: []string{"a.test"}},
		"hosts":           {Hosts: []string{"shop.test"}},
	}

	server, engine := start(t)
	mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}})
	for name, route := range routes {
		t.Run(name, func(t *testing.T) {
			route = route.Complete()
			route.Record = gateway.Record{Name: "shop", Note: `{"note": "x/y,z"}`}
			route.Upstream = "up"

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

	must(t, engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "shop"}, Hosts: []string{"shop.test"}, Upstream: "up"}))
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
	route := gateway.Route{Record: gateway.Record{Name: "shop"}, Hosts: []string{"shop.test"}, Upstream: "blue"}
	mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "green"}, Services: map[string]gateway.Member{"green": {Weight: 1}}})
	mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "blue"}, Services: map[string]gateway.Member{"blue": {Weight: 1}}}, route)
	before := ask(t, server, http.MethodPatch, "/routes/shop", `{"tags": ["team", "`+mark+`"]}`)

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
	err := engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "shop"}, Hosts: []string{"shop.test"}, Upstream: "missing"})
	wantError(t, err, `no upstream "missing"`, "Create it first")
}

func TestRouteThatKongRefusesSaysWhy(t *testing.T) {
	_, engine := start(t)
	mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}})
	err := engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "shop"}, Paths: []string{"cart"}, Upstream: "up"})
	wantError(t, err, `put Kong route "shop"`, "Kong answered 400", "paths.1: should start with: /")
}

func TestRouteDeletedBehindOurBackIsNotFound(t *testing.T) {
	server, engine := start(t)
	mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}},
		gateway.Route{Record: gateway.Record{Name: "shop"}, Hosts: []string{"shop.test"}, Upstream: "up"})
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

func TestRouteOfOthersIsNeitherChangedNorDeleted(t *testing.T) {
	server, engine := start(t)
	mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}})
	ask(t, server, http.MethodPut, "/routes/shop", `{"paths": ["/"], "service": {"name": "up"}}`)
	server.Requests()

	route := gateway.Route{Record: gateway.Record{Name: "shop"}, Paths: []string{"/cart"}, Upstream: "up"}
	wantError(t, engine.PutRoute(t.Context(), route), `Kong route "shop"`, "not made by this provider", "import it")
	wantError(t, engine.DeleteRoute(t.Context(), route.Record), `Kong route "shop"`, "not made by this provider")
	if written := writes(server); written != nil {
		t.Errorf("it wrote %q nevertheless", written)
	}

	if found, err := engine.Route(t.Context(), "shop"); err != nil || !found.Foreign {
		t.Errorf("read %+v, %v", found, err)
	}

	route.Foreign = true // its user has imported it
	must(t, engine.PutRoute(t.Context(), route))
	if found, err := engine.Route(t.Context(), "shop"); err != nil || found.Foreign {
		t.Errorf("after the import: %+v, %v", found, err)
	}
}

func TestRouteChangedWhereNoFieldShowsIsAltered(t *testing.T) {
	for _, change := range []string{
		`{"protocols": ["http"]}`, `{"regex_priority": 7}`, `{"https_redirect_status_code": 301}`,
		`{"sources": [{"ip": "10.0.0.1"}], "protocols": ["tcp"], "hosts": null, "paths": null}`,
	} {
		server, engine := start(t)
		route := gateway.Route{Record: gateway.Record{Name: "shop"}, Hosts: []string{"a.test"}, Upstream: "up"}
		mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}}, route)
		ask(t, server, http.MethodPatch, "/routes/shop", change)

		found, err := engine.Route(t.Context(), "shop")
		must(t, err)
		if !found.Altered && found.Protocol == gateway.HTTP && !found.RedirectHTTPS {
			t.Errorf("after %s: %+v", change, found)
		}

		must(t, engine.PutRoute(t.Context(), route))
		if found, err = engine.Route(t.Context(), "shop"); err != nil || found.Altered || found.Protocol != gateway.HTTP {
			t.Errorf("%s is not repaired: %+v, %v", change, found, err)
		}
	}
}

// TestOfTwoPatternsTheLongerGoesFirst has what Traefik does by its routers' priorities: Kong would prefer the older route.
func TestOfTwoPatternsTheLongerGoesFirst(t *testing.T) {
	tests := map[string]struct {
		route gateway.Route
		want  float64
	}{
		"patterns":    {gateway.Route{PathPatterns: []string{"/v[0-9]/", "/v[0-9]/cart"}}, 12},
		"exact paths": {gateway.Route{ExactPaths: []string{"/login"}, Paths: []string{"/a-longer-prefix"}}, 6},
		"prefixes":    {gateway.Route{Paths: []string{"/cart"}}, 0},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server, engine := start(t)
			test.route.Name, test.route.Upstream = "shop", "up"
			mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}}, test.route)

			if got := ask(t, server, http.MethodGet, "/routes/shop", "")["regex_priority"]; got != test.want {
				t.Errorf("the priority is %v, wanted %v", got, test.want)
			}
			if found, err := engine.Route(t.Context(), "shop"); err != nil || found.Altered {
				t.Errorf("it reads back as %+v, %v", found, err)
			}
		})
	}
}
