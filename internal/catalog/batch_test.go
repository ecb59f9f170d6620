package catalog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
)

// many are services on a few nodes.
func many(t *testing.T, count int) []catalog.Service {
	services := make([]catalog.Service, count)
	for i := range services {
		services[i] = full(t, fmt.Sprintf("node-%s-%d", unique(t), i%4))
		services[i].ID = fmt.Sprintf("%s-%d", services[i].ID, i)
		services[i].Tagged = nil
	}

	return services
}

// registerAll registers all services at once and returns what failed.
func registerAll(t *testing.T, client *catalog.Client, services []catalog.Service) []error {
	t.Helper()

	failures := make([]error, len(services))

	var all sync.WaitGroup

	for i, service := range services {
		all.Go(func() { failures[i] = client.Register(t.Context(), service) })
	}

	all.Wait()

	return failures
}

// servicesIn counts the services that a transaction writes.
func servicesIn(t *testing.T, r *http.Request) (count int64) {
	t.Helper()

	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Errorf("Unable to read a transaction: %v", err)
	}

	r.Body = io.NopCloser(bytes.NewReader(body))

	var operations []struct{ Service *struct{} }
	if err := json.Unmarshal(body, &operations); err != nil {
		t.Errorf("Unable to read a transaction: %v", err)
	}

	for _, operation := range operations {
		if operation.Service != nil {
			count++
		}
	}

	return count
}

func TestServicesThatComeTogetherAreWrittenTogether(t *testing.T) {
	var transactions, requests, first atomic.Int64

	gate := make(chan struct{})
	services := many(t, 60)

	address := proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
		requests.Add(1)

		if r.URL.Path == "/v1/txn" && transactions.Add(1) == 1 {
			first.Store(servicesIn(t, r))
			<-gate // while the first is under way, the others come
		}

		return false
	})
	client := newClient(t, address)

	go func() {
		defer close(gate)

		eventually(t, "the first transaction is under way", func() bool { return first.Load() > 0 })
		eventually(t, "the others wait", func() bool { return client.Waiting()+int(first.Load()) == len(services) })
	}()

	for i, err := range registerAll(t, client, services) {
		if err != nil {
			t.Errorf("Register %d: %v", i, err)
		}
	}

	// Two requests say which nodes there are; four operations each (one of a node) are 4 * 59 / 128 transactions.
	if requests.Load() > 6 {
		t.Errorf("%d services took %d requests, of which %d transactions", len(services), requests.Load(), transactions.Load())
	}

	for _, service := range services {
		wantInstance(t, client, service)
		deregister(t, client, service)
	}
}

func TestServiceThatIsTakenFailsAloneInItsTransaction(t *testing.T) {
	client := newClient(t, consulAddress)
	services := many(t, 12)

	foreign := services[5]
	foreign.Port, foreign.Owner = 9, "somebody"
	register(t, client, foreign)

	for i, err := range registerAll(t, newClient(t, consulAddress), services) {
		if taken := errors.Is(err, catalog.ErrTaken); taken != (i == 5) || (err != nil && !taken) {
			t.Errorf("Register %d: %v", i, err)
		}
	}

	wantInstance(t, newClient(t, consulAddress), foreign)

	for i, service := range services {
		if i != 5 {
			wantInstance(t, client, service)
			deregister(t, client, service)
		}
	}
}

func TestConsulThatComesBackIsWaitedFor(t *testing.T) {
	places(t, func(t *testing.T, node string) {
		var refused atomic.Int64

		address := proxy(t, func(w http.ResponseWriter, _ *http.Request) bool {
			if refused.Add(1) > 4 {
				return false
			}

			http.Error(w, "No cluster leader", http.StatusInternalServerError)

			return true
		})

		service := full(t, node)
		client, err := catalog.New(catalog.Config{Address: address}) // as patient as users have it
		if err != nil {
			t.Fatal(err)
		}

		register(t, client, service)
		wantInstance(t, client, service)

		refused.Store(0)

		if _, err := newClient(t, address).Instance(t.Context(), service.Identity); err == nil {
			t.Error("a plain read waited for a Consul without a leader, and should fail at once")
		}

		refused.Store(5)
	})
}

func TestEveryKindOfCheckIsReadBack(t *testing.T) {
	base := catalog.Check{Interval: 60e9, Timeout: 2e9, Status: "passing"}
	with := func(change func(*catalog.Check)) catalog.Check {
		check := base
		change(&check)

		return check
	}

	service := full(t, "")
	service.Checks = map[string]catalog.Check{
		"http": with(func(c *catalog.Check) {
			c.HTTP, c.Method, c.Body, c.DisableRedirects = "https://127.0.0.1:1/", "POST", "ping", true
			c.Headers, c.SkipVerify, c.ServerName = map[string]string{"Accept": "text/plain"}, true, "web"
		}),
		"tcp":    with(func(c *catalog.Check) { c.TCP, c.TLS = "127.0.0.1:1", true }),
		"udp":    with(func(c *catalog.Check) { c.UDP = "127.0.0.1:1" }),
		"grpc":   with(func(c *catalog.Check) { c.GRPC, c.TLS, c.FailuresBeforeCritical = "127.0.0.1:1/shop", true, 3 }),
		"h2ping": with(func(c *catalog.Check) { c.H2Ping = "127.0.0.1:1" }),
		"ttl":    {TTL: 60e9, Status: "passing"},
		"alias":  {AliasService: "other", Status: "passing"},
	}

	client := newClient(t, consulAddress)
	register(t, client, service)
	wantInstance(t, client, service)

	agent, err := others.Agent().Checks()
	if err != nil {
		t.Fatal(err)
	}

	for key := range service.Checks {
		if got := agent["service:"+service.ID+":"+key]; got == nil || got.Type != key {
			t.Errorf("the agent runs check %s as %+v", key, got)
		}
	}
}

func TestScriptsAreRefusedByAnAgentThatRunsNone(t *testing.T) {
	client := newClient(t, consulAddress)
	if !client.KnowsScriptsRefused(t.Context()) || !client.KnowsOpenSource(t.Context()) {
		t.Error("the agent is not known to be open source and to run no scripts")
	}

	service := full(t, "")
	service.Checks = map[string]catalog.Check{"s": {Script: []string{"/bin/true"}, Interval: 60e9, Timeout: 2e9, Status: "passing"}}

	if err := client.Register(t.Context(), service); err == nil {
		deregister(t, client, service)
		t.Error("the agent took a script that it refuses to run")
	}
}

func TestNobodyRunsChecksOfTheCatalogUntilConsulESMDoes(t *testing.T) {
	if !newClient(t, consulAddress).KnowsNoProber(t.Context()) {
		t.Error("a Consul without consul-esm is not known to have none")
	}

	prober := catalog.Service{Identity: catalog.Identity{Node: "monitor", Name: "consul-esm", ID: "consul-esm"}, Mark: catalog.Mark{Owner: "me"}, Address: "127.0.0.9"}

	client := newClient(t, consulAddress)
	if err := client.Register(t.Context(), prober); err != nil {
		t.Fatal(err)
	}

	defer deregister(t, client, prober)

	if newClient(t, consulAddress).KnowsNoProber(t.Context()) {
		t.Error("a Consul with consul-esm is known to have none")
	}
}
