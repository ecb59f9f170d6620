package traefik_test

import (
	"context"
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
	consul string // address
	url    string // of Traefik's entry point
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

	return stack{consul: consul.Address(), url: gate.URL()}
}

// engine returns an engine with a client of its own, as another Terraform would have.
func (s stack) engine(t *testing.T) (*traefik.Engine, *catalog.Client) {
	t.Helper()

	client, err := catalog.New(catalog.Config{Address: s.consul})
	if err != nil {
		t.Fatal(err)
	}

	return traefik.New(traefik.Config{KeyPrefix: "traefik"}, client), client
}

// get returns the status and the body of a request through Traefik.
func (s stack) get(ctx context.Context, host, path string) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}

	request.Host = host

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()

	body, err := io.ReadAll(response.Body)

	return response.StatusCode, string(body), err
}

// answers waits until a request is answered with the wanted status and body.
func (s stack) answers(t *testing.T, host, path string, status int, body string) {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), convergence)
	defer cancel()

	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()

	for ; ; <-ticker.C {
		gotStatus, gotBody, err := s.get(ctx, host, path)
		if err == nil && gotStatus == status && strings.TrimSpace(gotBody) == body {
			return
		}

		if ctx.Err() != nil {
			t.Fatalf("%s%s answers %d %q (%v) after %s, want %d %q", host, path, gotStatus, gotBody, err, convergence, status, body)
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
