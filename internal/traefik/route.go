package traefik

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// Kong prefers a route with hosts and paths to one with hosts, that to one with paths, and then the longer path.
// Traefik would prefer the longer text of a rule, so every router carries a priority. Paths are shorter than a rank,
// and a route's spares fit between it and the next lower one.
const (
	rank = 4096
	step = 1 + spares
)

// siblingMark stands between a route's name and the number of a further router; names of routes cannot hold it.
const siblingMark = "~"

var routerService = regexp.MustCompile(`^routers/([^/]+)/service$`)

func routerFolder(router string) string { return "routers/" + router + "/" }

// ownsRoute tells which keys make up the route.
func ownsRoute(name string) func(path string) bool {
	return func(path string) bool {
		return strings.HasPrefix(path, routerFolder(name)) || strings.HasPrefix(path, "routers/"+name+siblingMark)
	}
}

// renderRoute writes a route as keys. A route whose paths differ in length becomes a router for each length, since a
// router has one priority and each path competes with other routes' by its own length. A router to each of the
// upstream's spares follows; one for all paths is enough for the time in which a service is gone.
func renderRoute(route gateway.Route, entryPoints []string) map[string]string {
	keys := map[string]string{}
	router := func(name string, paths []string, priority int, service string) {
		folder := routerFolder(name)
		keys[folder+"rule"] = renderRule(route.Hosts, paths)
		keys[folder+"priority"] = strconv.Itoa(priority)
		keys[folder+"service"] = service
		keys[folder+"middlewares/0"] = retryName(route.Upstream)

		for position, entryPoint := range entryPoints {
			keys[folder+"entryPoints/"+strconv.Itoa(position)] = entryPoint
		}
	}

	var lowest int

	for number, paths := range byLength(route.Paths) {
		lowest = priority(route.Hosts, paths)
		router(routerName(route.Name, number), paths, lowest, route.Upstream)
	}

	for number := 1; number <= spares; number++ {
		router(spareName(route.Name, number), route.Paths, lowest-number, spareName(route.Upstream, number))
	}

	return keys
}

func routerName(route string, number int) string {
	if number == 0 {
		return route
	}

	return route + siblingMark + strconv.Itoa(number)
}

// byLength groups paths of equal length, the longest first. No paths are one group.
func byLength(paths []string) [][]string {
	if len(paths) == 0 {
		return [][]string{nil}
	}

	var groups [][]string

	sorted := slices.SortedFunc(slices.Values(paths), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	for _, path := range sorted {
		if last := len(groups) - 1; last >= 0 && len(groups[last][0]) == len(path) {
			groups[last] = append(groups[last], path)
			continue
		}

		groups = append(groups, []string{path})
	}

	return groups
}

// priority orders routers for Traefik: the highest that matches wins, and 0 would stand for the rule's length. The
// paths are of one length.
func priority(hosts, paths []string) int {
	switch {
	case len(hosts) > 0 && len(paths) > 0:
		return step * (2*rank + len(paths[0]))
	case len(hosts) > 0:
		return step * rank
	default:
		return step * len(paths[0])
	}
}

// parseRoute reads a route from the keys that it owns, with paths in lower case. Further routers count only as long
// as they agree with the first, so that a changed one shows as missing paths and is written again.
func parseRoute(name string, keys map[string]string) (gateway.Route, error) {
	first, found := keys[routerFolder(name)+"rule"]
	if !found {
		return gateway.Route{}, gateway.ErrNotFound
	}

	hosts, paths, err := parseRule(first)
	if err != nil {
		return gateway.Route{}, err
	}

	route := gateway.Route{Name: name, Hosts: hosts, Paths: paths, Upstream: upstreamOf(keys[routerFolder(name)+"service"])}

	for _, path := range slices.Sorted(maps.Keys(keys)) {
		folder, isRule := strings.CutSuffix(path, "rule")
		if !isRule || folder == routerFolder(name) || strings.HasPrefix(folder, "routers/"+name+spareMark) {
			continue
		}

		hosts, paths, err := parseRule(keys[path])
		if err == nil && slices.Equal(hosts, route.Hosts) && upstreamOf(keys[folder+"service"]) == route.Upstream {
			route.Paths = append(route.Paths, paths...)
		}
	}

	slices.Sort(route.Paths)

	return route, nil
}

// upstreamOf reads a router's service: an upstream or a spare of it, with or without the provider's name.
func upstreamOf(service string) string {
	upstream, _, _ := strings.Cut(strings.TrimSuffix(service, "@consul"), spareMark)

	return upstream
}

// routesTo names the routes whose routers lead to the upstream.
func routesTo(upstream string, keys map[string]string) []string {
	var routes []string

	for path, service := range keys {
		if match := routerService.FindStringSubmatch(path); match != nil && upstreamOf(service) == upstream {
			route, _, _ := strings.Cut(match[1], siblingMark)
			routes = append(routes, fmt.Sprintf("%q", route))
		}
	}

	slices.Sort(routes)

	return slices.Compact(routes)
}
