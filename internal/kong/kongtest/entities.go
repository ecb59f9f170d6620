package kongtest

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// schema lists the collections of this fake.
func schema() []*entity {
	return []*entity{
		services(), routes(), upstreams(), targets(), plugins(), certificates(), snis(), caCertificates(),
		consumers(), keyAuths(), basicAuths(), hmacAuths(), jwts(), acls(), oauth2s(),
		keySets(), keys(), vaults(),
	}
}

func text(name string, judges ...func(string) string) field {
	f := field{name: name, kind: stringKind}
	for _, judge := range judges {
		f.checks = append(f.checks, on(judge))
	}

	return f
}

func integer(name string, initial any, low, high int) field {
	return field{name: name, kind: integerKind, initial: initial, checks: []check{between(low, high)}}
}

func number(name string, initial any, checks ...check) field {
	return field{name: name, kind: numberKind, initial: initial, checks: checks}
}

func foreign(name, collection string) field {
	return field{name: name, kind: foreignKind, refers: collection}
}

func boolean(name string, initial any) field {
	return field{name: name, kind: booleanKind, initial: initial}
}

func list(name string, kind kind, judges ...func(string) string) field {
	element := text("", judges...).must()

	return field{name: name, kind: kind, element: &element}
}

func (f field) must() field {
	f.required = true

	return f
}

func (f field) or(initial any) field {
	f.initial = initial

	return f
}

func (f field) hidden() field {
	f.secret = true

	return f
}

func (f field) random() field {
	f.made = true

	return f
}

func (f field) empty() field {
	f.blank = true

	return f
}

func (f field) cascading() field {
	f.cascade = true

	return f
}

// common puts the fields that every collection has around those of one.
func common(fields ...field) []field {
	return append([]field{
		text("id", uuidText),
		{name: "created_at", kind: numberKind},
		{name: "updated_at", kind: numberKind},
		list("tags", setKind, tag),
	}, fields...)
}

func services() *entity {
	const maxTimeout = 1<<31 - 2

	return &entity{
		name:   "services",
		key:    "name",
		unique: [][]string{{"name"}},
		fields: common(
			text("name", utf8Name),
			integer("retries", 5.0, 0, 32767),
			text("protocol", oneOf("grpc", "grpcs", "http", "https", "tcp", "tls", "tls_passthrough", "udp")).must().or("http"),
			text("host", host).must(),
			integer("port", 80.0, 0, 65535).must(),
			text("path", path),
			integer("connect_timeout", 60000.0, 1, maxTimeout),
			integer("write_timeout", 60000.0, 1, maxTimeout),
			integer("read_timeout", 60000.0, 1, maxTimeout),
			field{name: "client_certificate", kind: foreignKind, refers: "certificates"},
			boolean("tls_verify", nil),
			integer("tls_verify_depth", nil, 0, 64),
			list("ca_certificates", arrayKind, uuidText),
			boolean("enabled", true).must(),
		),
		rewrite: splitURL,
		inspect: inspectService,
	}
}

// splitURL spreads the write-only field "url", which wins over the fields that it stands for.
func splitURL(input map[string]any) {
	raw, ok := input["url"].(string)
	if !ok {
		return
	}
	delete(input, "url")

	parsed, err := url.Parse(raw)
	if err != nil {
		parsed = &url.URL{Path: raw}
	}
	for _, name := range []string{"host", "path"} {
		input[name] = nil
	}
	if parsed.Hostname() != "" {
		input["host"] = parsed.Hostname()
	}
	if parsed.Path != "" {
		input["path"] = parsed.Path
	}
	if parsed.Scheme != "" {
		input["protocol"] = parsed.Scheme
		input["port"] = map[bool]float64{false: 80, true: 443}[parsed.Scheme == "https"]
	}
	if port, err := strconv.Atoi(parsed.Port()); err == nil {
		input["port"] = float64(port)
	}
}

func inspectService(values map[string]any, _ bool, found violations) {
	protocol, _ := values["protocol"].(string)
	if slices.Contains([]string{"tcp", "tls", "udp", "grpc", "grpcs"}, protocol) && values["path"] != nil {
		found.conditional("protocol", "path", "value must be null")
	}
	if protocol == "https" || protocol == "tls" {
		return
	}

	for _, name := range []string{"client_certificate", "tls_verify", "tls_verify_depth", "ca_certificates"} {
		if values[name] != nil {
			found.conditional("protocol", name, "value must be null")
		}
	}
}

func targets() *entity {
	return &entity{
		name:        "targets",
		key:         "target",
		unique:      [][]string{{"target", "upstream"}},
		notNull:     []string{"weight"},
		nested:      true,
		updateOnly:  true,
		newestFirst: true,
		fractions:   true,
		fields: common(
			field{name: "upstream", kind: foreignKind, refers: "upstreams", required: true, cascade: true},
			text("target", target).must(),
			integer("weight", 100.0, 0, 65535),
		),
		settle: func(values map[string]any) {
			if spelled, ok := values["target"].(string); ok {
				if normal, ok := normalTarget(spelled); ok {
					values["target"] = normal
				}
			}
		},
	}
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	default:
		return false
	}
}

// quoted writes names as Kong's messages list them: 'a', 'b'.
func quoted(names []string) string {
	return "'" + strings.Join(names, "', '") + "'"
}
