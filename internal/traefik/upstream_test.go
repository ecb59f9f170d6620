package traefik

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/google/go-cmp/cmp"
)

func TestUpstreamIsWrittenAsTraefikReadsIt(t *testing.T) {
	tests := map[string]struct {
		upstream gateway.Upstream
		want     map[string]string
	}{
		"services in the order of their names": {
			gateway.Upstream{Name: "up", Services: map[string]gateway.Member{"green": {Weight: 10}, "blue": {Weight: 90}}, Retries: 2},
			map[string]string{
				"services/up/weighted/services/0/name":        "blue@consulcatalog",
				"services/up/weighted/services/0/weight":      "90",
				"services/up/weighted/services/1/name":        "green@consulcatalog",
				"services/up/weighted/services/1/weight":      "10",
				"middlewares/up-retry/retry/attempts":         "3",
				"middlewares/up-retry/retry/initialInterval":  "100ms",
				"services/up~spare1/weighted/services/0/name": "blue@consulcatalog",
				"services/up~spare2/weighted/services/0/name": "green@consulcatalog",
			},
		},
		"targets, no retries": {
			gateway.Upstream{Name: "db.1", Targets: map[string]gateway.Member{"[fd00::1]:80": {Weight: 0}, "10.0.0.1:80": {Weight: 65535}}},
			map[string]string{
				"services/db.1/loadBalancer/servers/0/url":      "http://10.0.0.1:80",
				"services/db.1/loadBalancer/servers/0/weight":   "65535",
				"services/db.1/loadBalancer/servers/1/url":      "http://[fd00::1]:80",
				"services/db.1/loadBalancer/servers/1/weight":   "0",
				"middlewares/db.1-retry/retry/attempts":         "1",
				"middlewares/db.1-retry/retry/initialInterval":  "100ms",
				"services/db.1~spare1/weighted/services/0/name": "db.1",
				"services/db.1~spare2/weighted/services/0/name": "db.1",
			},
		},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, renderUpstream(test.upstream)); diff != "" {
				t.Errorf("keys differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSparesAreTheHeaviestServices(t *testing.T) {
	tests := map[string]struct {
		services map[string]gateway.Member
		want     [spares]string
	}{
		"the two heaviest":          {weights(1, 50, 9), [spares]string{"b@consulcatalog", "c@consulcatalog"}},
		"by name if they are equal": {weights(5, 5, 5), [spares]string{"a@consulcatalog", "b@consulcatalog"}},
		"one that receives traffic": {weights(0, 5, 0), [spares]string{"b@consulcatalog", "b@consulcatalog"}},
		"nobody receives anything":  {weights(0, 0), [spares]string{"up", "up"}},
		"targets cannot go missing": {nil, [spares]string{"up", "up"}},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := standIns(gateway.Upstream{Name: "up", Services: test.services})
			if got != test.want {
				t.Errorf("spares are %v, want %v", got, test.want)
			}
		})
	}
}

// weights gives the services a, b and so on their weights.
func weights(values ...int) map[string]gateway.Member {
	services := map[string]gateway.Member{}
	for number, value := range values {
		services[string(rune('a'+number))] = gateway.Member{Weight: value}
	}

	return services
}

func TestEveryUpstreamIsReadAsItWasWritten(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 10))

	for range 2000 {
		want := randomUpstream(random)

		got, err := parseUpstream(want.Name, lowered(renderUpstream(want)))
		if err != nil {
			t.Fatalf("read %+v: %v", want, err)
		}

		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("upstream differs (-written +read):\n%s", diff)
		}
	}
}

func TestUpstreamOwnsExactlyWhatItWrites(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 11))

	for range 500 {
		upstream := randomUpstream(random)
		for path := range renderUpstream(upstream) {
			if !ownsUpstream(upstream.Name)(path) {
				t.Errorf("%q does not own %q, which it writes", upstream.Name, path)
			}

			for _, other := range []string{upstream.Name + "x", upstream.Name + "-retry", "x" + upstream.Name, upstream.Name[:len(upstream.Name)-1]} {
				if ownsUpstream(other)(path) {
					t.Errorf("%q owns %q, which %q writes", other, path, upstream.Name)
				}
			}
		}
	}
}

func TestUpstreamWrittenByHandIsReadOrRefused(t *testing.T) {
	tests := map[string]struct {
		keys map[string]string
		want gateway.Upstream
		err  string
	}{
		"without weights and retries": {
			keys: map[string]string{"services/up/weighted/services/0/name": "blue@consulcatalog"},
			want: gateway.Upstream{Name: "up", Services: map[string]gateway.Member{"blue": {Weight: 1}}, Retries: -1},
		},
		"a URL with a slash": {
			keys: map[string]string{"services/up/loadbalancer/servers/0/url": "http://10.0.0.1:80/", "middlewares/up-retry/retry/attempts": "1"},
			want: gateway.Upstream{Name: "up", Targets: map[string]gateway.Member{"10.0.0.1:80": {Weight: 1}}},
		},
		"a member of another provider": {
			keys: map[string]string{"services/up/weighted/services/0/name": "blue@file"},
			err:  `the member "blue@file" is not a service of Consul's catalog`,
		},
		"a server behind TLS": {
			keys: map[string]string{"services/up/loadbalancer/servers/0/url": "https://10.0.0.1"},
			err:  `the server "https://10.0.0.1" is not reached by plain HTTP`,
		},
		"another kind of service": {
			keys: map[string]string{"services/up/mirroring/service": "blue"},
			err:  "neither a weighted service nor a load balancer",
		},
		"a weight that is no number": {
			keys: map[string]string{"services/up/weighted/services/0/name": "blue@consulcatalog", "services/up/weighted/services/0/weight": "much"},
			err:  "read the weight of blue",
		},
		"a retry middleware alone": {
			keys: map[string]string{"middlewares/up-retry/retry/attempts": "3"},
			err:  gateway.ErrNotFound.Error(),
		},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseUpstream("up", test.keys)
			expect(t, err, test.err)

			if diff := cmp.Diff(test.want, got); err == nil && diff != "" {
				t.Errorf("upstream differs (-want +got):\n%s", diff)
			}
		})
	}

	if _, err := parseUpstream("up", nil); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("reading no keys gives %v, not ErrNotFound", err)
	}
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

func lowered(keys map[string]string) map[string]string {
	lower := make(map[string]string, len(keys))
	for path, value := range keys {
		lower[strings.ToLower(path)] = value
	}

	return lower
}

func randomUpstream(random *rand.Rand) gateway.Upstream {
	upstream := gateway.Upstream{Name: randomName(random), Retries: random.IntN(11)}
	members := map[string]gateway.Member{}
	targets := random.IntN(2) == 0

	for range 1 + random.IntN(50) {
		name := "Svc-" + randomName(random)
		if targets {
			name = fmt.Sprintf("10.0.%d.%d:%d", random.IntN(256), random.IntN(256), 1+random.IntN(65535))
		}

		members[name] = gateway.Member{Weight: random.IntN(65536)}
	}

	if targets {
		upstream.Targets = members
	} else {
		upstream.Services = members
	}

	return upstream
}

func randomName(random *rand.Rand) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-._"

	name := []byte{letters[random.IntN(26)], letters[random.IntN(26)]}
	for range random.IntN(12) {
		name = append(name, letters[random.IntN(len(letters))])
	}

	return string(name)
}
