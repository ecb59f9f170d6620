package kongtest

import (
	"slices"
	"strconv"
	"strings"
)

// exclusive are the groups of protocols that one route may not mix.
var exclusive = [][]string{{"http", "https"}, {"tcp", "tls", "udp"}, {"tls_passthrough"}, {"grpc", "grpcs"}}

func routes() *entity {
	protocols := list("protocols", setKind, oneOf("grpc", "grpcs", "http", "https", "tcp", "tls", "tls_passthrough", "udp"))
	protocols.required = true
	protocols.initial = []any{"http", "https"}
	protocols.checks = []check{on(oneGroup)}

	headers := field{name: "headers", kind: mapKind, checks: []check{on(noHostHeader)}}
	values := list("", arrayKind)
	headers.element = &values

	return &entity{
		name:   "routes",
		key:    "name",
		unique: [][]string{{"name"}},
		fields: common(
			text("name", utf8Name),
			protocols,
			list("methods", setKind, method),
			list("hosts", arrayKind, routeHost),
			list("paths", arrayKind, routePath),
			headers,
			field{
				name: "https_redirect_status_code", kind: integerKind, required: true, initial: 426.0,
				checks: []check{on(redirectStatus)},
			},
			integer("regex_priority", 0.0, -1<<31, 1<<31),
			boolean("strip_path", true).must(),
			text("path_handling", oneOf("v0", "v1")).or("v0"),
			boolean("preserve_host", false).must(),
			boolean("request_buffering", true).must(),
			boolean("response_buffering", true).must(),
			list("snis", setKind, host),
			endpoints("sources"),
			endpoints("destinations"),
			field{name: "service", kind: foreignKind, refers: "services"},
		),
		rewrite: keepPathOfGRPC,
		inspect: inspectRoute,
	}
}

// endpoints are the ends of a TCP connection that a stream route matches.
func endpoints(name string) field {
	record := field{kind: recordKind, fields: []field{text("ip"), integer("port", nil, 0, 65535)}}

	return field{name: name, kind: setKind, element: &record}
}

func redirectStatus(number float64) string {
	return oneOf("426", "301", "302", "307", "308")(strconv.FormatFloat(number, 'f', -1, 64))
}

func oneGroup(list []any) string {
	if len(list) == 0 {
		return "unknown type: nil" // Kong 3.9.1 picks the rules by the first protocol, which is not there
	}

	var groups []string
	for _, group := range exclusive {
		if slices.ContainsFunc(group, func(protocol string) bool { return slices.Contains(list, any(protocol)) }) {
			groups = append(groups, "("+quoted(group)+")")
		}
	}
	if len(groups) > 1 {
		return "these sets are mutually exclusive: " + strings.Join(groups, ", ")
	}

	return ""
}

func method(text string) string {
	if text != strings.ToUpper(text) {
		return "invalid value: " + text
	}

	return ""
}

func noHostHeader(headers map[string]any) string {
	for name := range headers {
		if strings.EqualFold(name, "host") {
			return "cannot contain 'host' header, which must be specified in the 'hosts' attribute"
		}
	}

	return ""
}

// keepPathOfGRPC gives gRPC routes, whose paths are method names, their own default.
func keepPathOfGRPC(input map[string]any) {
	if _, given := input["strip_path"]; !given && speaks(input, "grpc", "grpcs") {
		input["strip_path"] = false
	}
}

// speaks says whether a route has one of some protocols.
func speaks(values map[string]any, protocols ...string) bool {
	list, _ := values["protocols"].([]any)

	return slices.ContainsFunc(list, func(value any) bool {
		protocol, ok := value.(string)

		return ok && slices.Contains(protocols, protocol)
	})
}

func inspectRoute(values map[string]any, _ bool, found violations) { inspectMatchers(values, found) }

// inspectMatchers checks what a route matches. The further matcher is one that every protocol knows.
func inspectMatchers(values map[string]any, found violations, further ...string) {
	if found["protocols"] != nil {
		return // every rule below depends on them
	}
	if !isEmpty(values["snis"]) && !speaks(values, "grpcs", "https", "tls", "tls_passthrough") {
		found.entity("'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'")
		found["snis"] = "length must be 0"
	}

	type rule struct {
		protocols, matchers []string
		when                string
	}
	stream := []string{"sources", "destinations", "snis"}
	rules := []rule{ // the first one that fits is the one that counts
		{[]string{"https"}, []string{"methods", "hosts", "headers", "paths", "snis"}, "'https'"},
		{[]string{"http"}, []string{"methods", "hosts", "headers", "paths"}, "'http'"},
		{[]string{"grpcs"}, []string{"hosts", "headers", "paths", "snis"}, "'grpcs'"},
		{[]string{"grpc"}, []string{"hosts", "headers", "paths"}, "'grpc'"},
		{[]string{"tcp", "tls", "udp"}, stream, "'tcp', 'tls' or 'udp'"},
		{[]string{"tls_passthrough"}, []string{"snis"}, "'tls_passthrough'"},
	}
	for _, rule := range rules {
		if !speaks(values, rule.protocols...) {
			continue
		}
		matchers := append(slices.Clone(rule.matchers), further...)
		if !slices.ContainsFunc(matchers, func(name string) bool { return !isEmpty(values[name]) }) {
			found.entity("must set one of " + quoted(matchers) + " when 'protocols' is " + rule.when)
		}

		break
	}

	forbid(values, found, "'http' or 'https'", []string{"http", "https"}, "sources", "destinations")
	forbid(values, found, "'grpc' or 'grpcs'", []string{"grpc", "grpcs"}, "methods", "sources", "destinations")
	forbid(values, found, "'tcp', 'tls', 'tls_passthrough' or 'udp'", []string{"tcp", "tls", "tls_passthrough", "udp"},
		"methods", "hosts", "headers", "paths")
}

func forbid(values map[string]any, found violations, when string, protocols []string, names ...string) {
	if !speaks(values, protocols...) {
		return
	}

	for _, name := range names {
		if values[name] != nil {
			found[name] = "cannot set '" + name + "' when 'protocols' is " + when
		}
	}
}
