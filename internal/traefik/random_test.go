package traefik

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// through is where the random routes listen.
var through = routing{entryPoints: []string{"web", "internal"}, ports: map[int]string{5432: "postgres", 6379: "redis"}}

func chance(random *rand.Rand) bool { return random.IntN(2) == 0 }

func randomName(random *rand.Rand) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-._"

	name := []byte{letters[random.IntN(26)], letters[random.IntN(26)]}
	for range random.IntN(12) {
		name = append(name, letters[random.IntN(len(letters))])
	}

	return string(name)
}

// randomTexts returns up to three different texts in order, full of what a rule might trip over.
func randomTexts(random *rand.Rand, begin string) []string {
	alphabet := []rune("ab`\"'\\()|&/.$^*ü中%")
	texts := map[string]bool{}

	for range random.IntN(4) {
		text := []rune(begin)
		for range 1 + random.IntN(6) {
			text = append(text, alphabet[random.IntN(len(alphabet))])
		}

		texts[string(text)] = true
	}

	return slices.Sorted(maps.Keys(texts))
}

// randomRoute returns a route that Traefik can do, with its lists in order.
func randomRoute(random *rand.Rand) gateway.Route {
	route := gateway.Route{
		Record:   gateway.Record{Name: randomName(random), Note: strings.Join(randomTexts(random, ""), "")},
		Upstream: randomName(random),
		Priority: random.IntN(3) * random.IntN(500),
		Protocol: []string{gateway.HTTP, gateway.HTTPS, gateway.TCP, gateway.TLS, gateway.TLSPassthrough}[random.IntN(5)],
	}

	if route.Stream() {
		if route.Protocol != gateway.TCP {
			route.SNIs = randomTexts(random, "sni")
		}

		route.Ports = []int{5432, 6379}[:1+random.IntN(2)]

		return route
	}

	route.RedirectHTTPS = route.Protocol == gateway.HTTPS && chance(random)
	route.Hosts = randomTexts(random, "host")
	route.Paths = randomTexts(random, "/")
	route.Paths = slices.Sorted(slices.Values(append(route.Paths, "/zz")))
	route.Methods = []string{"GET", "POST"}[:random.IntN(3)]

	if route.StripPath = chance(random); !route.StripPath {
		route.ExactPaths, route.PathPatterns = randomTexts(random, "/e"), randomTexts(random, "/p")
	}

	for _, name := range []string{"X-One", "X-Two"}[:random.IntN(3)] {
		if route.Headers == nil {
			route.Headers = map[string][]string{}
		}

		route.Headers[name] = slices.Sorted(slices.Values(append(randomTexts(random, "v"), "z")))
	}

	return empty(route)
}

// empty turns lists without elements into none.
func empty(route gateway.Route) gateway.Route {
	for _, list := range []*[]string{&route.Hosts, &route.Paths, &route.ExactPaths, &route.PathPatterns, &route.Methods, &route.SNIs} {
		if len(*list) == 0 {
			*list = nil
		}
	}

	return route
}

// randomUpstream returns an upstream that Traefik can do, with nothing left to a default.
func randomUpstream(random *rand.Rand) gateway.Upstream {
	upstream := gateway.Upstream{
		Record:   gateway.Record{Name: randomName(random), Note: strings.Join(randomTexts(random, ""), "")},
		Protocol: gateway.HTTP,
		Balance:  gateway.Balance{Algorithm: gateway.RoundRobin},
		Retries:  random.IntN(11),
	}

	if chance(random) {
		upstream.Services = map[string]gateway.Member{}
		for range 1 + random.IntN(50) {
			upstream.Services["Svc-"+randomName(random)] = gateway.Member{Weight: random.IntN(65536)}
		}

		if by := random.IntN(3); by > 0 {
			upstream.Balance = []gateway.Balance{
				{Algorithm: gateway.ConsistentHashing, HashOn: gateway.ByAddress},
				{Algorithm: gateway.ConsistentHashing, HashOn: gateway.ByCookie, HashName: "stay"},
			}[by-1]
		}

		return upstream
	}

	upstream.Protocol = []string{gateway.HTTP, gateway.HTTPS, gateway.TCP, gateway.TLS}[random.IntN(4)]
	upstream.Targets = map[string]gateway.Member{}
	upstream.Timeouts.Connect = time.Duration(1+random.IntN(9999)) * time.Millisecond

	for range 1 + random.IntN(40) {
		upstream.Targets[fmt.Sprintf("10.0.%d.%d:%d", random.IntN(256), random.IntN(256), 1+random.IntN(65535))] = gateway.Member{Weight: gateway.DefaultWeight}
	}

	if upstream.Protocol == gateway.HTTPS || upstream.Protocol == gateway.TLS {
		upstream.TLS = gateway.TLSClient{SkipVerify: chance(random), ServerName: "db.test"}
	}

	if chance(random) {
		upstream.Health = &gateway.HealthCheck{Interval: time.Minute, Timeout: time.Second, HealthyAfter: 1, UnhealthyAfter: 1}
	}

	if upstream.Stream() {
		upstream.Retries = gateway.Unsaid

		return upstream
	}

	if upstream.Health != nil {
		upstream.Health.Path, upstream.Health.Status = "/health?deep", 204
	}

	if chance(random) {
		upstream.Passive = &gateway.PassiveHealth{Failures: 3, Window: time.Minute}
	}

	upstream.Timeouts.Read = time.Duration(1+random.IntN(9999)) * time.Millisecond
	upstream.Balance = []gateway.Balance{
		{Algorithm: gateway.RoundRobin},
		{Algorithm: gateway.LeastConnections},
		{Algorithm: gateway.Latency},
		{Algorithm: gateway.ConsistentHashing, HashOn: gateway.ByAddress},
		{Algorithm: gateway.ConsistentHashing, HashOn: gateway.ByCookie, HashName: "stay"},
	}[random.IntN(5)]

	return upstream
}

func lowered(keys map[string]string) map[string]string {
	lower := make(map[string]string, len(keys))
	for path, value := range keys {
		lower[strings.ToLower(path)] = value
	}

	return lower
}

// holding makes contents of keys.
func holding(keys ...map[string]string) contents {
	held := contents{}

	for _, some := range keys {
		for path, value := range some {
			held.put(path, catalog.Key{Path: path, Value: value, Index: 1})
		}
	}

	return held
}

// expect checks for an error that holds a text, or for none if the text is empty.
func expect(t *testing.T, err error, text string) {
	t.Helper()

	switch {
	case text == "" && err != nil:
		t.Errorf("unexpected error: %v", err)
	case text != "" && err == nil:
		t.Errorf("no error, want %q", text)
	case text != "" && !strings.Contains(err.Error(), text):
		t.Errorf("error %q does not hold %q", err, text)
	}
}
