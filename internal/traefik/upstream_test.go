package traefik

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/google/go-cmp/cmp"
)

func TestUpstreamIsWrittenAsTraefikReadsIt(t *testing.T) {
	tests := map[string]struct {
		upstream gateway.Upstream
		want     map[string]string
	}{
		"services in the order of their names": {
			gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"green": {Weight: 10}, "blue": {Weight: 90}}, Retries: 2},
			map[string]string{
				"owner/upstream/up":                                owned,
				"http/services/up/weighted/services/0/name":        "blue@consulcatalog",
				"http/services/up/weighted/services/0/weight":      "90",
				"http/services/up/weighted/services/1/name":        "green@consulcatalog",
				"http/services/up/weighted/services/1/weight":      "10",
				"http/middlewares/up~retry/retry/attempts":         "3",
				"http/middlewares/up~retry/retry/initialInterval":  "100ms",
				"http/services/up~spare1/weighted/services/0/name": "blue@consulcatalog",
				"http/services/up~spare2/weighted/services/0/name": "green@consulcatalog",
			},
		},
		"targets with everything": {
			gateway.Upstream{
				Record: gateway.Record{Name: "db.1"}, Protocol: gateway.HTTPS, Targets: map[string]gateway.Member{"[fd00::1]:80": {Weight: 0}, "10.0.0.1:80": {Weight: 65535}},
				Balance: gateway.Balance{Algorithm: gateway.Latency}, TLS: gateway.TLSClient{ServerName: "db.test", CA: "PEM"},
				Health:   &gateway.HealthCheck{Path: "/h", Status: 204, Interval: time.Minute, Timeout: 500 * time.Millisecond},
				Passive:  &gateway.PassiveHealth{Failures: 3},
				Timeouts: gateway.Timeouts{Read: time.Second},
			},
			map[string]string{
				"owner/upstream/db.1":                                                  owned,
				"http/services/db.1/loadBalancer/servers/0/url":                        "https://10.0.0.1:80",
				"http/services/db.1/loadBalancer/servers/0/weight":                     "65535",
				"http/services/db.1/loadBalancer/servers/1/url":                        "https://[fd00::1]:80",
				"http/services/db.1/loadBalancer/servers/1/weight":                     "0",
				"http/services/db.1/loadBalancer/strategy":                             "leasttime",
				"http/services/db.1/loadBalancer/serversTransport":                     "db.1",
				"http/services/db.1/loadBalancer/healthCheck/path":                     "/h",
				"http/services/db.1/loadBalancer/healthCheck/status":                   "204",
				"http/services/db.1/loadBalancer/healthCheck/interval":                 "1m0s",
				"http/services/db.1/loadBalancer/healthCheck/timeout":                  "500ms",
				"http/services/db.1/loadBalancer/healthCheck/followRedirects":          "false",
				"http/services/db.1/loadBalancer/passiveHealthCheck/failureWindow":     "10s",
				"http/services/db.1/loadBalancer/passiveHealthCheck/maxFailedAttempts": "3",
				"http/serversTransports/db.1/forwardingTimeouts/dialTimeout":           "2s",
				"http/serversTransports/db.1/forwardingTimeouts/responseHeaderTimeout": "1s",
				"http/serversTransports/db.1/serverName":                               "db.test",
				"http/serversTransports/db.1/rootCAs/0":                                "PEM",
				"http/middlewares/db.1~retry/retry/attempts":                           "1",
				"http/middlewares/db.1~retry/retry/initialInterval":                    "100ms",
				"http/services/db.1~spare1/weighted/services/0/name":                   "db.1",
				"http/services/db.1~spare2/weighted/services/0/name":                   "db.1",
			},
		},
		"targets of connections": {
			gateway.Upstream{Record: gateway.Record{Name: "db"}, Protocol: gateway.TLS, Targets: map[string]gateway.Member{"10.0.0.1:80": {Weight: 100}}, TLS: gateway.TLSClient{SkipVerify: true}},
			map[string]string{
				"owner/upstream/db": owned,
				"tcp/services/db/loadBalancer/servers/0/address":  "10.0.0.1:80",
				"tcp/services/db/loadBalancer/servers/0/tls":      "true",
				"tcp/services/db/loadBalancer/serversTransport":   "db",
				"tcp/serversTransports/db/dialTimeout":            "2s",
				"tcp/serversTransports/db/tls/insecureSkipVerify": "true",
			},
		},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, renderUpstream(test.upstream.Complete())); diff != "" {
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
			got := standIns(gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: test.services})
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

	for range 3000 {
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

func TestUpstreamWrittenByHandIsReadOrRefused(t *testing.T) {
	tests := map[string]struct {
		keys map[string]string
		want gateway.Upstream
		err  string
	}{
		"without weights and retries": {
			keys: map[string]string{"http/services/up/weighted/services/0/name": "blue@consulcatalog"},
			want: gateway.Upstream{Services: map[string]gateway.Member{"blue": {Weight: 1}}, Retries: gateway.Unsaid},
		},
		"a URL with a slash": {
			keys: map[string]string{"http/services/up/loadbalancer/servers/0/url": "http://10.0.0.1:80/", "http/middlewares/up~retry/retry/attempts": "1"},
			want: gateway.Upstream{Targets: map[string]gateway.Member{"10.0.0.1:80": {Weight: 1}}},
		},
		"a duration in seconds": {
			keys: map[string]string{"http/services/up/loadbalancer/servers/0/url": "http://10.0.0.1:80", "http/serverstransports/up/forwardingtimeouts/dialtimeout": "3"},
			want: gateway.Upstream{
				Targets: map[string]gateway.Member{"10.0.0.1:80": {Weight: 1}}, Retries: gateway.Unsaid, Timeouts: gateway.Timeouts{Connect: 3 * time.Second},
			},
		},
		"a member of another provider": {
			keys: map[string]string{"http/services/up/weighted/services/0/name": "blue@file"},
			err:  `the member "blue@file" is not a service of Consul's catalog`,
		},
		"a server behind another protocol": {
			keys: map[string]string{"http/services/up/loadbalancer/servers/0/url": "h2c://10.0.0.1"},
			err:  `the server "h2c://10.0.0.1" is reached by neither HTTP nor HTTPS`,
		},
		"another kind of service": {
			keys: map[string]string{"http/services/up/mirroring/service": "blue"},
			err:  "neither a weighted service nor a load balancer",
		},
		"a weight that is no number": {
			keys: map[string]string{"http/services/up/weighted/services/0/name": "blue@consulcatalog", "http/services/up/weighted/services/0/weight": "much"},
			err:  `services/0/weight" as a number`,
		},
		"a retry middleware alone": {
			keys: map[string]string{"http/middlewares/up~retry/retry/attempts": "3"},
			err:  gateway.ErrNotFound.Error(),
		},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseUpstream("up", test.keys)
			expect(t, err, test.err)

			test.want.Record = gateway.Record{Name: "up", Foreign: true}
			if diff := cmp.Diff(test.want.Complete(), got); err == nil && diff != "" {
				t.Errorf("upstream differs (-want +got):\n%s", diff)
			}
		})
	}

	if _, err := parseUpstream("up", nil); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("reading no keys gives %v, not ErrNotFound", err)
	}
}
