package traefik_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/traefik"
)

const convergence = 30 * time.Second // for Traefik to take up a change, on a busy machine too

// stack is a real Traefik that follows a real Consul.
type stack struct {
	bed    *testbed.Bed
	consul *testbed.Consul
	gate   *testbed.Traefik
}

func newStack(t *testing.T) stack {
	t.Helper()

	bed := testbed.For(t)

	consul, err := bed.StartConsul(t.Context())
	if err != nil {
		t.Fatalf("Unable to start Consul: %v", err)
	}

	gate, err := bed.StartTraefik(t.Context(), consul)
	if err != nil {
		t.Fatalf("Unable to start Traefik: %v", err)
	}

	return stack{bed: bed, consul: consul, gate: gate}
}

// engine returns an engine with a client of its own, as another Terraform would have.
func (s stack) engine(t *testing.T) (*traefik.Engine, *catalog.Client) {
	t.Helper()

	client, err := catalog.New(catalog.Config{Address: s.consul.Address()})
	if err != nil {
		t.Fatal(err)
	}

	return traefik.New(traefik.Config{KeyPrefix: "traefik", Ports: map[int]string{s.gate.StreamPort(): "stream"}}, client), client
}

// get returns the status and the body of a request through Traefik.
func (s stack) get(ctx context.Context, host, path string) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.gate.URL()+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}

	request.Host = host

	return s.send(request)
}

// send returns the status and the body of the answer. The gateway's own certificate is one that nobody knows.
func (s stack) send(request *http.Request) (int, string, error) {
	response, err := unverified.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()

	body, err := io.ReadAll(response.Body)

	return response.StatusCode, string(body), err
}

var unverified = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

// answers waits until a request is answered with the wanted status and body.
func (s stack) answers(t *testing.T, host, path string, status int, body string) {
	t.Helper()

	eventually(t, func() error {
		gotStatus, gotBody, err := s.get(t.Context(), host, path)
		if err == nil && (gotStatus != status || strings.TrimSpace(gotBody) != body) {
			err = fmt.Errorf("%s%s answers %d %q, want %d %q", host, path, gotStatus, gotBody, status, body)
		}

		return err
	})
}

// eventually tries again until it succeeds.
func eventually(t *testing.T, try func() error) {
	t.Helper()

	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()

	deadline := time.Now().Add(convergence)

	for ; ; <-ticker.C {
		err := try()
		if err == nil {
			return
		}

		if time.Now().After(deadline) {
			t.Fatalf("after %s: %v", convergence, err)
		}
	}
}

// backend starts a server that answers every request with its name, and returns its address.
func backend(t *testing.T, name string) string {
	t.Helper()

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) }))
	t.Cleanup(server.Close)

	return server.Listener.Addr().String()
}

func to(address string) map[string]gateway.Member {
	return map[string]gateway.Member{address: {Weight: 1}}
}

func must(t *testing.T, err error) {
	t.Helper()

	if err != nil {
		t.Fatal(err)
	}
}
