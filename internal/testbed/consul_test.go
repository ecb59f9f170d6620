package testbed

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestConsulAnswersDNS(t *testing.T) {
	consul := startConsul(t, For(t))
	for _, address := range []string{"10.77.0.101", "10.77.0.102"} {
		put(t, consul, "/v1/agent/service/register", fmt.Sprintf(`{"ID":"up-%[1]s","Name":"up","Address":"%[1]s","Port":80}`, address))
	}

	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, consul.DNS())
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got []string
	want := []string{"10.77.0.101", "10.77.0.102"}
	err := until(ctx, func(ctx context.Context) error {
		found, err := resolver.LookupHost(ctx, "up.service.consul")
		slices.Sort(found)
		if got = found; err == nil && !cmp.Equal(want, got) {
			err = fmt.Errorf("the addresses are %v", got)
		}
		return err
	})
	if err != nil {
		t.Errorf("Consul's DNS does not answer %v: %v", want, err)
	}
}

func TestTraefikFollowsConsul(t *testing.T) {
	bed := For(t)
	consul := startConsul(t, bed)
	traefik, err := bed.StartTraefik(t.Context(), consul)
	if err != nil {
		t.Fatal(err)
	}
	backend := func(answer string) *url.URL {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
		t.Cleanup(server.Close)
		parsed, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}

	put(t, consul, "/v1/kv/traefik/http/services/kv/loadbalancer/servers/0/url", backend("from the KV store").String())
	put(t, consul, "/v1/kv/traefik/http/routers/kv/service", "kv")
	put(t, consul, "/v1/kv/traefik/http/routers/kv/rule", "Host(`kv.example.com`)")
	awaitAnswer(t, traefik, "kv.example.com", "from the KV store")

	catalog := backend("from the catalog")
	put(t, consul, "/v1/agent/service/register",
		fmt.Sprintf(`{"Name":"up","Address":%q,"Port":%s}`, catalog.Hostname(), catalog.Port()))
	put(t, consul, "/v1/kv/traefik/http/routers/catalog/service", "up@consulcatalog")
	put(t, consul, "/v1/kv/traefik/http/routers/catalog/rule", "Host(`catalog.example.com`)")
	awaitAnswer(t, traefik, "catalog.example.com", "from the catalog")

	// By default Traefik would make a router for the name of every service.
	if status, body := ask(t.Context(), t, traefik, "up"); status != http.StatusNotFound {
		t.Errorf("the service's own name is answered with %d %q, want 404", status, body)
	}
}

func TestServerThatCannotStartShowsItsLastWords(t *testing.T) {
	bed := For(t)
	server, err := bed.spawn("broken", bed.logFile("broken"), "/bin/sh", "-c", "echo no such luck; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	err = server.ready(t.Context(), serverLimit, func(context.Context) error { return fmt.Errorf("not yet") })
	if err == nil || !strings.Contains(err.Error(), "no such luck") {
		t.Errorf("the failure says %v", err)
	}
}

func startConsul(t *testing.T, bed *Bed) *Consul {
	t.Helper()
	consul, err := bed.StartConsul(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return consul
}

// put writes to Consul's HTTP API.
func put(t *testing.T, consul *Consul, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, consul.Address()+path, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if answer, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		t.Fatalf("Consul answers %s to PUT %s: %s", response.Status, path, answer)
	}
}

// ask sends a request for a host name through the gateway.
func ask(ctx context.Context, t *testing.T, traefik *Traefik, host string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, traefik.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

func awaitAnswer(t *testing.T, traefik *Traefik, host, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := until(ctx, func(ctx context.Context) error {
		if status, body := ask(ctx, t, traefik, host); status != http.StatusOK || body != want {
			return fmt.Errorf("%d %q", status, body)
		}
		return nil
	})
	if err != nil {
		t.Errorf("the gateway does not answer %q for %s: %v", want, host, err)
	}
}
