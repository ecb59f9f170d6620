package catalog_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/consul/api"
)

var (
	// consulAddress is where the one Consul of this test run listens. Tests keep apart by the names they use.
	consulAddress string

	// others is Consul as somebody else uses it, behind our back.
	others *api.Client
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	bed, err := testbed.Open(context.Background(), testbed.Options{Log: os.Stderr})
	if err != nil {
		fmt.Fprintf(os.Stderr, "Unable to open a test bed: %v\n", err)

		return 1
	}

	defer func() {
		if err := bed.Close(); err != nil {
			fmt.Fprintf(os.Stderr, "Unable to close the test bed: %v\n", err)
		}
	}()

	consul, err := bed.StartConsul(context.Background())
	if err != nil {
		fmt.Fprintf(os.Stderr, "Unable to start Consul: %v\n", err)

		return 1
	}

	consulAddress = consul.Address()

	others, err = api.NewClient(&api.Config{Address: consulAddress})
	if err != nil {
		fmt.Fprintf(os.Stderr, "Unable to make Consul's own client: %v\n", err)

		return 1
	}

	return m.Run()
}

// patience is how long clients wait for a Consul that is away.
const patience = time.Second

// newClient makes the client under test.
func newClient(t *testing.T, address string) *catalog.Client {
	t.Helper()

	client, err := catalog.New(catalog.Config{Address: address, Timeout: patience})
	if err != nil {
		t.Fatalf("New: %v", err)
	}

	return client
}

// proxy passes requests on to Consul. Each goes to intercept first, which returns whether it has answered it.
func proxy(t *testing.T, intercept func(http.ResponseWriter, *http.Request) bool) string {
	t.Helper()

	target, err := url.Parse(consulAddress)
	if err != nil {
		t.Fatalf("parse Consul's address: %v", err)
	}

	forward := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !intercept(w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)

	return server.URL
}

// counted returns the address of a Consul whose requests are counted.
func counted(t *testing.T) (address string, requests *atomic.Int64) {
	t.Helper()

	requests = &atomic.Int64{}

	return proxy(t, func(http.ResponseWriter, *http.Request) bool {
		requests.Add(1)

		return false
	}), requests
}

// unique makes a name that no other test uses.
func unique(t *testing.T) string {
	return strings.ToLower(strings.NewReplacer("/", "-", "_", "-", " ", "-").Replace(t.Name()))
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()

	deadline := time.After(20 * time.Second)

	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()

	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("after 20 s still not: %s", what)
		case <-ticker.C:
		}
	}
}
