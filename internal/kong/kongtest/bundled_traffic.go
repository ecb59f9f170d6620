package kongtest

func redis() field {
	return record("redis",
		text("host", host), integer("port", 6379.0, 0, 65535), integer("timeout", 2000.0, 0, 1<<31-2),
		text("username"), text("password").empty().hidden(), field{name: "database", kind: integerKind, initial: 0.0},
		boolean("ssl", false), boolean("ssl_verify", false), text("server_name", host),
	)
}

// redisWords are the names that the fields of the record had before there was one.
func redisWords() []shorthand {
	var words []shorthand
	for _, name := range []string{"host", "port", "timeout", "username", "password", "database", "ssl", "ssl_verify", "server_name"} {
		words = append(words, shorthand{name: "redis_" + name, to: []string{"redis", name}, shown: true})
	}

	return words
}

func redisRules(values map[string]any, found violations) {
	for _, name := range []string{"host", "port", "timeout"} {
		needs(values, found, "policy", "redis", "redis", name)
	}
}

func rateLimitPlugin() plugin {
	return plugin{
		short: redisWords(),
		config: append(limits(),
			text("limit_by", oneOf("consumer", "credential", "ip", "service", "header", "path")).or("consumer"),
			header("header_name"), text("path", path),
			text("policy", oneOf("local", "cluster", "redis")).or("local").empty(),
			boolean("fault_tolerant", true).must(), redis(), boolean("hide_client_headers", false).must(),
			number("error_code", 429.0, positive()), text("error_message").or("API rate limit exceeded"), number("sync_rate", -1.0).must(),
		),
		judge: on(notAbove),
		rules: func(values map[string]any, updating bool, found violations) {
			oneNeeded(periods...)(values, updating, found)
			redisRules(values, found)
			conditionalField(values, found, "limit_by", "header", "header_name")
			conditionalField(values, found, "limit_by", "path", "path")
		},
	}
}

// conditionalField asks for one field of the configuration when another one has a value.
func conditionalField(values map[string]any, found violations, given string, value any, name string) {
	if dig(values, "config."+given) != value || dig(values, "config."+name) != nil {
		return
	}

	config, _ := found["config"].(map[string]any)
	if config == nil {
		config = map[string]any{}
		found["config"] = config
	}
	if config[given] == nil && config[name] == nil {
		found.entity("failed conditional validation given value of field 'config." + given + "'")
		config[name] = "required field missing"
	}
}

func responseLimitPlugin() plugin {
	limit := record("", limits()...)
	limit.checks = []check{on(func(limits map[string]any) string {
		for _, period := range periods {
			if limits[period] != nil {
				return notAbove(limits)
			}
		}

		return "at least one of these fields must be non-empty: " + quoted(periods)
	})}

	return plugin{
		short: redisWords(),
		config: []field{
			header("header_name").or("x-kong-limit"), text("limit_by", oneOf("consumer", "credential", "ip")).or("consumer"),
			text("policy", oneOf("local", "cluster", "redis")).or("local"), boolean("fault_tolerant", true).must(), redis(),
			boolean("block_on_first_violation", false).must(), boolean("hide_client_headers", false).must(),
			{name: "limits", kind: mapKind, required: true, element: &limit, checks: []check{on(func(limits map[string]any) string {
				if len(limits) == 0 {
					return "length must be at least 1"
				}

				return ""
			})}},
		},
		rules: func(values map[string]any, _ bool, found violations) { redisRules(values, found) },
	}
}

// queue is how plugins hold what they send.
func queue() field {
	return record("queue",
		integer("max_batch_size", 1.0, 1, 1_000_000), number("max_coalescing_delay", 1.0, between(0, 3600)),
		integer("max_entries", 10000.0, 1, 1_000_000), field{name: "max_bytes", kind: integerKind},
		number("max_retry_time", 60.0), number("initial_retry_delay", 0.01, fraction(0.001, 1_000_000)),
		number("max_retry_delay", 60.0, fraction(0.001, 1_000_000)),
		field{name: "concurrency_limit", kind: integerKind, initial: 1.0, checks: []check{on(func(number float64) string {
			if number != -1 && number != 1 {
				return "expected one of: -1, 1"
			}

			return ""
		})}},
	)
}

func fraction(low, high float64) check {
	return on(func(number float64) string {
		if number < low || number > high {
			return "value should be between 0.001 and 1000000"
		}

		return ""
	})
}

func httpLogPlugin() plugin {
	value := text("").must()
	value.secret = true

	return plugin{anyOf: allProtocols, config: []field{
		text("http_endpoint", endpoint).must().hidden(), text("method", oneOf("POST", "PUT", "PATCH")).or("POST"),
		text("content_type", oneOf("application/json", "application/json; charset=utf-8")).or("application/json"),
		number("timeout", 10000.0), number("keepalive", 60000.0),
		{name: "retry_count", kind: integerKind},
		{name: "queue_size", kind: integerKind},
		number("flush_timeout", nil),
		{name: "headers", kind: mapKind, element: &value, checks: []check{on(noHostHeader)}},
		queue(), luaFields(),
	}}
}

// endpoint judges a URL.
func endpoint(text string) string {
	input := map[string]any{"url": text}
	splitURL(input)
	if input["host"] == nil {
		return "missing host in url"
	}
	if protocol := input["protocol"]; protocol != "http" && protocol != "https" {
		return "missing host in url"
	}

	return ""
}

func tcpLogPlugin() plugin {
	return plugin{anyOf: allProtocols, config: []field{
		text("host", host).must(), integer("port", nil, 0, 65535).must(), number("timeout", 10000.0), number("keepalive", 60000.0),
		boolean("tls", false).must(), text("tls_sni"), luaFields(),
	}}
}

var severities = []string{"debug", "info", "notice", "warning", "err", "crit", "alert", "emerg"}

func severity(name string) field { return text(name, oneOf(severities...)).or("info") }

func syslogPlugin() plugin {
	facility := oneOf("auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user", "uucp",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7")

	return plugin{anyOf: allProtocols, config: []field{
		severity("log_level"), severity("successful_severity"), severity("client_errors_severity"), severity("server_errors_severity"),
		luaFields(), text("facility", facility).or("user"),
	}}
}

func logglyPlugin() plugin {
	tags := texts("tags", "kong")
	tags.kind = setKind

	return plugin{anyOf: allProtocols, config: []field{
		text("host", host).or("logs-01.loggly.com"), integer("port", 514.0, 0, 65535), text("key").must().hidden(), tags,
		severity("log_level"), severity("successful_severity"), severity("client_errors_severity"), severity("server_errors_severity"),
		number("timeout", 10000.0), luaFields(),
	}}
}
