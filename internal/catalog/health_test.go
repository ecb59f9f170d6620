package catalog_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/hashicorp/consul/api"
)

// cleanContext outlives the test, for what its cleanups do.
func cleanContext(t *testing.T) context.Context {
	t.Helper()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
	t.Cleanup(cancel)

	return ctx
}

// checkOf reads a check of a service in the catalog.
func checkOf(t *testing.T, service catalog.Service, key string) *api.HealthCheck {
	t.Helper()

	checks, _, err := others.Health().Checks(service.Name, nil)
	if err != nil {
		t.Fatalf("list checks: %v", err)
	}

	for _, check := range checks {
		if check.CheckID == "service:"+service.ID+":"+key {
			return check
		}
	}

	t.Fatalf("service %s has no check %s", service.Name, key)

	return nil
}

// setStatus sets the status of the check "web" and does what a prober such as consul-esm does.
func setStatus(t *testing.T, service catalog.Service, status, output string) {
	t.Helper()

	check := *checkOf(t, service, "web")
	check.Status, check.Output = status, output

	ok, _, _, err := others.Txn().Txn(api.TxnOps{{Check: &api.CheckTxnOp{Verb: api.CheckCAS, Check: check}}}, nil)
	if err != nil || !ok {
		t.Fatalf("set the status of the check: %t, %v", ok, err)
	}
}

func TestWaitEndsWhenTheInstancePasses(t *testing.T) {
	var healthy atomic.Bool

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !healthy.Swap(true) { // the first probe fails
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)

	service := full(t, "")
	service.Checks = map[string]catalog.Check{"web": {HTTP: server.URL, Interval: time.Second, Timeout: time.Second, Status: "critical"}}
	client := newClient(t, consulAddress)
	register(t, client, service)

	if err := client.AwaitPassing(t.Context(), service.Identity, 20*time.Second); err != nil {
		t.Errorf("AwaitPassing: %v", err)
	}
}

func TestWaitThatEndsSaysWhatItSawLast(t *testing.T) {
	service := full(t, "")
	service.Checks = map[string]catalog.Check{"web": {TCP: "127.0.0.1:1", Interval: time.Second, Timeout: time.Second, Status: "critical"}}
	client := newClient(t, consulAddress)
	register(t, client, service)

	eventually(t, "the check has run", func() bool {
		checks, err := others.Agent().Checks() // the catalog learns of a changed output minutes later
		if err != nil {
			t.Fatalf("list the agent's checks: %v", err)
		}

		return strings.Contains(checks["service:"+service.ID+":web"].Output, "refused")
	})

	err := client.AwaitPassing(t.Context(), service.Identity, time.Second)
	if err == nil {
		t.Fatal("AwaitPassing of a failing instance succeeded")
	}

	for _, word := range []string{"1s", service.ID, `check "web" is critical`, "connection refused"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("AwaitPassing: %v, want %q in it", err, word)
		}
	}
}

func TestCheckThatChangesItsKindHasOneProber(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = listener.Close() })

	var oldProbes, newProbes atomic.Int64

	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}

			oldProbes.Add(1)
			_ = connection.Close()
		}
	}()

	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { newProbes.Add(1) }))
	t.Cleanup(server.Close)

	service := full(t, "")
	service.Checks = map[string]catalog.Check{"web": {TCP: listener.Addr().String(), Interval: time.Second, Timeout: time.Second, Status: "critical"}}
	client := newClient(t, consulAddress)
	register(t, client, service)
	eventually(t, "the first prober has run", func() bool { return oldProbes.Load() > 0 })

	service.Checks["web"] = catalog.Check{HTTP: server.URL, Interval: time.Second, Timeout: time.Second, Status: "critical"}
	if err := client.Update(t.Context(), service); err != nil {
		t.Fatalf("Update: %v", err)
	}

	eventually(t, "the new prober has run once", func() bool { return newProbes.Load() > 0 }) // a probe in flight is over by now

	before := oldProbes.Load()

	eventually(t, "the new prober has run thrice more", func() bool { return newProbes.Load() > 3 })

	if after := oldProbes.Load(); after != before {
		t.Errorf("the old prober ran %d times after the change", after-before)
	}
}
