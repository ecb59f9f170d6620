package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/traefik"
	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

const convergence = 30 * time.Second // for Traefik to take up a change, on a busy machine too

func TestMain(m *testing.M) {
	os.Setenv("CHECKPOINT_DISABLE", "1") // Terraform would ask its maker for newer versions
	os.Exit(m.Run())
}

// run walks Terraform through the steps with the provider in this process.
func run(t *testing.T, steps ...resource.TestStep) {
	t.Helper()

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"hypervisor": providerserver.NewProtocol6WithError(provider.New("test")()),
		},
		Steps: steps,
	})
}

// engine is a gateway that the same HCL is tried on.
type engine struct {
	block string                // of the provider
	fresh func() gateway.Engine // as another Terraform would have one, which holds nothing that it has read
	url   string                // of Kong's Admin API
}

func kongEngine(t *testing.T) engine {
	t.Helper()

	server := kongtest.New(t)

	block := fmt.Sprintf("provider \"hypervisor\" {\n  gateway = { kong = { admin_url = %q } }\n}\n", server.URL)

	return engine{block, func() gateway.Engine {
		client, err := kong.New(kong.Config{AdminURL: server.URL})
		if err != nil {
			t.Fatal(err)
		}

		return client
	}, server.URL}
}

// stack is a real Traefik that follows a real Consul.
type stack struct {
	engine

	address string // of Consul
	consul  *api.Client
	url     string // of Traefik's entry point
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

	settings := api.DefaultConfig()
	settings.Address = consul.Address()

	direct, err := api.NewClient(settings)
	if err != nil {
		t.Fatal(err)
	}

	return stack{
		engine: engine{
			block: fmt.Sprintf("provider \"hypervisor\" {\n  consul  = { address = %q }\n  gateway = { traefik = {} }\n}\n", consul.Address()),
			fresh: func() gateway.Engine {
				client, err := catalog.New(catalog.Config{Address: consul.Address()})
				if err != nil {
					t.Fatal(err)
				}

				return traefik.New(traefik.Config{KeyPrefix: "traefik"}, client)
			},
		},
		address: consul.Address(),
		consul:  direct,
		url:     gate.URL(),
	}
}

// register starts a server that answers with its service's name and registers it in Consul's catalog.
func (s stack) register(t *testing.T, service string) {
	t.Helper()

	address := backend(t, service)
	host, port, _ := strings.Cut(address, ":")

	var number int
	if _, err := fmt.Sscan(port, &number); err != nil {
		t.Fatal(err)
	}

	_, err := s.consul.Catalog().Register(&api.CatalogRegistration{
		Node: service, Address: host, Service: &api.AgentService{ID: service, Service: service, Address: host, Port: number},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

// withdraw takes the service's only instance out of Consul's catalog.
func (s stack) withdraw(t *testing.T, service string) {
	t.Helper()

	if _, err := s.consul.Catalog().Deregister(&api.CatalogDeregistration{Node: service}, nil); err != nil {
		t.Fatal(err)
	}
}

// backend starts a server that answers every request with its name, and returns its address.
func backend(t *testing.T, name string) string {
	t.Helper()

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) }))
	t.Cleanup(server.Close)

	return server.Listener.Addr().String()
}

// get returns the status and the body of a request through Traefik.
func (s stack) get(ctx context.Context, host string) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, http.NoBody)
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

	return response.StatusCode, strings.TrimSpace(string(body)), err
}

// answers waits until a request is answered with the wanted status.
func (s stack) answers(t *testing.T, host string, status int) {
	t.Helper()

	eventually(t, func() error {
		got, body, err := s.get(t.Context(), host)
		if err == nil && got != status {
			err = fmt.Errorf("%s answers %d %q, want %d", host, got, body, status)
		}

		return err
	})
}

// keys lists what stands in Consul below Traefik's root.
func (s stack) keys(t *testing.T) []string {
	t.Helper()

	keys, _, err := s.consul.KV().Keys("traefik/", "", nil)
	if err != nil {
		t.Fatal(err)
	}

	return keys
}

func pair(path, value string) *api.KVPair { return &api.KVPair{Key: path, Value: []byte(value)} }

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
