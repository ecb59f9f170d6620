package traefik

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// parseRoute reads a route from the keys that it consists of, whose paths are in lower case. Further routers count only
// as long as they agree with the first, so that a changed one shows as missing paths and is written again.
func parseRoute(name string, keys map[string]string, through routing) (gateway.Route, error) {
	folder := "http/routers/" + name + "/"
	if _, found := keys[folder+"rule"]; !found {
		return parseConnections(name, keys, through)
	}

	route, err := parseRule(keys[folder+"rule"])
	if err != nil {
		return gateway.Route{}, err
	}

	route.Record = recordOf(keys, routeKind, name)
	route.Upstream = upstreamOf(keys[folder+"service"])
	route.Protocol = gateway.HTTP

	for _, path := range slices.Sorted(maps.Keys(keys)) {
		further, isFurther := strings.CutPrefix(path, "http/routers/"+name+partMark)
		number, isRule := strings.CutSuffix(further, "/rule")

		if _, err := strconv.Atoi(number); !isFurther || !isRule || err != nil {
			continue
		}

		other, err := parseRule(keys[path])
		if err == nil && upstreamOf(keys[strings.TrimSuffix(path, "rule")+"service"]) == route.Upstream {
			route.Paths = append(route.Paths, other.Paths...)
			route.ExactPaths = append(route.ExactPaths, other.ExactPaths...)
			route.PathPatterns = append(route.PathPatterns, other.PathPatterns...)
		}
	}

	if len(below(keys, folder+"tls/")) > 0 || keys[folder+"tls"] == "true" {
		route.Protocol = gateway.HTTPS
	}

	route.RedirectHTTPS = len(below(keys, "http/middlewares/"+name+redirectPart+"/")) > 0
	route.StripPath = len(below(keys, "http/middlewares/"+name+stripPart+"/")) > 0
	route.Priority = priorityOf(keys[folder+"priority"])

	return settled(route, keys, through), nil
}

// parseConnections reads a route for connections.
func parseConnections(name string, keys map[string]string, through routing) (gateway.Route, error) {
	folder := "tcp/routers/" + name + "/"

	rule, found := keys[folder+"rule"]
	if !found {
		return gateway.Route{}, gateway.ErrNotFound
	}

	route, err := parseRule(rule)
	if err != nil {
		return gateway.Route{}, err
	}

	route.Record = recordOf(keys, routeKind, name)
	route.Upstream = upstreamOf(keys[folder+"service"])
	route.Priority = priorityOf(keys[folder+"priority"])

	for port, entryPoint := range through.ports {
		if slices.Contains(strings.Split(listOf(keys, folder+"entrypoints"), ","), entryPoint) {
			route.Ports = append(route.Ports, port)
		}
	}

	route.Protocol = gateway.TCP

	switch {
	case keys[folder+"tls/passthrough"] == "true":
		route.Protocol = gateway.TLSPassthrough
	case keys[folder+"tls"] == "true":
		route.Protocol = gateway.TLS
	}

	return settled(route, keys, through), nil
}

// settled sorts the lists of a route that was read and says whether somebody has changed what they do not show.
func settled(route gateway.Route, keys map[string]string, through routing) gateway.Route {
	for _, list := range [][]string{route.Hosts, route.Paths, route.ExactPaths, route.PathPatterns, route.Methods, route.SNIs} {
		slices.Sort(list)
	}

	for _, values := range route.Headers {
		slices.Sort(values)
	}

	slices.Sort(route.Ports)

	route.Altered = !route.Foreign && isAltered(keys, renderRoute(route, through))

	return route
}

// priorityOf returns the priority that a user gave, of which a router's is made.
func priorityOf(text string) int {
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}

	return number / level
}

// listOf reads a list, which may stand in one key or in numbered ones.
func listOf(keys map[string]string, path string) string {
	if text, found := keys[path]; found {
		return text
	}

	numbered := below(keys, path+"/")
	values := make([]string, 0, len(numbered))

	for _, number := range slices.Sorted(maps.Keys(numbered)) {
		values = append(values, numbered[number])
	}

	return strings.Join(values, ",")
}
