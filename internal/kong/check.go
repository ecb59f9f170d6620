package kong

import (
	"fmt"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// CheckUpstream tells what Kong cannot do of an upstream.
func (e *Engine) CheckUpstream(upstream gateway.Upstream) []gateway.Unsupported {
	var found []gateway.Unsupported

	refuse := func(attribute, reason string) {
		found = append(found, gateway.Unsupported{Attribute: attribute, Reason: reason})
	}

	for target := range upstream.Targets {
		if service, ok := strings.CutSuffix(target, consulTarget); ok {
			refuse("targets", fmt.Sprintf("The target %q cannot be told from the Consul service %q in Kong. Name it in services instead.", target, service))
		}
	}

	if passive := upstream.Passive; passive != nil {
		if passive.Window != 0 {
			refuse("passive_health.window", "Kong counts failures without a window. Leave it out.")
		}
		if upstream.Health == nil {
			refuse("passive_health", "Kong takes a member back that failed only when an active check finds it healthy. Add health_check.")
		}
	}

	if upstream.TLS.ServerName != "" {
		refuse("tls.server_name", "Kong asks for the name that the Host header says. Leave it out.")
	}
	if authorities, err := gateway.ParseAuthorities(upstream.TLS.CA); upstream.TLS.CA != "" && err == nil {
		for _, authority := range authorities {
			if !authority.Parsed.IsCA {
				refuse("tls.ca", fmt.Sprintf("Kong takes certificates of authorities only, and that of %q is none (basic constraint CA). "+
					"Give the certificate of its issuer.", authority.Parsed.Subject))
			}
		}
	}

	return found
}

// CheckRoute tells what Kong cannot do of a route.
func (e *Engine) CheckRoute(route gateway.Route) []gateway.Unsupported {
	var found []gateway.Unsupported

	refuse := func(attribute, reason string) {
		found = append(found, gateway.Unsupported{Attribute: attribute, Reason: reason})
	}

	if route.Priority != 0 {
		refuse("priority", "Kong orders routes by their conditions before it looks at any number of theirs: regex_priority is for patterns "+
			"of routes that are otherwise alike, where the longer one wins as everywhere, and priority for routes that are written as expressions. "+
			"Leave it out, and make the route that is to win more specific.")
	}
	if len(route.Ports) > 0 && route.Protocol == gateway.TLSPassthrough {
		refuse("ports", "Kong tells connections that it passes on unread by their server names alone. Leave it out.")
	}
	if len(route.SNIs) > 0 && route.Protocol == gateway.HTTP {
		refuse("snis", fmt.Sprintf("Requests without TLS name no server. Set protocol to %q.", gateway.HTTPS))
	}

	return found
}
