package traefik

import (
	"fmt"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// refusals collects what Traefik cannot do.
type refusals []gateway.Unsupported

func (r *refusals) unless(possible bool, attribute, reason string) {
	if !possible {
		*r = append(*r, gateway.Unsupported{Attribute: attribute, Reason: reason})
	}
}

// CheckUpstream tells what Traefik cannot do of an upstream. It spreads the requests for a Consul service as the service's
// own tags say, since the catalog, not the key-value store, describes the service.
func (e *Engine) CheckUpstream(upstream gateway.Upstream) []gateway.Unsupported {
	var found refusals

	balance, services := upstream.Balance, len(upstream.Services) > 0

	found.unless(balance.HashOn != gateway.ByHeader && balance.HashOn != gateway.ByPath, "balance.hash_on",
		`Traefik hashes by "address" or "cookie" only.`)
	found.unless(upstream.Timeouts.Write == 0, "write_timeout", "Traefik has no limit for writes. Leave it out.")

	if check := upstream.Health; check != nil {
		const reason = "Traefik takes the first answer. Leave it out."

		found.unless(check.HealthyAfter <= 1, "health_check.healthy_after", reason)
		found.unless(check.UnhealthyAfter <= 1, "health_check.unhealthy_after", reason)
	}

	if balance.Algorithm == gateway.LeastConnections {
		found.unless(equalWeights(upstream.Targets), "targets",
			`Traefik's least connections (p2c) know no weights. Give all targets the same weight above 0, or use "round_robin" or "latency".`)
	}

	found.atOnce(renderUpstream(upstream), map[bool]string{true: "services", false: "targets"}[services], "Give it fewer members, or put a balancer in between")

	if services {
		found.ofServices(upstream)
	}

	if upstream.Stream() {
		found.ofStreams(upstream)
	}

	return found
}

// atOnce refuses what takes more keys than Consul changes in one transaction.
func (r *refusals) atOnce(keys map[string]string, attribute, instead string) {
	r.unless(len(keys) <= maxChanges, attribute, fmt.Sprintf("Traefik reads this from %d of Consul's keys, and %d can be written at once. %s.", len(keys), maxChanges, instead))
}

func (r *refusals) ofServices(upstream gateway.Upstream) {
	because := func(option string) string {
		return fmt.Sprintf("Traefik takes this of a Consul service from the service's tags. Add the tag "+
			`"traefik.http.services.<service>.loadbalancer.%s=..." to the service, or use targets.`, option)
	}

	algorithm := upstream.Balance.Algorithm
	r.unless(algorithm != gateway.LeastConnections && algorithm != gateway.Latency, "balance.algorithm", because("strategy"))
	r.unless(upstream.Health == nil, "health_check", "Consul checks its services by itself, and Traefik follows it. Give the service a check, or use targets.")
	r.unless(upstream.Passive == nil, "passive_health", because("passivehealthcheck.maxfailedattempts"))
	r.unless(upstream.Timeouts.Connect == 0, "connect_timeout", because("serverstransport"))
	r.unless(upstream.Timeouts.Read == 0, "read_timeout", because("serverstransport"))
	r.unless(upstream.TLS == (gateway.TLSClient{}), "tls", because("serverstransport"))
	r.unless(upstream.Protocol == gateway.HTTP || upstream.Protocol == "", "protocol", because("server.scheme"))
}

func (r *refusals) ofStreams(upstream gateway.Upstream) {
	const reason = "Traefik has this for requests only, not for connections. Leave it out."

	r.unless(upstream.Balance.Algorithm == gateway.RoundRobin || upstream.Balance.Algorithm == "", "balance.algorithm", reason)
	r.unless(upstream.Passive == nil, "passive_health", reason)
	r.unless(upstream.Timeouts.Read == 0, "read_timeout", reason)
	r.unless(upstream.Retries <= 0, "retries", reason)

	for _, member := range upstream.Targets {
		if member.Weight != gateway.DefaultWeight {
			r.unless(false, "targets", "Traefik gives all targets of connections equal shares. Leave their weights out.")

			break
		}
	}
}

func equalWeights(members map[string]gateway.Member) bool {
	first := -1

	for _, member := range members {
		if member.Weight == 0 || first >= 0 && member.Weight != first {
			return false
		}

		first = member.Weight
	}

	return true
}

// CheckRoute tells what Traefik cannot do of a route.
func (e *Engine) CheckRoute(route gateway.Route) []gateway.Unsupported {
	var found refusals

	found.unless(!route.RewriteHost, "preserve_host",
		"Traefik passes the Host header on for a whole upstream, not for one route. Leave it out.")

	if !route.Stream() {
		found.unless(len(route.SNIs) == 0, "snis", `Traefik looks at the server name of connections only (protocol "tls"). Use hosts.`)
		found.unless(len(route.Ports) == 0, "ports", "Traefik has entry points instead; name them in gateway.traefik.entry_points of the provider block.")
	}

	found.atOnce(renderRoute(route, routing{entryPoints: e.entryPoints, ports: e.ports}), "paths",
		"Paths of the same length share what is written: divide the others between several routes to the same upstream")

	for _, path := range route.Paths {
		if route.StripPath && strings.Contains(path, ",") {
			found.unless(false, "paths", fmt.Sprintf("Traefik cannot strip a path with a comma, such as %q.", path))
		}
	}

	if route.Stream() {
		for _, port := range route.Ports {
			if _, known := e.ports[port]; !known {
				found.unless(false, "ports", fmt.Sprintf("Traefik listens on entry points. Name the one for this port in the provider block: "+
					"gateway = { traefik = { ports = { %d = \"<entry point>\" } } }.", port))
			}
		}

		found.unless(route.Protocol != gateway.TCP || len(route.Ports) > 0, "ports", "A TCP connection says nothing about where it wants to go, so the port must. Set ports.")
		found.unless(route.Protocol != gateway.TCP || len(route.SNIs) == 0, "snis", `Connections without TLS name no server. Use protocol "tls" or "tls_passthrough".`)
		found.unless(!slices.Contains(route.SNIs, ""), "snis", "A server name is not empty.")
	}

	return found
}
