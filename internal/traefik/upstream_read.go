package traefik

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

var (
	serviceMember = regexp.MustCompile(`^(?:weighted|highestrandomweight)/services/([0-9]+)/name$`)
	serverMember  = regexp.MustCompile(`^loadbalancer/servers/([0-9]+)/(?:url|address)$`)
)

// parseUpstream reads an upstream from the keys that it consists of. Their paths are in lower case.
func parseUpstream(name string, keys map[string]string) (gateway.Upstream, error) {
	upstream := gateway.Upstream{
		Record:   recordOf(keys, upstreamKind, name),
		Protocol: gateway.HTTP,
		Balance:  gateway.Balance{Algorithm: gateway.RoundRobin},
		Retries:  gateway.Unsaid,
	}

	p := &reader{keys: keys}

	if len(below(keys, "http/services/"+name+"/")) == 0 {
		if len(below(keys, "tcp/services/"+name+"/")) == 0 {
			return gateway.Upstream{}, gateway.ErrNotFound
		}

		upstream.Protocol = gateway.TCP
	}

	folder := "http/services/" + name + "/"
	if upstream.Protocol == gateway.TCP {
		folder = "tcp/services/" + name + "/"
	}

	upstream.Services = p.members(folder, serviceMember, catalogService)
	upstream.Targets = p.members(folder, serverMember, func(value string) (string, error) { return target(&upstream, value) })

	if attempts := p.number("http/middlewares/" + name + retryPart + "/retry/attempts"); attempts > 0 {
		upstream.Retries = attempts - 1
	}

	balancer := "http/services/" + name + "/loadbalancer/"
	transport := "http/serverstransports/" + name + "/"

	p.balance(&upstream, "http/services/"+name+"/")
	upstream.Health = p.health(balancer + "healthcheck/")
	upstream.Passive = p.passive(balancer + "passivehealthcheck/")
	upstream.Timeouts = gateway.Timeouts{
		Connect: p.duration(transport + "forwardingtimeouts/dialtimeout"),
		Read:    p.duration(transport + "forwardingtimeouts/responseheadertimeout"),
	}

	if upstream.Protocol == gateway.TCP {
		transport = p.stream(&upstream)
	}

	upstream.TLS = p.tls(transport)

	switch {
	case p.failure != nil:
		return gateway.Upstream{}, p.failure
	case len(upstream.Services) == 0 && len(upstream.Targets) == 0:
		return gateway.Upstream{}, fmt.Errorf("Traefik's service %q is neither a weighted service nor a load balancer over servers", name)
	}

	upstream.Altered = !upstream.Foreign && isAltered(keys, renderUpstream(upstream))

	return upstream, nil
}

// stream reads what is different of an upstream for connections, and returns the folder of its TLS settings.
func (p *reader) stream(upstream *gateway.Upstream) (tls string) {
	balancer, transport := "tcp/services/"+upstream.Name+"/loadbalancer/", "tcp/serverstransports/"+upstream.Name+"/"

	if p.keys[balancer+"servers/0/tls"] == "true" {
		upstream.Protocol = gateway.TLS
	}

	upstream.Health = p.health(balancer + "healthcheck/")
	upstream.Timeouts.Connect = p.duration(transport + "dialtimeout")

	return transport + "tls/"
}

// target reads a server's address. The protocol of an upstream's servers is that of the first one read.
func target(upstream *gateway.Upstream, value string) (string, error) {
	for _, scheme := range []string{gateway.HTTP, gateway.HTTPS} {
		if address, found := strings.CutPrefix(value, scheme+"://"); found {
			upstream.Protocol = scheme

			return strings.TrimSuffix(address, "/"), nil
		}
	}

	if strings.Contains(value, "://") {
		return "", fmt.Errorf("the server %q is reached by neither HTTP nor HTTPS", value)
	}

	return value, nil
}

func catalogService(value string) (string, error) {
	name, found := strings.CutSuffix(value, catalogSuffix)
	if !found {
		return "", fmt.Errorf("the member %q is not a service of Consul's catalog", value)
	}

	return name, nil
}

// reader reads values and keeps the first failure.
type reader struct {
	keys    map[string]string
	failure error
}

func (p *reader) fail(err error) {
	if p.failure == nil {
		p.failure = err
	}
}

// number reads a key as a number, 0 if there is none.
func (p *reader) number(path string) int {
	text, found := p.keys[path]
	if !found {
		return 0
	}

	number, err := strconv.Atoi(text)
	if err != nil {
		p.fail(fmt.Errorf("read the key %q as a number: it is %q", path, text))
	}

	return number
}

// duration reads a key as Traefik does: a bare number counts seconds.
func (p *reader) duration(path string) time.Duration {
	text, found := p.keys[path]
	if !found {
		return 0
	}

	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(seconds) * time.Second
	}

	duration, err := time.ParseDuration(text)
	if err != nil {
		p.fail(fmt.Errorf("read the key %q as a duration: it is %q", path, text))
	}

	return duration
}

// members collects the numbered members of a service whose naming key the pattern finds.
func (p *reader) members(folder string, pattern *regexp.Regexp, named func(string) (string, error)) map[string]gateway.Member {
	var found map[string]gateway.Member

	service := below(p.keys, folder)

	for _, path := range slices.Sorted(maps.Keys(service)) {
		if !pattern.MatchString(path) {
			continue
		}

		name, err := named(service[path])
		if err != nil {
			p.fail(err)
		}

		member := gateway.Member{Weight: 1} // Traefik's default

		weight := folder + path[:strings.LastIndex(path, "/")] + "/weight"
		if _, given := p.keys[weight]; given {
			member.Weight = p.number(weight)
		}

		if strings.HasSuffix(path, "/address") {
			member.Weight = gateway.DefaultWeight // all are equal
		}

		if found == nil {
			found = map[string]gateway.Member{}
		}

		found[name] = member
	}

	return found
}

// balance reads how an HTTP service spreads requests.
func (p *reader) balance(upstream *gateway.Upstream, folder string) {
	for algorithm, strategy := range strategies {
		if p.keys[folder+"loadbalancer/strategy"] == strategy {
			upstream.Balance.Algorithm = algorithm
		}
	}

	for _, kind := range []string{"loadbalancer", "weighted"} {
		if cookie := p.keys[folder+kind+"/sticky/cookie/name"]; cookie != "" {
			upstream.Balance = gateway.Balance{Algorithm: gateway.ConsistentHashing, HashOn: gateway.ByCookie, HashName: cookie}

			return
		}
	}

	if upstream.Balance.Algorithm == gateway.ConsistentHashing || len(below(p.keys, folder+"highestrandomweight/")) > 0 {
		upstream.Balance = gateway.Balance{Algorithm: gateway.ConsistentHashing, HashOn: gateway.ByAddress}
	}
}

func (p *reader) health(folder string) *gateway.HealthCheck {
	if len(below(p.keys, folder)) == 0 {
		return nil
	}

	return &gateway.HealthCheck{
		Path:           p.keys[folder+"path"],
		Status:         p.number(folder + "status"),
		Interval:       p.duration(folder + "interval"),
		Timeout:        p.duration(folder + "timeout"),
		HealthyAfter:   1,
		UnhealthyAfter: 1,
	}
}

func (p *reader) passive(folder string) *gateway.PassiveHealth {
	if len(below(p.keys, folder)) == 0 {
		return nil
	}

	return &gateway.PassiveHealth{Failures: p.number(folder + "maxfailedattempts"), Window: p.duration(folder + "failurewindow")}
}

func (p *reader) tls(folder string) gateway.TLSClient {
	return gateway.TLSClient{
		SkipVerify: p.keys[folder+"insecureskipverify"] == "true",
		ServerName: p.keys[folder+"servername"],
		CA:         p.keys[folder+"rootcas/0"],
	}
}
