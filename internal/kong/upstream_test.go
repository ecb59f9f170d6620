package kong

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestUpstreamReadsBackAsItWasPut(t *testing.T) {
	upstreams := map[string]gateway.Upstream{
		"services": {Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 100}, "web-next": {Weight: 0}}, Retries: 3},
		"targets": {Record: gateway.Record{Name: "up"}, Targets: map[string]gateway.Member{
			"10.0.0.101:80":            {Weight: 65535},
			"[fd00::101]:80":           {Weight: 1},
			"old.example.com:8000":     {Weight: 0},
			"db.service.consul:5432":   {Weight: 7},
			"[2001:db8:0:1:1:1:1:1]:1": {Weight: 2},
		}},
		"no retries": {Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}, Retries: 0},
	}

	for name, upstream := range upstreams {
		t.Run(name, func(t *testing.T) {
			server, engine := start(t)
			mustPut(t, engine, upstream)

			wantUpstream(t, engine, upstream)
			wantUpstream(t, newEngine(t, Config{AdminURL: server.URL}), upstream) // in bulk

			server.Requests()
			mustPut(t, engine, upstream)
			if written := writes(server); written != nil {
				t.Errorf("the same upstream again writes %q", written)
			}
		})
	}
}

func TestServiceFailsOverFastAndCarriesOurMark(t *testing.T) {
	server, engine := start(t)
	mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 5}}, Retries: 4})

	service := ask(t, server, http.MethodGet, "/services/up", "")
	want := map[string]any{
		"host": "up", "protocol": "http", "retries": 4.0, "connect_timeout": 2000.0, "write_timeout": 60000.0,
		"read_timeout": 60000.0, "enabled": true, "tags": []any{mark},
	}
	for name, value := range want {
		if difference := cmp.Diff(value, service[name]); difference != "" {
			t.Errorf("%s: wanted (-), written (+):\n%s", name, difference)
		}
	}

	for _, path := range []string{"/upstreams/up", "/upstreams/up/targets/web.service.consul"} {
		if difference := cmp.Diff([]any{mark}, ask(t, server, http.MethodGet, path, "")["tags"]); difference != "" {
			t.Errorf("tags of %s: wanted (-), written (+):\n%s", path, difference)
		}
	}
}

func TestWeightChangesInPlaceWithOneRequest(t *testing.T) {
	server, engine := start(t)
	upstream := gateway.Upstream{Record: gateway.Record{Name: "up"}, Targets: map[string]gateway.Member{"10.0.0.1:80": {Weight: 10}, "10.0.0.2:80": {Weight: 10}}}
	mustPut(t, engine, upstream)
	before := ask(t, server, http.MethodGet, "/upstreams/up/targets/10.0.0.1:80", "")["id"]

	server.Requests()
	upstream.Targets["10.0.0.1:80"] = gateway.Member{Weight: 0}
	mustPut(t, engine, upstream)

	if difference := cmp.Diff([]string{fmt.Sprintf("PATCH /upstreams/up/targets/%s", before)}, writes(server)); difference != "" {
		t.Errorf("writes: wanted (-), sent (+):\n%s", difference)
	}
	after := ask(t, server, http.MethodGet, "/upstreams/up/targets/10.0.0.1:80", "")
	if after["id"] != before || after["weight"] != 0.0 {
		t.Errorf("the target with the id %v became %v", before, after)
	}
}

func TestTargetsThatAreNoLongerDeclaredGo(t *testing.T) {
	server, engine := start(t)
	mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Targets: map[string]gateway.Member{"10.0.0.1:80": {Weight: 1}, "10.0.0.2:80": {Weight: 1}}})
	kept := ask(t, server, http.MethodGet, "/upstreams/up/targets/10.0.0.2:80", "")["id"]

	upstream := gateway.Upstream{Record: gateway.Record{Name: "up"}, Targets: map[string]gateway.Member{"10.0.0.2:80": {Weight: 1}, "10.0.0.3:80": {Weight: 1}}}
	mustPut(t, engine, upstream)

	wantUpstream(t, engine, upstream)
	if id := ask(t, server, http.MethodGet, "/upstreams/up/targets/10.0.0.2:80", "")["id"]; id != kept {
		t.Errorf("the target that stayed has another id: %v, before %v", id, kept)
	}
}

func TestInterruptedPutIsCompletedByTheNext(t *testing.T) {
	from := gateway.Upstream{Record: gateway.Record{Name: "up"}, Retries: 1, Targets: map[string]gateway.Member{
		"10.0.0.1:80": {Weight: 100}, "10.0.0.2:80": {Weight: 0}, "10.0.0.3:80": {Weight: 0},
	}}
	to := gateway.Upstream{Record: gateway.Record{Name: "up"}, Retries: 2, Targets: map[string]gateway.Member{
		"10.0.0.1:80": {Weight: 0}, "10.0.0.2:80": {Weight: 100}, "10.0.0.4:80": {Weight: 50},
	}}
	starts := map[string]struct {
		had    *gateway.Upstream
		behind [3]string // a request that somebody else sent
		down   bool      // there is no traffic that could suffer
	}{
		"create":                       {},
		"update":                       {had: &from},
		"repair of a deleted upstream": {had: &to, behind: [3]string{http.MethodDelete, "/upstreams/up"}, down: true},
		"repair of a deleted service":  {had: &to, behind: [3]string{http.MethodDelete, "/services/up"}},
		"repair of a service that leads elsewhere": {had: &to, behind: [3]string{http.MethodPatch, "/services/up", `{"host": "elsewhere.test"}`}, down: true},
	}

	for name, begin := range starts {
		for _, applied := range []bool{false, true} {
			for n := 1; ; n++ {
				server, engine := start(t)
				if begin.had != nil {
					mustPut(t, engine, *begin.had)
				}
				if begin.behind[0] != "" {
					ask(t, server, begin.behind[0], begin.behind[1], begin.behind[2])
				}

				server.FailWrite(n, applied)
				err := engine.PutUpstream(t.Context(), to)
				if err == nil {
					if n == 1 {
						t.Errorf("%s: nothing was written", name)
					}

					break
				}
				wantError(t, err, "Kong answered 500")

				if !begin.down {
					wantReceivers(t, server, fmt.Sprintf("%s cut off at write %d (applied: %t)", name, n, applied))
				}
				again := newEngine(t, Config{AdminURL: server.URL})
				mustPut(t, again, to)
				wantUpstream(t, newEngine(t, Config{AdminURL: server.URL}), to)
			}
		}
	}
}

// wantReceivers checks that a service, if there is one, leads to an upstream that can receive its traffic.
func wantReceivers(t *testing.T, server *kongtest.Server, when string) {
	t.Helper()

	for _, service := range entities(t, server, "/services") {
		weight := 0.0
		for _, target := range entities(t, server, fmt.Sprintf("/upstreams/%s/targets", service["host"])) {
			share, _ := target["weight"].(float64)
			weight += share
		}
		if weight == 0 {
			t.Errorf("%s: the service %v leads to nothing that receives traffic", when, service["name"])
		}
	}
}

func TestInterruptedDeleteIsCompletedByTheNext(t *testing.T) {
	for _, applied := range []bool{false, true} {
		for n := 1; ; n++ {
			server, engine := start(t)
			mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}})

			server.FailWrite(n, applied)
			err := engine.DeleteUpstream(t.Context(), gateway.Record{Name: "up"})
			if err == nil {
				if n != 3 {
					t.Errorf("a delete took %d writes, not one for the upstream and one for the service", n-1)
				}

				break
			}

			next := newEngine(t, Config{AdminURL: server.URL})
			gone := len(entities(t, server, "/services"))+len(entities(t, server, "/upstreams")) == 0
			if _, err := next.Upstream(t.Context(), "up"); errors.Is(err, gateway.ErrNotFound) != gone {
				t.Errorf("cut off at write %d (applied: %t), all gone: %t, read: %v", n, applied, gone, err)
			}
			if err := next.DeleteUpstream(t.Context(), gateway.Record{Name: "up"}); err != nil {
				t.Error(err)
			}
			for _, collection := range []string{"/services", "/upstreams"} {
				if left := entities(t, server, collection); left != nil {
					t.Errorf("left in %s: %v", collection, left)
				}
			}
		}
	}
}

func TestDeleteOfWhatIsNotThereSucceeds(t *testing.T) {
	_, engine := start(t)
	if err := engine.DeleteUpstream(t.Context(), gateway.Record{Name: "up"}); err != nil {
		t.Error(err)
	}
	if err := engine.DeleteRoute(t.Context(), gateway.Record{Name: "shop"}); err != nil {
		t.Error(err)
	}
}

func TestUpstreamWithRoutesIsNotDeleted(t *testing.T) {
	server, engine := start(t)
	upstream := gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}}
	mustPut(t, engine, upstream,
		gateway.Route{Record: gateway.Record{Name: "shop"}, Hosts: []string{"shop.test"}, Upstream: "up"},
		gateway.Route{Record: gateway.Record{Name: "blog"}, Paths: []string{"/blog"}, Upstream: "up"})

	wantError(t, engine.DeleteUpstream(t.Context(), gateway.Record{Name: "up"}), "blog", "shop", "Delete the route")
	wantUpstream(t, newEngine(t, Config{AdminURL: server.URL}), upstream)

	for _, route := range []string{"shop", "blog"} {
		if err := engine.DeleteRoute(t.Context(), gateway.Record{Name: route}); err != nil {
			t.Fatal(err)
		}
	}
	if err := engine.DeleteUpstream(t.Context(), gateway.Record{Name: "up"}); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Upstream(t.Context(), "up"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("the deleted upstream reads as %v", err)
	}
}

func TestEntitiesOfOthersAreNotTakenOver(t *testing.T) {
	upstream := gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}}
	cases := map[string]struct {
		foreign [][2]string // path and body
		says    string
	}{
		"a service":   {[][2]string{{"/services/up", `{"host": "elsewhere.test"}`}}, `Kong service "up" was not made by this provider`},
		"an upstream": {[][2]string{{"/upstreams/up", `{}`}}, `Kong upstream "up" was not made by this provider`},
	}

	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server, engine := start(t)
			for _, entity := range c.foreign {
				ask(t, server, http.MethodPut, entity[0], entity[1])
			}
			server.Requests()

			wantError(t, engine.PutUpstream(t.Context(), upstream), c.says)
			if written := writes(server); written != nil {
				t.Errorf("it wrote %q nevertheless", written)
			}
		})
	}
}

func TestImportedUpstreamKeepsWhatOthersHaveSet(t *testing.T) {
	server, engine := start(t)
	ask(t, server, http.MethodPut, "/upstreams/up", `{"tags": ["team"], "slots": 100}`)
	ask(t, server, http.MethodPost, "/upstreams/up/targets", `{"target": "web.service.consul", "weight": 3, "tags": ["team"]}`)
	ask(t, server, http.MethodPut, "/services/up", `{"host": "up", "retries": null, "tags": ["team"]}`)
	before := ask(t, server, http.MethodGet, "/upstreams/up", "")

	imported := gateway.Upstream{Record: gateway.Record{Name: "up", Foreign: true}, Services: map[string]gateway.Member{"web": {Weight: 3}}, Retries: -1}
	imported.Timeouts.Connect = time.Minute
	wantUpstream(t, engine, imported)

	imported.Retries = 1
	mustPut(t, engine, imported)

	imported.Foreign = false
	wantUpstream(t, engine, imported)

	after := ask(t, server, http.MethodGet, "/upstreams/up", "")
	for _, name := range []string{"id", "slots", "hash_fallback"} {
		if difference := cmp.Diff(before[name], after[name]); difference != "" {
			t.Errorf("%s changed:\n%s", name, difference)
		}
	}
	for _, path := range []string{"/upstreams/up", "/upstreams/up/targets/web.service.consul", "/services/up"} {
		if difference := cmp.Diff([]any{"team", mark}, ask(t, server, http.MethodGet, path, "")["tags"]); difference != "" {
			t.Errorf("tags of %s: wanted (-), written (+):\n%s", path, difference)
		}
	}
}

func TestServiceChangedBehindOurBackIsWrittenAgain(t *testing.T) {
	upstream := gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}, Retries: 2}
	changes := []string{
		`{"host": "elsewhere.test"}`, `{"path": "/elsewhere"}`, `{"protocol": "https"}`, `{"retries": 9}`, `{"retries": null}`,
		`{"connect_timeout": 1}`, `{"write_timeout": 1}`, `{"read_timeout": 1}`, `{"enabled": false}`, `{"tags": ["team", "` + mark + `"]}`,
	}
	times := cmpopts.IgnoreMapEntries(func(name string, _ any) bool { return strings.HasSuffix(name, "_at") })

	for _, change := range changes {
		t.Run(change, func(t *testing.T) {
			server, engine := start(t)
			mustPut(t, engine, upstream)
			before := ask(t, server, http.MethodGet, "/services/up", "")

			ask(t, server, http.MethodPatch, "/services/up", change)
			mustPut(t, engine, upstream)
			after := ask(t, server, http.MethodGet, "/services/up", "")
			if tags, ok := after["tags"].([]any); ok && len(tags) == 2 {
				before["tags"] = tags // what others have added stays
			}
			if difference := cmp.Diff(before, after, times); difference != "" {
				t.Errorf("before (-), after (+):\n%s", difference)
			}
		})
	}
}

func TestServiceThatLeadsElsewhereShowsInTheRead(t *testing.T) {
	server, engine := start(t)
	mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}, Retries: 2})
	ask(t, server, http.MethodPatch, "/services/up", `{"host": "elsewhere.test"}`)
	wantUpstream(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up", Altered: true}, Retries: 2})
}

func TestRouteMadeDuringADeleteIsNamed(t *testing.T) {
	server := kongtest.New(t)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete && r.URL.Path == "/services/up" {
			late := strings.NewReader(`{"paths": ["/"], "service": {"name": "up"}}`)
			request := httptest.NewRequestWithContext(r.Context(), http.MethodPut, "/routes/late", late)
			request.Header.Set("Content-Type", "application/json")
			server.ServeHTTP(httptest.NewRecorder(), request)
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)

	engine := newEngine(t, Config{AdminURL: front.URL})
	mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}})
	wantError(t, engine.DeleteUpstream(t.Context(), gateway.Record{Name: "up"}), "late", "Delete the route")
}

func TestUpstreamThatNothingCouldServeIsRefused(t *testing.T) {
	server, engine := start(t)
	wantError(t, engine.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: "up"}}), "neither services nor targets")
	wantError(t, engine.PutUpstream(t.Context(), gateway.Upstream{
		Record: gateway.Record{Name: "up"}, Targets: map[string]gateway.Member{"web.service.consul:8000": {Weight: 1}},
	}), `"web.service.consul:8000"`, "services instead")
	if written := writes(server); written != nil {
		t.Errorf("it wrote %q nevertheless", written)
	}
}
