package traefik

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/google/go-cmp/cmp"
)

func TestRouteIsWrittenAsTraefikReadsIt(t *testing.T) {
	tests := map[string]struct {
		route       gateway.Route
		entryPoints []string
		want        map[string]string
	}{
		"a host and a path on two entry points": {
			gateway.Route{Name: "shop", Hosts: []string{"shop.test"}, Paths: []string{"/"}, Upstream: "up"},
			[]string{"web", "internal"},
			map[string]string{
				"routers/shop/rule":                 "Host(`shop.test`) && PathPrefix(`/`)",
				"routers/shop/priority":             "24579",
				"routers/shop/service":              "up",
				"routers/shop/middlewares/0":        "up-retry",
				"routers/shop/entryPoints/0":        "web",
				"routers/shop/entryPoints/1":        "internal",
				"routers/shop~spare1/rule":          "Host(`shop.test`) && PathPrefix(`/`)",
				"routers/shop~spare1/priority":      "24578",
				"routers/shop~spare1/service":       "up~spare1",
				"routers/shop~spare1/middlewares/0": "up-retry",
				"routers/shop~spare1/entryPoints/0": "web",
				"routers/shop~spare1/entryPoints/1": "internal",
				"routers/shop~spare2/rule":          "Host(`shop.test`) && PathPrefix(`/`)",
				"routers/shop~spare2/priority":      "24577",
				"routers/shop~spare2/service":       "up~spare2",
				"routers/shop~spare2/middlewares/0": "up-retry",
				"routers/shop~spare2/entryPoints/0": "web",
				"routers/shop~spare2/entryPoints/1": "internal",
			},
		},
		"a router for each length of path": {
			gateway.Route{Name: "shop", Paths: []string{"/", "/ab", "/cd"}, Upstream: "up"},
			nil,
			map[string]string{
				"routers/shop/rule":                 "(PathPrefix(`/ab`) || PathPrefix(`/cd`))",
				"routers/shop/priority":             "9",
				"routers/shop/service":              "up",
				"routers/shop/middlewares/0":        "up-retry",
				"routers/shop~1/rule":               "PathPrefix(`/`)",
				"routers/shop~1/priority":           "3",
				"routers/shop~1/service":            "up",
				"routers/shop~1/middlewares/0":      "up-retry",
				"routers/shop~spare1/rule":          "(PathPrefix(`/`) || PathPrefix(`/ab`) || PathPrefix(`/cd`))",
				"routers/shop~spare1/priority":      "2",
				"routers/shop~spare1/service":       "up~spare1",
				"routers/shop~spare1/middlewares/0": "up-retry",
				"routers/shop~spare2/rule":          "(PathPrefix(`/`) || PathPrefix(`/ab`) || PathPrefix(`/cd`))",
				"routers/shop~spare2/priority":      "1",
				"routers/shop~spare2/service":       "up~spare2",
				"routers/shop~spare2/middlewares/0": "up-retry",
			},
		},
		"hosts only": {
			gateway.Route{Name: "shop", Hosts: []string{"a.test"}, Upstream: "up"},
			nil,
			map[string]string{
				"routers/shop/rule":                 "Host(`a.test`)",
				"routers/shop/priority":             "12288",
				"routers/shop/service":              "up",
				"routers/shop/middlewares/0":        "up-retry",
				"routers/shop~spare1/rule":          "Host(`a.test`)",
				"routers/shop~spare1/priority":      "12287",
				"routers/shop~spare1/service":       "up~spare1",
				"routers/shop~spare1/middlewares/0": "up-retry",
				"routers/shop~spare2/rule":          "Host(`a.test`)",
				"routers/shop~spare2/priority":      "12286",
				"routers/shop~spare2/service":       "up~spare2",
				"routers/shop~spare2/middlewares/0": "up-retry",
			},
		},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, renderRoute(test.route, test.entryPoints)); diff != "" {
				t.Errorf("keys differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryRouteIsReadAsItWasWritten(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 13))

	for range 5000 {
		want := randomRoute(random)

		got, err := parseRoute(want.Name, lowered(renderRoute(want, []string{"web"})))
		if err != nil {
			t.Fatalf("read %+v: %v", want, err)
		}

		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("route differs (-written +read):\n%s", diff)
		}
	}
}

func TestRouteOwnsExactlyWhatItWrites(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 14))

	for range 2000 {
		route := randomRoute(random)
		for path := range renderRoute(route, []string{"web"}) {
			if !ownsRoute(route.Name)(path) {
				t.Errorf("%q does not own %q, which it writes", route.Name, path)
			}

			for _, other := range []string{route.Name + "x", "x" + route.Name, route.Name[:len(route.Name)-1]} {
				if ownsRoute(other)(path) {
					t.Errorf("%q owns %q, which %q writes", other, path, route.Name)
				}
			}
		}
	}
}

func TestEveryRouterHasAPriorityOfItsPathsLength(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 15))

	for range 2000 {
		route := randomRoute(random)
		base := map[bool]int{true: 2 * rank, false: 0}[len(route.Hosts) > 0]

		keys := renderRoute(route, nil)
		for path, text := range keys {
			router, isPriority := strings.CutSuffix(path, "priority")
			if !isPriority || len(route.Paths) == 0 || strings.Contains(path, spareMark) {
				continue
			}

			_, paths, err := parseRule(keys[router+"rule"])
			if err != nil {
				t.Fatal(err)
			}

			for _, path := range paths {
				if want := strconv.Itoa(step * (base + len(path))); text != want {
					t.Errorf("router %s has priority %s, but %q asks for %s", router, text, path, want)
				}
			}
		}
	}
}

func TestSparesComeRightAfterTheirRoute(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 16))
	order := func(keys map[string]string, router string) int {
		number, err := strconv.Atoi(keys["routers/"+router+"/priority"])
		if err != nil {
			t.Fatal(err)
		}

		return number
	}

	for range 2000 {
		route := randomRoute(random)
		keys := renderRoute(route, nil)
		last := routerName(route.Name, len(byLength(route.Paths))-1)

		for number := 1; number <= spares; number++ {
			if got, want := order(keys, spareName(route.Name, number)), order(keys, last)-number; got != want || got <= 0 || got%step == 0 {
				t.Errorf("spare %d of %+v has priority %d, want %d, above 0 and shared with no route", number, route, got, want)
			}
		}
	}
}

func TestRouterChangedBehindOurBackShowsAsMissingPaths(t *testing.T) {
	route := gateway.Route{Name: "shop", Hosts: []string{"a.test"}, Paths: []string{"/", "/long"}, Upstream: "up"}

	for path, value := range map[string]string{
		"routers/shop~1/service": "other",
		"routers/shop~1/rule":    "Host(`b.test`) && PathPrefix(`/`)",
	} {
		t.Run(path, func(t *testing.T) {
			keys := lowered(renderRoute(route, nil))
			keys[path] = value

			got, err := parseRoute("shop", keys)
			if err != nil {
				t.Fatal(err)
			}

			if diff := cmp.Diff([]string{"/long"}, got.Paths); diff != "" {
				t.Errorf("paths differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRouteWithoutARuleIsNotFound(t *testing.T) {
	if _, err := parseRoute("shop", map[string]string{"routers/shop/service": "up", "routers/shop~1/rule": "PathPrefix(`/`)"}); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("reading a router without a rule gives %v, not ErrNotFound", err)
	}
}

func TestRoutesToAnUpstreamAreNamedOnce(t *testing.T) {
	keys := map[string]string{
		"routers/shop/service":        "up",
		"routers/shop~1/service":      "up",
		"routers/api/service":         "up@consul",
		"routers/late~spare1/service": "up~spare1",
		"routers/other/service":       "upper",
		"routers/up/rule":             "up",
	}

	if diff := cmp.Diff([]string{`"api"`, `"late"`, `"shop"`}, routesTo("up", keys)); diff != "" {
		t.Errorf("routes differ (-want +got):\n%s", diff)
	}
}

func randomRoute(random *rand.Rand) gateway.Route {
	hosts, paths := map[string]bool{}, map[string]bool{}

	for range random.IntN(4) {
		hosts[fmt.Sprintf("h%d.example.com", random.IntN(100))] = true
	}

	for range random.IntN(6) {
		paths["/"+strings.Repeat("a", random.IntN(4))+strings.Repeat("'", random.IntN(3))] = true
	}

	if len(hosts)+len(paths) == 0 {
		paths["/"] = true
	}

	return gateway.Route{
		Name:     randomName(random),
		Hosts:    slices.Sorted(maps.Keys(hosts)),
		Paths:    slices.Sorted(maps.Keys(paths)),
		Upstream: randomName(random),
	}
}
