package kong

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/kong/go-kong/kong"
)

// Kong's answers to requests that should have been encrypted.
const (
	upgradeRequired   = 426
	permanentRedirect = 308
)

const (
	patternMark = "~" // before a path that is a regular expression
	patternEnd  = "$"
)

// protocols are Kong's words for a route's protocol.
var protocols = map[string][]string{
	gateway.HTTP:           {"http", "https"},
	gateway.HTTPS:          {"https"},
	gateway.TCP:            {"tcp"},
	gateway.TLS:            {"tls"},
	gateway.TLSPassthrough: {"tls_passthrough"},
}

// PutRoute creates or replaces a route in one request, keeping tags that others have set. Its upstream must exist.
func (e *Engine) PutRoute(ctx context.Context, route gateway.Route) error {
	route = route.Complete()
	if err := gateway.Refusal("Kong", e.CheckRoute(route)); err != nil {
		return err
	}

	current, err := direct{e}.route(ctx, route.Name)
	if err != nil {
		return err
	}

	wanted := renderRoute(route)
	if current != nil {
		if err := refuseForeign("route", route.Record, current.Tags); err != nil {
			return err
		}
		wanted.Tags = withRecord(current.Tags, route.Record)
	}

	err = e.write(ctx, http.MethodPut, at("routes", route.Name), wanted)
	if hasCode(err, codeUnresolved) {
		return fmt.Errorf("the gateway has no upstream %q. Create it first; upstream = gateway_upstream.<label>.name tells Terraform the order", route.Upstream)
	}
	if err != nil {
		return fmt.Errorf("put Kong route %q: %w", route.Name, err)
	}

	return nil
}

func renderRoute(route gateway.Route) kong.Route {
	wanted := kong.Route{
		Name:      &route.Name,
		Service:   &kong.Service{Name: &route.Upstream},
		Protocols: kong.StringSlice(protocols[route.Protocol]...),
		Hosts:     kong.StringSlice(route.Hosts...),
		Methods:   kong.StringSlice(route.Methods...),
		SNIs:      kong.StringSlice(route.SNIs...),
		StripPath: new(route.StripPath),
		Tags:      withRecord(nil, route.Record),
	}

	if !route.Stream() {
		wanted.PreserveHost = new(!route.RewriteHost)
		wanted.HTTPSRedirectStatusCode = new(upgradeRequired)
	}
	if route.RedirectHTTPS {
		wanted.HTTPSRedirectStatusCode = new(permanentRedirect)
	}
	if len(route.Headers) > 0 {
		wanted.Headers = route.Headers
	}

	for _, port := range route.Ports {
		wanted.Destinations = append(wanted.Destinations, &kong.CIDRPort{Port: &port})
	}

	paths, longest := slices.Clone(route.Paths), 0
	for _, path := range route.ExactPaths {
		paths, longest = append(paths, patternMark+regexp.QuoteMeta(path)+patternEnd), max(longest, len(path))
	}
	for _, pattern := range route.PathPatterns {
		paths, longest = append(paths, patternMark+pattern), max(longest, len(pattern))
	}
	wanted.Paths = kong.StringSlice(paths...)

	if longest > 0 { // Kong would prefer the route that was made first, and of prefixes the longer one
		wanted.RegexPriority = &longest
	}

	return wanted
}

// Route reads a route. Its Upstream is empty if it leads nowhere.
func (e *Engine) Route(ctx context.Context, name string) (gateway.Route, error) {
	r := e.reader()
	found, err := r.route(ctx, name)
	if err != nil {
		return gateway.Route{}, err
	}
	if found == nil {
		return gateway.Route{}, fmt.Errorf("route %q in Kong: %w", name, gateway.ErrNotFound)
	}

	return parseRoute(ctx, r, found)
}

// Routes reads all routes that have a name, in its order.
func (e *Engine) Routes(ctx context.Context) ([]gateway.Route, error) {
	found, err := e.bulk.routes.get(ctx)
	if err != nil {
		return nil, err
	}

	var routes []gateway.Route
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if or(found[name].Name, "") != name {
			continue // by its id
		}

		route, err := parseRoute(ctx, e.bulk, found[name])
		if err != nil {
			return nil, err
		}
		routes = append(routes, route)
	}

	return routes, nil
}

func parseRoute(ctx context.Context, r reader, found *kong.Route) (gateway.Route, error) {
	route := gateway.Route{
		Record:        recordOf(or(found.Name, ""), found.Tags),
		Protocol:      gateway.HTTP,
		Hosts:         slices.Sorted(slices.Values(texts(found.Hosts))),
		Methods:       slices.Sorted(slices.Values(texts(found.Methods))),
		SNIs:          slices.Sorted(slices.Values(texts(found.SNIs))),
		StripPath:     is(found.StripPath, true),
		RewriteHost:   !is(found.PreserveHost, true),
		RedirectHTTPS: or(found.HTTPSRedirectStatusCode, upgradeRequired) != upgradeRequired,
	}

	for protocol, words := range protocols {
		if slices.Equal(slices.Sorted(slices.Values(texts(found.Protocols))), words) {
			route.Protocol = protocol
		}
	}

	for name, values := range found.Headers {
		if route.Headers == nil {
			route.Headers = map[string][]string{}
		}
		route.Headers[name] = slices.Sorted(slices.Values(values))
	}

	parsePaths(found, &route)

	if len(found.Paths) == 0 {
		route.StripPath = false // Kong's default is true, which means nothing then
	}

	for _, destination := range found.Destinations {
		route.Ports = append(route.Ports, or(destination.Port, 0))
	}
	slices.Sort(route.Ports)

	if route.Stream() {
		route.RewriteHost, route.RedirectHTTPS = false, false
	}
	route.Altered = !route.Foreign && !routesAlike(found, renderRoute(route))

	if found.Service == nil {
		return route, nil
	}

	service, err := r.service(ctx, or(found.Service.ID, ""))
	if err != nil {
		return gateway.Route{}, err
	}
	if service != nil {
		route.Upstream = or(service.Name, "")
	}

	return route, nil
}

// parsePaths tells prefixes, whole paths and patterns apart.
func parsePaths(found *kong.Route, into *gateway.Route) {
	for _, path := range slices.Sorted(slices.Values(texts(found.Paths))) {
		pattern, isPattern := strings.CutPrefix(path, patternMark)
		quoted, whole := strings.CutSuffix(pattern, patternEnd)
		literal, only := gateway.Literal(quoted)

		switch {
		case !isPattern:
			into.Paths = append(into.Paths, path)
		case whole && only:
			into.ExactPaths = append(into.ExactPaths, literal)
		default:
			into.PathPatterns = append(into.PathPatterns, pattern)
		}
	}
}

// routesAlike compares of a route what its fields do not show.
func routesAlike(found *kong.Route, wanted kong.Route) bool {
	return slices.Equal(slices.Sorted(slices.Values(texts(found.Protocols))), texts(wanted.Protocols)) &&
		(wanted.HTTPSRedirectStatusCode == nil || is(found.HTTPSRedirectStatusCode, *wanted.HTTPSRedirectStatusCode)) &&
		is(found.StripPath, *wanted.StripPath) &&
		len(found.Sources) == 0 && or(found.RegexPriority, 0) == or(wanted.RegexPriority, 0)
}

// DeleteRoute removes a route.
func (e *Engine) DeleteRoute(ctx context.Context, of gateway.Record) error {
	current, err := direct{e}.route(ctx, of.Name)
	if err != nil {
		return err
	}
	if current != nil {
		if err := refuseForeign("route", of, current.Tags); err != nil {
			return err
		}
	}

	if err := e.remove(ctx, at("routes", of.Name)); err != nil {
		return fmt.Errorf("delete Kong route %q: %w", of.Name, err)
	}

	return nil
}
