package kongtest

import (
	"fmt"
	"net/netip"
	"regexp/syntax"
	"slices"
	"strings"
)

// bundled are the plugins that this Kong has loaded, by name. Fields and defaults are those of Kong 3.9. Of those that it
// comes with, acme, datadog, opentelemetry, statsd and zipkin are not among them.
var bundled = map[string]plugin{
	"acl":                   aclPlugin(),
	"azure-functions":       azurePlugin(),
	"basic-auth":            {lonely: true, config: []field{anonymous(), boolean("hide_credentials", false).must(), text("realm").must().or("service")}},
	"bot-detection":         {lonely: true, config: []field{patterns("allow"), patterns("deny")}},
	"correlation-id":        correlationPlugin(),
	"cors":                  corsPlugin(),
	"file-log":              {anyOf: allProtocols, config: []field{text("path", fileName).must(), boolean("reopen", false).must(), luaFields()}},
	"grpc-gateway":          {anyOf: allProtocols, config: []field{text("proto")}},
	"grpc-web":              {anyOf: allProtocols, config: []field{text("proto"), boolean("pass_stripped_path", nil), text("allow_origin_header").or("*")}},
	"hmac-auth":             hmacPlugin(),
	"http-log":              httpLogPlugin(),
	"ip-restriction":        addressPlugin(),
	"jwt":                   jwtPlugin(),
	"key-auth":              keyPlugin(),
	"ldap-auth":             ldapPlugin(),
	"loggly":                logglyPlugin(),
	"oauth2":                oauth2Plugin(),
	"post-function":         functionPlugin(),
	"pre-function":          functionPlugin(),
	"prometheus":            prometheusPlugin(),
	"proxy-cache":           cachePlugin(),
	"rate-limiting":         rateLimitPlugin(),
	"redirect":              redirectPlugin(),
	"request-size-limiting": sizePlugin(),
	"request-termination":   terminationPlugin(),
	"request-transformer":   requestPlugin(),
	"response-ratelimiting": responseLimitPlugin(),
	"response-transformer":  responsePlugin(),
	"session":               sessionPlugin(),
	"standard-webhooks":     {lonely: true, config: []field{text("secret_v1").must().hidden(), integer("tolerance_second", 300.0, 0, 1<<31).must()}},
	"syslog":                syslogPlugin(),
	"tcp-log":               tcpLogPlugin(),
	"udp-log":               {anyOf: allProtocols, config: []field{text("host", host).must(), integer("port", nil, 0, 65535).must(), number("timeout", 10000.0), luaFields()}},
}

func anonymous() field { return text("anonymous") }

// texts is a list of texts with a default.
func texts(name string, initial ...string) field {
	f := list(name, arrayKind)
	values := []any{}
	for _, value := range initial {
		values = append(values, value)
	}
	f.initial = values

	return f
}

// named is a list of texts without a default, and null unless it is given.
func named(name string, judges ...func(string) string) field { return list(name, arrayKind, judges...) }

// luaFields is a map from names to code.
func luaFields() field {
	script := text("").must()

	return field{name: "custom_fields_by_lua", kind: mapKind, element: &script}
}

func patterns(name string) field {
	f := list(name, arrayKind, regex)
	f.initial = []any{}

	return f
}

func regex(text string) string {
	if _, err := syntax.Parse(text, syntax.Perl); err != nil {
		return "not a valid regex: " + text
	}

	return ""
}

func positive() check {
	return on(func(number float64) string {
		if number <= 0 {
			return "value must be greater than 0"
		}

		return ""
	})
}

func fileName(text string) string {
	if strings.HasPrefix(text, " ") || strings.ContainsAny(text, "*&%\\`") {
		return "not a valid filename"
	}

	return ""
}

func address(text string) string {
	if _, err := netip.ParseAddr(text); err == nil {
		return ""
	}
	if _, err := netip.ParsePrefix(text); err == nil {
		return ""
	}

	return "invalid ip or cidr range: '" + text + "'"
}

func header(name string) field { return text(name, headerName) }

func headerName(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return "bad header name '" + text + "', allowed characters are A-Z, a-z, 0-9, '_', and '-'"
	}

	return ""
}

func aclPlugin() plugin {
	return plugin{
		lonely: true,
		config: []field{
			named("allow"), named("deny"), boolean("hide_groups_header", false).must(),
			boolean("include_consumer_groups", false).must(), boolean("always_use_authenticated_groups", false).must(),
		},
		rules: func(values map[string]any, updating bool, found violations) {
			allow, deny := dig(values, "config.allow"), dig(values, "config.deny")
			if !isEmpty(allow) && !isEmpty(deny) {
				found.entity("only one of these fields must be non-empty: 'config.allow', 'config.deny'")
			}
			oneNeeded("allow", "deny")(values, updating, found)
		},
	}
}

func correlationPlugin() plugin {
	return plugin{config: []field{
		text("header_name").or("Kong-Request-ID"),
		text("generator", oneOf("uuid", "uuid#counter", "tracker")).must().or("uuid#counter"),
		boolean("echo_downstream", false).must(),
	}}
}

var corsMethods = []string{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

func corsPlugin() plugin {
	methods := texts("methods", corsMethods...)
	element := text("", oneOf(corsMethods...)).must()
	methods.element = &element

	return plugin{lonely: true, config: []field{
		named("origins", func(text string) string {
			if _, err := syntax.Parse(text, syntax.Perl); text != "*" && err != nil {
				return "'" + text + "' is not a valid regex"
			}

			return ""
		}),
		named("headers"), named("exposed_headers"), methods, number("max_age", nil),
		boolean("credentials", false).must(), boolean("preflight_continue", false).must(), boolean("private_network", false).must(),
	}}
}

func addressPlugin() plugin {
	return plugin{
		protocols: []string{"http", "https", "tcp", "tls", "grpc", "grpcs"},
		config:    []field{named("allow", address), named("deny", address), number("status", nil), text("message")},
		rules:     oneNeeded("allow", "deny"),
	}
}

func prometheusPlugin() plugin {
	var config []field
	for _, name := range []string{
		"per_consumer", "status_code_metrics", "ai_metrics", "latency_metrics", "bandwidth_metrics", "upstream_health_metrics",
	} {
		config = append(config, boolean(name, false))
	}

	return plugin{anyOf: allProtocols, config: config}
}

func functionPlugin() plugin {
	var config []field
	for _, phase := range []string{"certificate", "rewrite", "access", "header_filter", "body_filter", "log"} {
		config = append(config, texts(phase))
	}

	return plugin{anyOf: allProtocols, config: config, rules: func(values map[string]any, updating bool, found violations) {
		oneNeeded("certificate", "rewrite", "access", "header_filter", "body_filter", "log")(values, updating, found)
	}}
}

func azurePlugin() plugin {
	return plugin{config: []field{
		number("timeout", 600000.0), number("keepalive", 60000.0), boolean("https", true).must(), boolean("https_verify", false).must(),
		text("apikey").hidden(), text("clientid").hidden(), text("appname").must(), text("hostdomain").must().or("azurewebsites.net"),
		text("routeprefix").or("api"), text("functionname").must(),
	}}
}

func redirectPlugin() plugin {
	return plugin{config: []field{
		integer("status_code", 301.0, 100, 599).must(), text("location").must(), boolean("keep_incoming_path", false),
	}}
}

func sizePlugin() plugin {
	return plugin{config: []field{
		{name: "allowed_payload_size", kind: integerKind, initial: 128.0},
		text("size_unit", oneOf("megabytes", "kilobytes", "bytes")).must().or("megabytes"),
		boolean("require_content_length", false).must(),
	}}
}

func terminationPlugin() plugin {
	return plugin{
		config: []field{
			integer("status_code", 503.0, 100, 599), text("message"), text("content_type"), text("body"),
			boolean("echo", false).must(), header("trigger"),
		},
		rules: func(values map[string]any, _ bool, found violations) {
			if dig(values, "config.message") != nil && (dig(values, "config.content_type") != nil || dig(values, "config.body") != nil) {
				found.entity("message cannot be used with content_type or body")
			}
			if dig(values, "config.content_type") != nil && dig(values, "config.body") == nil {
				found.entity("content_type requires a body")
			}
		},
	}
}

// pairs are "name:value" texts.
func pairs(name string) field {
	f := list(name, arrayKind, func(text string) string {
		if before, _, found := strings.Cut(text, ":"); !found || before == "" {
			return "invalid value: " + text
		}

		return ""
	})
	f.initial = []any{}

	return f
}

func requestPlugin() plugin {
	group := func(name string, of func(string) field, more ...field) field {
		return record(name, append([]field{of("body"), of("headers"), of("querystring")}, more...)...)
	}
	plain := func(name string) field { return texts(name) }

	return plugin{config: []field{
		text("http_method", method),
		group("remove", plain), group("rename", pairs), group("replace", pairs, text("uri")), group("add", pairs), group("append", pairs),
	}}
}

func responsePlugin() plugin {
	types := list("json_types", arrayKind, oneOf("boolean", "number", "string"))
	types.initial = []any{}

	return plugin{config: []field{
		record("remove", texts("json"), texts("headers")),
		record("rename", pairs("headers")),
		record("replace", pairs("json"), types, pairs("headers")),
		record("add", pairs("json"), types, pairs("headers")),
		record("append", pairs("json"), types, pairs("headers")),
	}}
}

func cachePlugin() plugin {
	codes := field{name: "response_code", kind: arrayKind, required: true, initial: []any{200.0, 301.0, 404.0}}
	codes.element = &field{kind: integerKind, required: true, checks: []check{between(100, 900)}}

	methods := texts("request_method", "GET", "HEAD").must()
	element := text("", oneOf("HEAD", "GET", "POST", "PATCH", "PUT")).must()
	methods.element = &element

	return plugin{anyOf: allProtocols, config: []field{
		codes, methods, texts("content_type", "text/plain", "application/json").must(),
		{name: "cache_ttl", kind: integerKind, initial: 300.0, checks: []check{positive()}},
		text("strategy", oneOf("memory")).must(), boolean("cache_control", false).must(), boolean("ignore_uri_case", false),
		{name: "storage_ttl", kind: integerKind},
		record("memory", text("dictionary_name").must().or("kong_db_cache")),
		named("vary_query_params"), named("vary_headers"),
		record("response_headers", boolean("age", true), boolean("X-Cache-Status", true), boolean("X-Cache-Key", true)),
	}}
}

// notAbove refuses limits of a longer time that are lower than those of a shorter one.
func notAbove(config map[string]any) string {
	for i, short := range periods {
		low, ok := config[short].(float64)
		for _, long := range periods[i+1:] {
			if high, given := config[long].(float64); ok && given && high < low {
				return fmt.Sprintf("The limit for %s(%.1f) cannot be lower than the limit for %s(%.1f)", long, high, short, low)
			}
		}
	}

	return ""
}

var periods = []string{"second", "minute", "hour", "day", "month", "year"}

func limits() []field {
	var fields []field
	for _, period := range periods {
		fields = append(fields, number(period, nil, positive()))
	}

	return slices.Clip(fields)
}
