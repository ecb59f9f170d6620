package kongtest

func keyPlugin() plugin {
	names := texts("key_names", "apikey").must()
	element := header("").must()
	names.element = &element

	return plugin{lonely: true, config: []field{
		names, boolean("hide_credentials", false).must(), anonymous(),
		boolean("key_in_header", true).must(), boolean("key_in_query", true).must(), boolean("key_in_body", false).must(),
		boolean("run_on_preflight", true).must(), text("realm"),
	}}
}

func hmacPlugin() plugin {
	all := []string{"hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"}
	algorithms := texts("algorithms", all...)
	element := text("", oneOf(all...)).must()
	algorithms.element = &element

	return plugin{lonely: true, config: []field{
		boolean("hide_credentials", false).must(), number("clock_skew", 300.0, positive()), anonymous(),
		boolean("validate_request_body", false).must(), texts("enforce_headers"), algorithms, text("realm"),
	}}
}

func jwtPlugin() plugin {
	claims := list("claims_to_verify", setKind, oneOf("exp", "nbf"))
	set := func(name string, initial ...string) field {
		f := texts(name, initial...)
		f.kind = setKind

		return f
	}

	return plugin{
		lonely: true,
		config: []field{
			set("uri_param_names", "jwt"), set("cookie_names"), text("key_claim_name").or("iss"),
			boolean("secret_is_base64", false).must(), claims, anonymous(), boolean("run_on_preflight", true).must(),
			number("maximum_expiration", 0.0, between(0, 31536000)), set("header_names", "authorization"), text("realm"),
		},
		rules: func(values map[string]any, _ bool, found violations) {
			if longest, _ := dig(values, "config.maximum_expiration").(float64); longest > 0 && !has(dig(values, "config.claims_to_verify"), "exp") {
				found.entity("failed conditional validation given value of field 'config.maximum_expiration'")
				found["config"] = map[string]any{"claims_to_verify": "must contain 'exp' when maximum_expiration is specified"}
			}
		},
	}
}

func has(list any, text string) bool {
	values, _ := list.([]any)
	for _, value := range values {
		if value == text {
			return true
		}
	}

	return false
}

func ldapPlugin() plugin {
	return plugin{lonely: true, config: []field{
		text("ldap_host", host).must(), integer("ldap_port", 389.0, 0, 65535).must(), boolean("ldaps", false).must(),
		boolean("start_tls", false).must(), boolean("verify_ldap_host", false).must(), text("base_dn").must(), text("attribute").must(),
		number("cache_ttl", 60.0).must(), boolean("hide_credentials", false).must(), number("timeout", 10000.0), number("keepalive", 60000.0),
		anonymous(), text("header_type").or("ldap"), text("realm"),
	}}
}

func oauth2Plugin() plugin {
	grants := []string{"enable_authorization_code", "enable_implicit_grant", "enable_client_credentials", "enable_password_grant"}
	config := []field{
		named("scopes"), boolean("mandatory_scope", false).must(), text("provision_key").must().random().hidden(),
		number("token_expiration", 7200.0).must(), boolean("hide_credentials", false).must(),
		boolean("accept_http_if_already_terminated", false).must(), anonymous(), boolean("global_credentials", false).must(),
		text("auth_header_name").or("authorization"), number("refresh_token_ttl", 1209600.0, between(0, 100_000_000)).must(),
		boolean("reuse_refresh_token", false).must(), boolean("persistent_refresh_token", false).must(),
		text("pkce", oneOf("none", "lax", "strict")).or("lax"), text("realm"),
	}
	for _, grant := range grants {
		config = append(config, boolean(grant, false).must())
	}

	return plugin{lonely: true, config: config, judge: on(func(config map[string]any) string {
		for _, grant := range grants {
			if config[grant] == true {
				return ""
			}
		}

		return "at least one of these fields must be true: enable_authorization_code, enable_implicit_grant, enable_client_credentials, enable_password_grant"
	})}
}

func sessionPlugin() plugin {
	methods := texts("logout_methods", "POST", "DELETE")
	element := text("", oneOf("GET", "POST", "DELETE")).must()
	methods.kind, methods.element = setKind, &element

	headers := func(name string) field {
		return list(name, setKind, oneOf("id", "audience", "subject", "timeout", "idling-timeout", "rolling-timeout", "absolute-timeout"))
	}

	return plugin{
		anyOf: allProtocols,
		config: []field{
			text("secret").random().hidden(), text("storage", oneOf("cookie", "kong")).or("cookie"), text("audience").or("default"),
			number("idling_timeout", 900.0), number("rolling_timeout", 3600.0), number("absolute_timeout", 86400.0), number("stale_ttl", 10.0),
			text("cookie_name").or("session"), text("cookie_path").or("/"), text("cookie_domain"),
			text("cookie_same_site", oneOf("Strict", "Lax", "None", "Default")).or("Strict"),
			boolean("cookie_http_only", true), boolean("cookie_secure", true),
			boolean("remember", false), text("remember_cookie_name").or("remember"),
			number("remember_rolling_timeout", 604800.0), number("remember_absolute_timeout", 2592000.0),
			headers("response_headers"), headers("request_headers"), boolean("read_body_for_logout", false),
			text("logout_query_arg").or("session_logout"), text("logout_post_arg").or("session_logout"), methods,
		},
		short: []shorthand{
			{name: "cookie_lifetime", to: []string{"rolling_timeout"}},
			{name: "cookie_idletime", to: []string{"idling_timeout"}},
			{name: "cookie_samesite", to: []string{"cookie_same_site"}},
			{name: "cookie_httponly", to: []string{"cookie_http_only"}},
			{name: "cookie_discard", to: []string{"stale_ttl"}},
			{name: "cookie_persistent", to: []string{"remember"}},
		},
	}
}
