package traefik

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

const (
	catalogSuffix = "@consulcatalog" // how Traefik names a service that its Consul Catalog provider found

	// retryInterval is the first pause between attempts; Traefik lets the pauses grow to twice as much.
	retryInterval = "100ms"
)

// retryName names the middleware that every route to the upstream passes through.
func retryName(upstream string) string { return upstream + retryPart }

// A spare stands in for an upstream as long as Traefik has no use for the upstream itself: a weighted service with a
// member that has no healthy instance is an error for Traefik, and so is every router to it, which then answers 404 for
// all members. Each spare therefore has one member only.
const (
	spares    = 2
	spareMark = partMark + "spare"
)

func spareName(name string, number int) string { return name + spareMark + strconv.Itoa(number) }

// strategies are Traefik's words for algorithms over targets.
var strategies = map[string]string{
	gateway.RoundRobin:        "wrr",
	gateway.LeastConnections:  "p2c",
	gateway.ConsistentHashing: "hrw", // by address; by cookie it is round robin with a cookie
	gateway.Latency:           "leasttime",
}

// encrypted reports whether the members are spoken to by TLS.
func encrypted(upstream gateway.Upstream) bool {
	return upstream.Protocol == gateway.HTTPS || upstream.Protocol == gateway.TLS
}

// renderUpstream writes an upstream as keys: a weighted service over services of the catalog, or a load balancer over
// servers, and in both cases a retry middleware and spares. Members are numbered in the order of their names.
func renderUpstream(upstream gateway.Upstream) map[string]string {
	keys := map[string]string{}

	if upstream.Stream() {
		renderStream(upstream, keys)

		return withOwner(keys, upstreamKind, upstream.Record)
	}

	retries := upstream.Retries
	if retries == gateway.Unsaid {
		retries = gateway.DefaultRetries
	}

	add(keys, "http/middlewares/"+retryName(upstream.Name)+"/retry/", map[string]string{
		"attempts":        strconv.Itoa(retries + 1),
		"initialInterval": retryInterval,
	})

	if len(upstream.Services) > 0 {
		renderServices(upstream, keys)
	} else {
		renderTargets(upstream, keys)
	}

	for position, member := range standIns(upstream) {
		keys["http/services/"+spareName(upstream.Name, position+1)+"/weighted/services/0/name"] = member
	}

	return withOwner(keys, upstreamKind, upstream.Record)
}

// renderServices writes a service over services of the catalog. By address, or with a cookie, a client stays with one of
// the services, not with one instance.
func renderServices(upstream gateway.Upstream, keys map[string]string) {
	folder := "http/services/" + upstream.Name + "/weighted/"
	if upstream.Balance.HashOn == gateway.ByAddress {
		folder = "http/services/" + upstream.Name + "/highestRandomWeight/"
	}

	for number, name := range slices.Sorted(maps.Keys(upstream.Services)) {
		member := fmt.Sprintf("%sservices/%d/", folder, number)
		keys[member+"name"] = name + catalogSuffix
		keys[member+"weight"] = strconv.Itoa(upstream.Services[name].Weight)
	}

	if upstream.Balance.HashOn == gateway.ByCookie {
		keys[folder+"sticky/cookie/name"] = upstream.Balance.HashName
	}
}

// renderTargets writes a load balancer over servers, and how they are connected to.
func renderTargets(upstream gateway.Upstream, keys map[string]string) {
	folder := "http/services/" + upstream.Name + "/loadBalancer/"

	for number, address := range slices.Sorted(maps.Keys(upstream.Targets)) {
		server := fmt.Sprintf("%sservers/%d/", folder, number)
		keys[server+"url"] = upstream.Protocol + "://" + address
		keys[server+"weight"] = strconv.Itoa(upstream.Targets[address].Weight)
	}

	keys[folder+"serversTransport"] = upstream.Name
	keys[folder+"strategy"] = strategies[upstream.Balance.Algorithm]

	if upstream.Balance.HashOn == gateway.ByCookie {
		keys[folder+"strategy"] = strategies[gateway.RoundRobin]
		keys[folder+"sticky/cookie/name"] = upstream.Balance.HashName
	}

	if check := upstream.Health; check != nil {
		add(keys, folder+"healthCheck/", map[string]string{
			"path":            check.Path,
			"status":          strconv.Itoa(check.Status),
			"interval":        check.Interval.String(),
			"timeout":         check.Timeout.String(),
			"followRedirects": "false",
		})
	}

	if passive := upstream.Passive; passive != nil {
		add(keys, folder+"passiveHealthCheck/", map[string]string{
			"maxFailedAttempts": strconv.Itoa(passive.Failures),
			"failureWindow":     cmp.Or(passive.Window, gateway.DefaultWindow).String(),
		})
	}

	transport := "http/serversTransports/" + upstream.Name + "/"
	add(keys, transport+"forwardingTimeouts/", map[string]string{
		"dialTimeout":           cmp.Or(upstream.Timeouts.Connect, gateway.DefaultConnectTimeout).String(),
		"responseHeaderTimeout": cmp.Or(upstream.Timeouts.Read, gateway.DefaultReadTimeout).String(),
	})

	if encrypted(upstream) {
		addTLS(keys, transport, upstream.TLS)
	}
}

// addTLS writes how members are recognised. Without a word Traefik verifies their certificates by the system's roots.
func addTLS(keys map[string]string, folder string, settings gateway.TLSClient) {
	add(keys, folder, map[string]string{"serverName": settings.ServerName, "rootCAs/0": settings.CA})

	if settings.SkipVerify {
		keys[folder+"insecureSkipVerify"] = "true"
	}
}

// standIns names the only member of each spare: the heaviest service and the second heaviest, or what comes closest.
func standIns(upstream gateway.Upstream) [spares]string {
	var members []string

	byWeight := slices.SortedFunc(maps.Keys(upstream.Services), func(a, b string) int {
		return cmp.Or(cmp.Compare(upstream.Services[b].Weight, upstream.Services[a].Weight), cmp.Compare(a, b))
	})
	for _, name := range byWeight {
		if upstream.Services[name].Weight > 0 {
			members = append(members, name+catalogSuffix)
		}
	}

	if len(members) == 0 {
		members = []string{upstream.Name} // nothing can go missing, or nobody is to receive anything
	}

	var chosen [spares]string
	for position := range chosen {
		chosen[position] = members[min(position, len(members)-1)]
	}

	return chosen
}

// renderStream writes an upstream for connections. Traefik's servers have no weights there.
func renderStream(upstream gateway.Upstream, keys map[string]string) {
	folder := "tcp/services/" + upstream.Name + "/loadBalancer/"

	for number, address := range slices.Sorted(maps.Keys(upstream.Targets)) {
		server := fmt.Sprintf("%sservers/%d/", folder, number)
		keys[server+"address"] = address

		if encrypted(upstream) {
			keys[server+"tls"] = "true"
		}
	}

	keys[folder+"serversTransport"] = upstream.Name

	if check := upstream.Health; check != nil {
		add(keys, folder+"healthCheck/", map[string]string{"interval": check.Interval.String(), "timeout": check.Timeout.String()})
	}

	transport := "tcp/serversTransports/" + upstream.Name + "/"
	keys[transport+"dialTimeout"] = cmp.Or(upstream.Timeouts.Connect, gateway.DefaultConnectTimeout).String()

	if encrypted(upstream) {
		addTLS(keys, transport+"tls/", upstream.TLS)
	}
}
