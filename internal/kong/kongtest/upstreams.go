package kongtest

import (
	"slices"
	"strings"
)

func upstreams() *entity {
	hashes := []string{"none", "consumer", "ip", "header", "cookie", "path", "query_arg", "uri_capture"}

	return &entity{
		name:   "upstreams",
		key:    "name",
		unique: [][]string{{"name"}},
		fields: common(
			text("name", upstreamName).must(),
			text("algorithm", oneOf("consistent-hashing", "least-connections", "round-robin", "latency")).or("round-robin"),
			text("hash_on", oneOf(hashes...)).or("none"),
			text("hash_fallback", oneOf(hashes...)).or("none"),
			text("hash_on_header"),
			text("hash_fallback_header"),
			text("hash_on_cookie"),
			text("hash_on_cookie_path", path).or("/"),
			text("hash_on_query_arg"),
			text("hash_fallback_query_arg"),
			text("hash_on_uri_capture"),
			text("hash_fallback_uri_capture"),
			integer("slots", 10000.0, 10, 65536),
			record("healthchecks",
				field{name: "threshold", kind: numberKind, initial: 0.0, checks: []check{between(0, 100)}},
				activeChecks(),
				passiveChecks(),
			),
			text("host_header", hostHeader),
			field{name: "client_certificate", kind: foreignKind, refers: "certificates"},
			boolean("use_srv_name", false),
		),
		settle:  settleAlgorithm,
		inspect: inspectHashing,
	}
}

func record(name string, fields ...field) field {
	return field{name: name, kind: recordKind, required: true, fields: fields}
}

func checkType() field {
	return text("type", oneOf("tcp", "http", "https", "grpc", "grpcs")).or("http")
}

func count(name string) field { return integer(name, 0.0, 0, 255) }

func interval() field {
	return field{name: "interval", kind: numberKind, initial: 0.0, checks: []check{between(0, 65535)}}
}

func statuses(codes ...any) field {
	return field{
		name: "http_statuses", kind: arrayKind, initial: codes,
		element: &field{kind: integerKind, required: true, checks: []check{between(100, 999)}},
	}
}

func activeChecks() field {
	values := list("", arrayKind)

	return record("active",
		checkType(),
		field{name: "timeout", kind: numberKind, initial: 1.0, checks: []check{between(0, 65535)}},
		integer("concurrency", 10.0, 1, 1<<31),
		text("http_path", path).or("/"),
		text("https_sni", host),
		boolean("https_verify_certificate", true),
		field{name: "headers", kind: mapKind, element: &values},
		record("healthy", interval(), count("successes"), statuses(200.0, 302.0)),
		record("unhealthy", interval(), count("tcp_failures"), count("timeouts"), count("http_failures"),
			statuses(429.0, 404.0, 500.0, 501.0, 502.0, 503.0, 504.0, 505.0)),
	)
}

func passiveChecks() field {
	return record("passive",
		checkType(),
		record("healthy", count("successes"), statuses(200.0, 201.0, 202.0, 203.0, 204.0, 205.0, 206.0, 207.0, 208.0,
			226.0, 300.0, 301.0, 302.0, 303.0, 304.0, 305.0, 306.0, 307.0, 308.0)),
		record("unhealthy", count("tcp_failures"), count("timeouts"), count("http_failures"), statuses(429.0, 500.0, 503.0)),
	)
}

// settleAlgorithm ties the algorithm to hash_on as Kong does: hashing on something is consistent hashing, and
// consistent hashing on nothing is round-robin.
func settleAlgorithm(values map[string]any) {
	if hash, ok := values["hash_on"].(string); ok && hash != "none" {
		values["algorithm"] = "consistent-hashing"
	} else if values["algorithm"] == "consistent-hashing" {
		values["algorithm"] = "round-robin"
	}
}

func inspectHashing(values map[string]any, _ bool, found violations) {
	fallbacks := map[string][]string{
		"none":     {"none"},
		"cookie":   {"none"},
		"consumer": {"none", "ip", "header", "cookie", "path", "query_arg", "uri_capture"},
		"ip":       {"none", "consumer", "header", "cookie", "path", "query_arg", "uri_capture"},
		"path":     {"none", "consumer", "ip", "header", "cookie", "query_arg", "uri_capture"},
	}
	hash, _ := values["hash_on"].(string)
	fallback, _ := values["hash_fallback"].(string)

	if allowed := fallbacks[hash]; allowed != nil && !slices.Contains(allowed, fallback) {
		found.conditional("hash_on", "hash_fallback", "expected one of: "+strings.Join(allowed, ", "))
	}
	requireHashed(values, found, "hash_on", hash)
	requireHashed(values, found, "hash_fallback", fallback)
}

// requireHashed asks for the field that names what is hashed. A cookie has one field for both uses.
func requireHashed(values map[string]any, found violations, use, hash string) {
	if !slices.Contains([]string{"header", "cookie", "query_arg", "uri_capture"}, hash) {
		return
	}

	name := use + "_" + hash
	if hash == "cookie" {
		name = "hash_on_cookie"
	}
	if values[name] == nil {
		found.conditional(use, name, "required field missing")
	}
}
