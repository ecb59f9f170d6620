package traefik

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/google/go-cmp/cmp"
)

const owned = `{"by":"terraform-provider-hypervisor"}`

func TestRouteIsWrittenAsTraefikReadsIt(t *testing.T) {
	tests := map[string]struct {
		route   gateway.Route
		through routing
		want    map[string]string
	}{
		"a host and two paths, encrypted and stripped, on two entry points": {
			gateway.Route{
				Record: gateway.Record{Name: "shop"}, Protocol: gateway.HTTPS, Hosts: []string{"a.test"}, Paths: []string{"/", "/ab"},
				StripPath: true, RedirectHTTPS: true, Upstream: "up",
			},
			routing{entryPoints: []string{"web", "internal"}, attached: func(gateway.Route) []string { return []string{"theirs"} }},
			map[string]string{
				"owner/route/shop": owned,
				"http/middlewares/shop~strip/stripPrefix/prefixes":     "/ab,/",
				"http/middlewares/shop~https/redirectScheme/scheme":    "https",
				"http/middlewares/shop~https/redirectScheme/permanent": "true",
				"http/routers/shop/rule":                               "Host(`a.test`) && PathPrefix(`/ab`)",
				"http/routers/shop/priority":                           strconv.Itoa(step * (((2*headers*2+1)*2)*rank + 3 + 1)),
				"http/routers/shop/service":                            "up",
				"http/routers/shop/middlewares":                        "theirs,shop~strip,up~retry",
				"http/routers/shop/entryPoints":                        "web,internal",
				"http/routers/shop/tls":                                "true",
				"http/routers/shop~1/rule":                             "Host(`a.test`) && PathPrefix(`/`)",
				"http/routers/shop~1/priority":                         strconv.Itoa(step * (((2*headers*2+1)*2)*rank + 1 + 1)),
				"http/routers/shop~1/service":                          "up",
				"http/routers/shop~1/middlewares":                      "theirs,shop~strip,up~retry",
				"http/routers/shop~1/entryPoints":                      "web,internal",
				"http/routers/shop~1/tls":                              "true",
				"http/routers/shop~spare1/rule":                        "Host(`a.test`) && (PathPrefix(`/ab`) || PathPrefix(`/`))",
				"http/routers/shop~spare1/priority":                    strconv.Itoa(step*(((2*headers*2+1)*2)*rank+1+1) - 1),
				"http/routers/shop~spare1/service":                     "up~spare1",
				"http/routers/shop~spare1/middlewares":                 "theirs,shop~strip,up~retry",
				"http/routers/shop~spare1/entryPoints":                 "web,internal",
				"http/routers/shop~spare1/tls":                         "true",
				"http/routers/shop~spare2/rule":                        "Host(`a.test`) && (PathPrefix(`/ab`) || PathPrefix(`/`))",
				"http/routers/shop~spare2/priority":                    strconv.Itoa(step*(((2*headers*2+1)*2)*rank+1+1) - 2),
				"http/routers/shop~spare2/service":                     "up~spare2",
				"http/routers/shop~spare2/middlewares":                 "theirs,shop~strip,up~retry",
				"http/routers/shop~spare2/entryPoints":                 "web,internal",
				"http/routers/shop~spare2/tls":                         "true",
				"http/routers/shop~https/rule":                         "Host(`a.test`) && (PathPrefix(`/ab`) || PathPrefix(`/`))",
				"http/routers/shop~https/priority":                     strconv.Itoa(step * (((2*headers*2+1)*2)*rank + 1 + 1)),
				"http/routers/shop~https/service":                      "noop@internal",
				"http/routers/shop~https/middlewares":                  "shop~https",
				"http/routers/shop~https/entryPoints":                  "web,internal",
			},
		},
		"connections on a port": {
			gateway.Route{Record: gateway.Record{Name: "db", Note: "n"}, Protocol: gateway.TLSPassthrough, SNIs: []string{"db.test"}, Ports: []int{5432}, Upstream: "up"},
			routing{entryPoints: []string{"web"}, ports: map[int]string{5432: "postgres"}},
			map[string]string{
				"owner/route/db":                 `{"by":"terraform-provider-hypervisor","note":"n"}`,
				"tcp/routers/db/rule":            "HostSNI(`db.test`)",
				"tcp/routers/db/priority":        strconv.Itoa(step * (headers*2*2*rank + 1)),
				"tcp/routers/db/service":         "up",
				"tcp/routers/db/entryPoints":     "postgres",
				"tcp/routers/db/tls/passthrough": "true",
			},
		},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, renderRoute(test.route, test.through)); diff != "" {
				t.Errorf("keys differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryRouteIsReadAsItWasWritten(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 13))

	for range 5000 {
		want := randomRoute(random)

		got, err := parseRoute(want.Name, lowered(renderRoute(want, through)), through)
		if err != nil {
			t.Fatalf("read %+v: %v", want, err)
		}

		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("route differs (-written +read):\n%s", diff)
		}
	}
}

func TestKeysBelongToTheObjectThatWritesThem(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 14))

	for range 1000 {
		route, upstream := randomRoute(random), randomUpstream(random)

		for path := range renderRoute(route, through) {
			if got := objectOf(path); got != "route/"+route.Name {
				t.Errorf("the key %q of the route %q belongs to %q", path, route.Name, got)
			}
		}

		for path := range renderUpstream(upstream) {
			if got := objectOf(path); got != "upstream/"+upstream.Name {
				t.Errorf("the key %q of the upstream %q belongs to %q", path, upstream.Name, got)
			}
		}
	}

	for _, path := range []string{"", "http", "http/routers", "tls/certificates/0/certFile", "http/theirs/x/y"} {
		if got := objectOf(path); got != "" {
			t.Errorf("the key %q, which is nobody's, belongs to %q", path, got)
		}
	}
}

func TestMoreSpecificRoutersGoFirst(t *testing.T) {
	one := func(text string) []string { return []string{text} }
	ascending := []gateway.Route{ // as Kong orders them, too
		{Paths: one("/")},
		{Paths: one("/longer")},
		{ExactPaths: one("/")},
		{PathPatterns: one("/longer")},
		{Hosts: one("a.test")},
		{Methods: one("GET"), Paths: one("/")},
		{Hosts: one("a.test"), Paths: one("/")},
		{Hosts: one("a.test"), Paths: one("/" + strings.Repeat("x", 1023))},
		{Hosts: one("a.test"), ExactPaths: one("/")},
		{Headers: map[string][]string{"A": one("1"), "B": one("1")}, Paths: one("/")},
		{Hosts: one("a.test"), Paths: one("/"), Methods: one("GET")},
		{Paths: one("/"), Priority: 1},
		{Hosts: one("a.test"), Paths: one("/"), Methods: one("GET"), Priority: 1},
	}

	last := 0
	for _, route := range ascending {
		own := priority(route, grouped(pathsOf(route))[0])
		if own-spares <= last {
			t.Errorf("the route %+v has the priority %d, and the one before it %d", route, own, last)
		}

		last = own
	}
}

func TestAnyKeyChangedBehindOurBackShows(t *testing.T) {
	route := gateway.Route{
		Record: gateway.Record{Name: "shop"}, Protocol: gateway.HTTPS, RedirectHTTPS: true, StripPath: true,
		Hosts: []string{"a.test"}, Paths: []string{"/", "/long"}, Upstream: "up",
	}
	intact := lowered(renderRoute(route, through))

	for path := range intact {
		for _, change := range []string{"", "other"} {
			keys := lowered(intact)
			if keys[path] = change; change == "" {
				delete(keys, path)
			}

			got, err := parseRoute("shop", keys, through)
			if err == nil && !got.Altered && cmp.Equal(route, got) {
				t.Errorf("with the key %s as %q the route reads as it was written", path, change)
			}
		}
	}

	intact["http/routers/shop/observability/accesslogs"] = "false"
	if got, err := parseRoute("shop", intact, through); err != nil || !got.Altered {
		t.Errorf("with one key more the route reads as %+v (%v)", got, err)
	}
}

func TestRouteWithoutARuleIsNotFound(t *testing.T) {
	keys := map[string]string{"http/routers/shop/service": "up", "http/routers/shop~1/rule": "PathPrefix(`/`)"}
	if _, err := parseRoute("shop", keys, through); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("reading a router without a rule gives %v, not ErrNotFound", err)
	}
}

func TestRoutesToAnUpstreamAreNamedOnce(t *testing.T) {
	held := holding(map[string]string{
		"http/routers/shop/service":        "up",
		"http/routers/shop~1/service":      "up",
		"http/routers/api/service":         "up@consul",
		"http/routers/late~spare1/service": "up~spare1",
		"http/routers/other/service":       "upper",
		"http/routers/up/rule":             "up",
		"tcp/routers/db/service":           "up",
	})

	if diff := cmp.Diff([]string{`"api"`, `"db"`, `"late"`, `"shop"`}, routesTo("up", held)); diff != "" {
		t.Errorf("routes differ (-want +got):\n%s", diff)
	}
}
