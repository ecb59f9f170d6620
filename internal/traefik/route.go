package traefik

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// Kong prefers, of routes that match, one with more kinds of conditions, then one with more headers, one with hosts
// that are all whole names, one with exact paths or patterns, and then the longer path. Traefik would prefer the longer text of a rule, so every router
// carries a priority that has these as its digits. Paths are shorter than a rank, and a route's spares fit between it and
// the next lower one.
const (
	rank    = 2048 // lengths of paths
	headers = 16   // numbers of headers
	kinds   = 8    // numbers of kinds of conditions
	step    = 1 + spares
	level   = step * rank * 2 * 2 * headers * kinds // from one priority of a user's to the next
)

// noService is a service of Traefik's own, for routers whose middleware answers.
const noService = "noop@internal"

// matchedPath is a path with the matcher that compares it.
type matchedPath struct {
	matcher string
	path    string
}

func (m matchedPath) value() string {
	if m.matcher == patternMatcher {
		return patternBegin + m.path + patternEnd
	}

	return m.path
}

func (m matchedPath) isPrefix() bool { return m.matcher == prefixMatcher }

// routing is where routers listen and what requests pass through on their way.
type routing struct {
	entryPoints []string                     // for requests; none means Traefik's default ones
	ports       map[int]string               // entry points by port, for connections
	attached    func(gateway.Route) []string // middlewares that are objects of their own
}

// renderRoute writes a route as keys. A route whose paths differ in kind or length becomes a router for each, since a
// router has one priority and each path competes with other routes' by its own. A router to each of the upstream's
// spares follows; one for all paths is enough for the time in which a service is gone.
func renderRoute(route gateway.Route, through routing) map[string]string {
	keys := map[string]string{}

	if route.Stream() {
		renderConnections(route, through, keys)

		return withOwner(keys, routeKind, route.Record)
	}

	var chain []string
	if through.attached != nil {
		chain = through.attached(route)
	}

	if route.StripPath && len(route.Paths) > 0 {
		longestFirst := slices.SortedFunc(slices.Values(route.Paths), func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
		keys["http/middlewares/"+route.Name+stripPart+"/stripPrefix/prefixes"] = strings.Join(longestFirst, ",")
		chain = append(slices.Clone(chain), route.Name+stripPart)
	}

	chain = append(slices.Clone(chain), retryName(route.Upstream))
	router := func(name string, paths []matchedPath, priority int, service string, chain []string) {
		add(keys, "http/routers/"+name+"/", map[string]string{
			"rule":        renderRule(route, paths),
			"priority":    strconv.Itoa(priority),
			"service":     service,
			"middlewares": strings.Join(chain, ","),
			"entryPoints": strings.Join(through.entryPoints, ","),
		})

		if route.Protocol == gateway.HTTPS && service != noService {
			keys["http/routers/"+name+"/tls"] = "true"
		}
	}

	all := pathsOf(route)
	lowest := 0

	for number, paths := range grouped(all) {
		lowest = priority(route, paths)
		router(routerName(route.Name, number), paths, lowest, route.Upstream, chain)
	}

	for number := 1; number <= spares; number++ {
		router(spareName(route.Name, number), all, lowest-number, spareName(route.Upstream, number), chain)
	}

	if route.RedirectHTTPS {
		add(keys, "http/middlewares/"+route.Name+redirectPart+"/redirectScheme/", map[string]string{"scheme": "https", "permanent": "true"})
		router(route.Name+redirectPart, all, lowest, noService, []string{route.Name + redirectPart})
	}

	return withOwner(keys, routeKind, route.Record)
}

// renderConnections writes a route for connections.
func renderConnections(route gateway.Route, through routing, keys map[string]string) {
	folder := "tcp/routers/" + route.Name + "/"

	entryPoints := slices.Clone(through.entryPoints)
	if len(route.Ports) > 0 {
		entryPoints = nil
		for _, port := range route.Ports {
			entryPoints = append(entryPoints, through.ports[port])
		}
	}

	add(keys, folder, map[string]string{
		"rule":        renderRule(route, nil),
		"priority":    strconv.Itoa(priority(route, nil)),
		"service":     route.Upstream,
		"entryPoints": strings.Join(entryPoints, ","),
	})

	switch route.Protocol {
	case gateway.TLS:
		keys[folder+"tls"] = "true"
	case gateway.TLSPassthrough:
		keys[folder+"tls/passthrough"] = "true"
	}
}

func routerName(route string, number int) string {
	if number == 0 {
		return route
	}

	return route + partMark + strconv.Itoa(number)
}

// pathsOf lists a route's paths, those with the highest priority first.
func pathsOf(route gateway.Route) []matchedPath {
	var all []matchedPath

	for matcher, paths := range map[string][]string{prefixMatcher: route.Paths, exactMatcher: route.ExactPaths, patternMatcher: route.PathPatterns} {
		for _, path := range paths {
			all = append(all, matchedPath{matcher, path})
		}
	}

	slices.SortFunc(all, func(a, b matchedPath) int {
		return cmp.Or(digit(a.isPrefix())-digit(b.isPrefix()), len(b.path)-len(a.path), cmp.Compare(a.path, b.path), cmp.Compare(a.matcher, b.matcher))
	})

	return all
}

// grouped divides sorted paths into those of equal priority. No paths are one group.
func grouped(sorted []matchedPath) [][]matchedPath {
	groups := [][]matchedPath{nil}

	for _, path := range sorted {
		last := groups[len(groups)-1]
		if len(last) > 0 && (last[0].isPrefix() != path.isPrefix() || len(last[0].path) != len(path.path)) {
			groups = append(groups, nil)
		}

		groups[len(groups)-1] = append(groups[len(groups)-1], path)
	}

	return groups
}

// priority orders routers for Traefik: the highest that matches wins, and 0 would stand for the rule's length. The paths
// are of one kind and length.
func priority(route gateway.Route, paths []matchedPath) int {
	length, whole := 0, false
	if len(paths) > 0 {
		length, whole = len(paths[0].path), !paths[0].isPrefix()
	}

	conditions := 0

	for _, given := range []bool{len(route.Hosts) > 0, length > 0, len(route.Methods) > 0, len(route.Headers) > 0, len(route.SNIs) > 0} {
		conditions += digit(given)
	}

	sum := conditions
	sum = sum*headers + len(route.Headers)
	sum = sum*2 + digit(len(route.Hosts) > 0 && !slices.ContainsFunc(route.Hosts, func(host string) bool { return strings.HasPrefix(host, gateway.AllBelow) }))
	sum = sum*2 + digit(whole)
	sum = sum*rank + length

	return level*route.Priority + step*(sum+1)
}

func digit(set bool) int {
	if set {
		return 1
	}

	return 0
}

// routesTo names the routes that lead to the upstream.
func routesTo(upstream string, held contents) []string {
	var routes []string

	for object, stored := range held {
		name, isRoute := strings.CutPrefix(object, routeKind+"/")
		if !isRoute {
			continue
		}

		for path, key := range stored {
			if strings.HasSuffix(strings.ToLower(path), "/service") && upstreamOf(key.Value) == upstream {
				routes = append(routes, fmt.Sprintf("%q", name))

				break
			}
		}
	}

	slices.Sort(routes)

	return routes
}

// upstreamOf reads a router's service: an upstream or a spare of it, with or without the provider's name.
func upstreamOf(service string) string {
	upstream, _, _ := strings.Cut(strings.TrimSuffix(service, "@consul"), partMark)

	return upstream
}
