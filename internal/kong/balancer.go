package kong

import (
	"reflect"
	"slices"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/kong/go-kong/kong"
)

// balancer is Kong's upstream, as far as it matters here. The library's type has whole seconds where Kong takes parts.
type balancer struct {
	ID   *string   `json:"id"`
	Name *string   `json:"name"`
	Tags []*string `json:"tags"`

	Algorithm    string       `json:"algorithm"`
	HashOn       string       `json:"hash_on"`
	HashOnHeader *string      `json:"hash_on_header"`
	HashOnCookie *string      `json:"hash_on_cookie"`
	Healthchecks healthchecks `json:"healthchecks"`
}

type healthchecks struct {
	Active  activeChecks  `json:"active"`
	Passive passiveChecks `json:"passive"`
}

type activeChecks struct {
	Type        string         `json:"type"`
	Timeout     float64        `json:"timeout"` // seconds
	Path        string         `json:"http_path"`
	VerifyHTTPS bool           `json:"https_verify_certificate"`
	Healthy     healthyState   `json:"healthy"`
	Unhealthy   unhealthyState `json:"unhealthy"`
}

type passiveChecks struct {
	Type      string         `json:"type"`
	Healthy   healthyState   `json:"healthy"`
	Unhealthy unhealthyState `json:"unhealthy"`
}

type healthyState struct {
	Interval  float64 `json:"interval,omitempty"` // seconds, 0 for no checks; passive checks have none
	Successes int     `json:"successes"`
	Statuses  []int   `json:"http_statuses"`
}

type unhealthyState struct {
	Interval     float64 `json:"interval,omitempty"`
	TCPFailures  int     `json:"tcp_failures"`
	Timeouts     int     `json:"timeouts"`
	HTTPFailures int     `json:"http_failures"`
	Statuses     []int   `json:"http_statuses"`
}

// algorithms are Kong's words.
var algorithms = map[string]string{
	gateway.RoundRobin:        "round-robin",
	gateway.LeastConnections:  "least-connections",
	gateway.ConsistentHashing: "consistent-hashing",
	gateway.Latency:           "latency",
}

var hashedBy = map[string]string{
	"":                "none",
	gateway.ByHeader:  "header",
	gateway.ByCookie:  "cookie",
	gateway.ByAddress: "ip",
	gateway.ByPath:    "path",
}

// renderBalancer is what a put says of Kong's upstream. Kong reads a missing field of a change as "as before", so that
// what shall be off is written, too.
func renderBalancer(upstream gateway.Upstream, tags []*string) map[string]any {
	body := map[string]any{
		"name":           upstream.Name,
		"tags":           tags,
		"algorithm":      algorithms[upstream.Balance.Algorithm],
		"hash_on":        hashedBy[upstream.Balance.HashOn],
		"hash_on_header": nil,
		"hash_on_cookie": nil,
		"hash_fallback":  "none",
		"healthchecks":   map[string]any{"active": noActiveChecks(), "passive": noPassiveChecks()},
	}

	switch upstream.Balance.HashOn {
	case gateway.ByHeader:
		body["hash_on_header"] = upstream.Balance.HashName
	case gateway.ByCookie:
		body["hash_on_cookie"] = upstream.Balance.HashName
	}

	checks := renderChecks(upstream)
	if upstream.Health != nil {
		body["healthchecks"].(map[string]any)["active"] = checks.Active //nolint:forcetypeassert // it was made so above
	}
	if upstream.Passive != nil {
		body["healthchecks"].(map[string]any)["passive"] = checks.Passive //nolint:forcetypeassert // it was made so above
	}

	return body
}

// noActiveChecks turns checks off. Statuses and the like stay: they mean nothing then.
func noActiveChecks() map[string]any {
	return map[string]any{
		"healthy":   map[string]any{"interval": 0, "successes": 0},
		"unhealthy": map[string]any{"interval": 0, "tcp_failures": 0, "timeouts": 0, "http_failures": 0},
	}
}

func noPassiveChecks() map[string]any {
	return map[string]any{
		"healthy":   map[string]any{"successes": 0},
		"unhealthy": map[string]any{"tcp_failures": 0, "timeouts": 0, "http_failures": 0},
	}
}

// renderChecks are the health checks that an upstream asks for. Kong takes an answer in neither list of statuses for
// nothing at all, so the lists leave none out. Its checks know the authorities of its own configuration only, so with
// others they verify nothing; requests do.
func renderChecks(upstream gateway.Upstream) (checks healthchecks) {
	if check := upstream.Health; check != nil {
		var unhealthy []int
		for status := 200; status < 600; status++ {
			if status != check.Status {
				unhealthy = append(unhealthy, status)
			}
		}

		interval := check.Interval.Seconds()
		failures := max(check.UnhealthyAfter, 1)
		checks.Active = activeChecks{
			Type: upstream.Protocol, Timeout: check.Timeout.Seconds(), Path: check.Path, VerifyHTTPS: !upstream.TLS.SkipVerify && upstream.TLS.CA == "",
			Healthy:   healthyState{Interval: interval, Successes: max(check.HealthyAfter, 1), Statuses: []int{check.Status}},
			Unhealthy: unhealthyState{Interval: interval, TCPFailures: failures, Timeouts: failures, HTTPFailures: failures, Statuses: unhealthy},
		}
		if upstream.Stream() {
			checks.Active.Type, checks.Active.Path = gateway.TCP, "/"
			checks.Active.Healthy.Statuses, checks.Active.Unhealthy.Statuses = []int{200}, []int{500}
		}
	}

	if passive := upstream.Passive; passive != nil {
		var unhealthy, healthy []int
		for status := 500; status < 600; status++ {
			unhealthy = append(unhealthy, status)
		}
		for status := 200; status < 500; status++ {
			healthy = append(healthy, status)
		}

		checks.Passive = passiveChecks{
			Type:      checks.Active.Type,
			Healthy:   healthyState{Successes: 1, Statuses: healthy},
			Unhealthy: unhealthyState{TCPFailures: passive.Failures, Timeouts: passive.Failures, HTTPFailures: passive.Failures, Statuses: unhealthy},
		}
	}

	return checks
}

// parse reads what the upstream says into the fields that a resource has.
func (b *balancer) parse(into *gateway.Upstream) {
	into.Balance.Algorithm = b.Algorithm
	for algorithm, word := range algorithms {
		if word == b.Algorithm {
			into.Balance.Algorithm = algorithm
		}
	}
	for by, word := range hashedBy {
		if word == b.HashOn {
			into.Balance.HashOn = by
		}
	}

	switch into.Balance.HashOn {
	case gateway.ByHeader:
		into.Balance.HashName = or(b.HashOnHeader, "")
	case gateway.ByCookie:
		into.Balance.HashName = or(b.HashOnCookie, "")
	}

	if active := b.Healthchecks.Active; active.Healthy.Interval > 0 || active.Unhealthy.Interval > 0 {
		into.Health = &gateway.HealthCheck{
			Path: active.Path, Interval: duration(max(active.Healthy.Interval, active.Unhealthy.Interval)), Timeout: duration(active.Timeout),
			HealthyAfter: active.Healthy.Successes, UnhealthyAfter: active.Unhealthy.HTTPFailures,
		}
		if len(active.Healthy.Statuses) > 0 {
			into.Health.Status = active.Healthy.Statuses[0]
		}
		if into.Stream() {
			into.Health.Path, into.Health.Status = "", 0
			into.Health.UnhealthyAfter = active.Unhealthy.TCPFailures
		}
	}

	if failing := b.Healthchecks.Passive.Unhealthy; failing.TCPFailures > 0 || failing.Timeouts > 0 || failing.HTTPFailures > 0 {
		into.Passive = &gateway.PassiveHealth{Failures: failing.TCPFailures}
	}
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// serves says whether Kong's upstream is what a put of the value would make of it.
func (b *balancer) serves(wanted gateway.Upstream) bool {
	found := gateway.Upstream{Protocol: wanted.Protocol}
	b.parse(&found)

	checks := renderChecks(wanted)
	active, passive := b.Healthchecks.Active, b.Healthchecks.Passive

	return found.Balance == wanted.Balance &&
		(found.Health == nil) == (wanted.Health == nil) && (found.Passive == nil) == (wanted.Passive == nil) &&
		(wanted.Health == nil || reflect.DeepEqual(active, checks.Active)) &&
		(wanted.Passive == nil || reflect.DeepEqual(passive, checks.Passive))
}

// verifyDepth is how many certificates may stand between a member's and its authority: the most that Kong takes. Its
// default is one, and Traefik has no limit.
const verifyDepth = 64

// encrypted says whether members are spoken to by TLS.
func encrypted(protocol string) bool { return protocol == gateway.HTTPS || protocol == gateway.TLS }

// renderService is Kong's service that leads to the upstream, with the ids of the authorities that its members are
// verified against.
func renderService(upstream gateway.Upstream, trusted []string) kong.Service {
	milliseconds := func(duration, standard time.Duration) *int {
		if duration == 0 {
			duration = standard
		}

		return new(int(duration.Milliseconds()))
	}

	retries := upstream.Retries
	if retries == gateway.Unsaid {
		retries = gateway.DefaultRetries
	}

	service := kong.Service{
		Name:           &upstream.Name,
		Host:           &upstream.Name,
		Protocol:       &upstream.Protocol,
		Retries:        &retries,
		ConnectTimeout: milliseconds(upstream.Timeouts.Connect, gateway.DefaultConnectTimeout),
		WriteTimeout:   milliseconds(upstream.Timeouts.Write, gateway.DefaultWriteTimeout),
		ReadTimeout:    milliseconds(upstream.Timeouts.Read, gateway.DefaultReadTimeout),
		Enabled:        new(true),
		Tags:           withRecord(nil, upstream.Record),
	}
	if encrypted(upstream.Protocol) {
		service.TLSVerify = new(!upstream.TLS.SkipVerify)
	}
	if len(trusted) > 0 {
		service.CACertificates, service.TLSVerifyDepth = kong.StringSlice(trusted...), new(verifyDepth)
	}

	return service
}

// serves says whether Kong's service has everything that would be written, tags aside.
func serves(current *kong.Service, wanted kong.Service) bool {
	return is(current.Host, *wanted.Host) &&
		is(current.Protocol, *wanted.Protocol) &&
		is(current.Retries, *wanted.Retries) &&
		is(current.ConnectTimeout, *wanted.ConnectTimeout) &&
		is(current.WriteTimeout, *wanted.WriteTimeout) &&
		is(current.ReadTimeout, *wanted.ReadTimeout) &&
		is(current.Enabled, true) &&
		current.Path == nil &&
		(wanted.TLSVerify == nil || is(current.TLSVerify, *wanted.TLSVerify)) &&
		(wanted.TLSVerifyDepth == nil || is(current.TLSVerifyDepth, *wanted.TLSVerifyDepth)) &&
		slices.Equal(texts(current.CACertificates), texts(wanted.CACertificates))
}

// parse is the upstream that Kong's entities make up.
func (p parts) parse(name string) gateway.Upstream {
	milliseconds := func(number *int) time.Duration { return time.Duration(or(number, 0)) * time.Millisecond }

	upstream := gateway.Upstream{
		Record:   recordOf(name, p.service.Tags),
		Protocol: or(p.service.Protocol, ""),
		Retries:  or(p.service.Retries, gateway.Unsaid),
		Timeouts: gateway.Timeouts{
			Connect: milliseconds(p.service.ConnectTimeout),
			Read:    milliseconds(p.service.ReadTimeout),
			Write:   milliseconds(p.service.WriteTimeout),
		},
		Balance: gateway.Balance{Algorithm: gateway.RoundRobin},
	}
	upstream.TLS.SkipVerify = is(p.service.TLSVerify, false)

	var whole bool
	upstream.TLS.CA, whole = joinAuthorities(p.authorities)

	if p.upstream != nil {
		p.upstream.parse(&upstream)
	}
	if p.joined(name) {
		upstream.Services, upstream.Targets = members(p.targets)
	}

	intact := whole && p.upstream != nil && p.upstream.serves(upstream) && serves(p.service, renderService(upstream, texts(p.service.CACertificates)))
	upstream.Altered = !upstream.Foreign && (!intact || upstream.Partial)

	return upstream
}
