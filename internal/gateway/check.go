package gateway

import "fmt"

// Check tells what no engine can do of an upstream, because its wishes contradict each other.
func (u Upstream) Check() []Unsupported {
	var found []Unsupported

	refuse := func(wrong bool, attribute, reason string) {
		if wrong {
			found = append(found, Unsupported{attribute, reason})
		}
	}

	hashes, named := u.Balance.Algorithm == ConsistentHashing, u.Balance.HashOn == ByHeader || u.Balance.HashOn == ByCookie

	refuse(hashes && u.Balance.HashOn == "", "balance.hash_on", `Consistent hashing needs to know by what. Set hash_on to "header", "cookie", "address" or "path".`)
	refuse(!hashes && u.Balance.HashOn != "", "balance.hash_on", fmt.Sprintf(`It is for the algorithm %q only. Leave it out, or choose that.`, ConsistentHashing))
	refuse(named && u.Balance.HashName == "", "balance.hash_name", fmt.Sprintf("Hashing by a %s needs its name.", u.Balance.HashOn))
	refuse(!named && u.Balance.HashName != "", "balance.hash_name", `It is the name of the header or cookie that is hashed. Leave it out, or set hash_on to "header" or "cookie".`)

	encrypted := u.Protocol == HTTPS || u.Protocol == TLS
	refuse(!encrypted && u.TLS != (TLSClient{}), "tls", fmt.Sprintf("The protocol %q is not encrypted. Leave it out, or set protocol to %q or %q.", u.Protocol, HTTPS, TLS))
	refuse(u.TLS.SkipVerify && u.TLS.CA != "", "tls.ca", "With verify = false nothing is verified against it. Leave out one of the two.")

	if check := u.Health; check != nil {
		refuse(check.Timeout > check.Interval, "health_check.timeout", fmt.Sprintf("It is longer than the interval of %s. Make it shorter.", check.Interval))
	}

	if u.Stream() {
		refuse(u.Balance.HashOn == ByHeader || u.Balance.HashOn == ByCookie || u.Balance.HashOn == ByPath, "balance.hash_on",
			fmt.Sprintf("Connections (protocol %q) have no headers, cookies and paths. Hash by %q.", u.Protocol, ByAddress))
	}

	return found
}

// Check tells what no engine can do of a route, because its wishes contradict each other.
func (r Route) Check() []Unsupported {
	var found []Unsupported

	refuse := func(wrong bool, attribute, reason string) {
		if wrong {
			found = append(found, Unsupported{attribute, reason})
		}
	}

	refuse(r.RedirectHTTPS && r.Protocol != HTTPS, "redirect_https", fmt.Sprintf("It is for routes whose protocol is %q. Set that, or leave it out.", HTTPS))
	refuse(r.StripPath && len(r.ExactPaths)+len(r.PathPatterns) > 0, "strip_path", "It removes prefixes, and exact_paths and path_patterns are none. Make a route of its own for them.")
	refuse(r.StripPath && len(r.Paths) == 0, "strip_path", "There are no paths that could be removed. Leave it out, or set paths.")

	if !r.Stream() {
		refuse(len(r.Ports) > 0, "ports", fmt.Sprintf("Requests are told by their hosts and paths. Leave it out, or set protocol to %q or %q.", TCP, TLS))

		return found
	}

	for attribute, given := range map[string]bool{
		"hosts": len(r.Hosts) > 0, "paths": len(r.Paths) > 0, "exact_paths": len(r.ExactPaths) > 0, "path_patterns": len(r.PathPatterns) > 0,
		"methods": len(r.Methods) > 0, "headers": len(r.Headers) > 0,
	} {
		refuse(given, attribute, fmt.Sprintf("Connections (protocol %q) have none. Use snis or ports.", r.Protocol))
	}

	refuse(len(r.SNIs)+len(r.Ports) == 0, "snis", "Something must tell the connections of this route from others. Set snis or ports.")
	refuse(r.Protocol == TCP && len(r.SNIs) > 0, "snis", fmt.Sprintf("Connections without TLS name no server. Set protocol to %q or %q, or use ports.", TLS, TLSPassthrough))

	return found
}
