package consul_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/node"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/service"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

var (
	// consulServer is the one Consul of this test run. Tests keep apart by the names they use.
	consulServer *testbed.Consul

	// others is Consul as somebody else uses it, behind our back.
	others *api.Client
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx := context.Background()

	bed, err := testbed.Open(ctx, testbed.Options{Log: os.Stderr})
	if err != nil {
		return failed("open a test bed", err)
	}

	defer func() {
		if err := bed.Close(); err != nil {
			failed("close the test bed", err)
		}
	}()

	if consulServer, err = bed.StartConsul(ctx); err != nil {
		return failed("start Consul", err)
	}

	if others, err = api.NewClient(&api.Config{Address: consulServer.Address()}); err != nil {
		return failed("make Consul's own client", err)
	}

	terraform, err := testbed.Tool(ctx, "terraform")
	if err != nil {
		return failed("find Terraform", err)
	}

	for name, value := range map[string]string{"TF_ACC_TERRAFORM_PATH": terraform, "CHECKPOINT_DISABLE": "1"} {
		if err := os.Setenv(name, value); err != nil {
			return failed("set "+name, err)
		}
	}

	return m.Run()
}

func failed(what string, err error) int {
	fmt.Fprintf(os.Stderr, "Unable to %s: %v\n", what, err)

	return 1
}

// patience is how long an apply waits for a Consul that is away.
const patience = 3 * time.Second

// alone is the provider with Consul's resources only, so that they are tested without what others need.
type alone struct{ address string }

func (alone) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "hypervisor"
}

func (alone) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}

func (a alone) Configure(_ context.Context, _ provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	resp.ResourceData = backend.New(backend.Config{Consul: catalog.Config{Address: a.address, Timeout: patience}})
}

func (alone) DataSources(context.Context) []func() datasource.DataSource { return nil }

func (alone) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{service.New, node.New}
}

// factories serve the provider for a Consul at the address.
func factories(address string) map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"hypervisor": providerserver.NewProtocol6WithError(alone{address: address}),
	}
}

// proxy passes requests on to Consul. Each goes to intercept first, which returns whether it has answered it.
func proxy(t *testing.T, intercept func(http.ResponseWriter, *http.Request) bool) string {
	t.Helper()

	target, err := url.Parse(consulServer.Address())
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

// unique makes a service name that no other test uses: a DNS label.
func unique(t *testing.T) string {
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-", " ", "-").Replace(strings.TrimPrefix(t.Name(), "Test")))

	return name[:min(len(name), 60)]
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
