package provider_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/hashicorp/consul/api"
)

const finding = `
terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

provider "hypervisor" {
  consul  = { address = %[1]q }
  gateway = { traefik = {} }
}

provider "hypervisor" {
  alias   = "kong"
  gateway = { kong = { admin_url = %[2]q } }
}
`

// madeInConsul makes what others have in a Consul that Traefik follows.
func madeInConsul(t *testing.T, consul *api.Client) {
	t.Helper()

	_, err := consul.Catalog().Register(&api.CatalogRegistration{
		Node: "db-1", Address: "10.0.0.9", NodeMeta: map[string]string{"external-node": "true"},
		Service: &api.AgentService{ID: "db", Service: "db", Address: "10.0.0.9", Port: 5432, Tags: []string{"primary"}},
		Checks:  api.HealthChecks{{Node: "db-1", CheckID: "service:db:port", Name: "port", Status: api.HealthPassing, ServiceID: "db", Definition: api.HealthCheckDefinition{TCP: "10.0.0.9:5432", Interval: *api.NewReadableDuration(1e10)}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}

	err = consul.Agent().ServiceRegister(&api.AgentServiceRegistration{Name: "shop", Port: 80, Meta: map[string]string{"rack": "r1"}})
	if err != nil {
		t.Fatal(err)
	}

	for path, value := range map[string]string{
		"routers/shop/rule":                         "Host(`shop.test`) && PathPrefix(`/`)",
		"routers/shop/service":                      "shop",
		"routers/shop/middlewares/0":                "slow",
		"services/shop/weighted/services/0/name":    "shop@consulcatalog",
		"services/shop/weighted/services/0/weight":  "1",
		"middlewares/slow/rateLimit/average":        "5",
		"middlewares/slow/rateLimit/burst":          "10",
		"services/fixed/loadBalancer/servers/0/url": "http://10.0.0.1:80",
	} {
		if _, err := consul.KV().Put(&api.KVPair{Key: "traefik/http/" + path, Value: []byte(value)}, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// madeInKong makes what others have in a Kong.
func madeInKong(t *testing.T, address string) {
	t.Helper()

	certFile, keyFile, err := newAuthority(t).Issue("pay.test")
	if err != nil {
		t.Fatal(err)
	}

	read := func(path string) string {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}

		return string(content)
	}

	for _, made := range []struct {
		path string
		body map[string]any
	}{
		{"/upstreams", map[string]any{"name": "pay"}},
		{"/upstreams/pay/targets", map[string]any{"target": "10.0.0.1:80"}},
		{"/services", map[string]any{"name": "pay", "host": "pay"}},
		{"/services/pay/routes", map[string]any{"name": "pay", "hosts": []string{"pay.test"}}},
		{"/routes/pay/plugins", map[string]any{"name": "rate-limiting", "instance_name": "calm", "config": map[string]any{"minute": 5}}},
		{"/consumers", map[string]any{"username": "ann"}},
		{"/certificates", map[string]any{"cert": read(certFile), "key": read(keyFile), "snis": []string{"pay.test"}, "tags": []string{"name:pay"}}},
	} {
		body, err := json.Marshal(made.body)
		if err != nil {
			t.Fatal(err)
		}

		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+made.path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}

		request.Header.Set("Content-Type", "application/json")

		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}

		answer, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()

		if response.StatusCode != http.StatusCreated {
			t.Fatalf("POST %s: %s: %s", made.path, response.Status, answer)
		}
	}
}

// TestServicesAndRoutesOfOthersAreFoundAndTakenOver goes the way of the guide: what Consul and the gateways have is found,
// its configuration is written, and nothing is changed by taking it over.
func TestServicesAndRoutesOfOthersAreFoundAndTakenOver(t *testing.T) {
	server, err := testbed.For(t).StartConsul(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	consul, err := api.NewClient(&api.Config{Address: server.Address()})
	if err != nil {
		t.Fatal(err)
	}

	kong := kongtest.New(t)

	madeInConsul(t, consul)
	madeInKong(t, kong.URL)

	source := t.TempDir()
	write(t, filepath.Join(source, "main.tf"), fmt.Sprintf(finding, server.Address(), kong.URL))

	var query strings.Builder

	query.WriteString(queryIn(t, "services-in-consul"))

	for _, kind := range []string{"upstream", "route", "plugin", "consumer"} {
		fmt.Fprintf(&query, "list \"gateway_%s\" \"kong\" {\n  provider = hypervisor.kong\n  include_resource = true\n}\n", kind)
	}

	write(t, filepath.Join(source, "all.tfquery.hcl"), query.String())

	binary, err := testbed.Tool(t.Context(), "terraform-1.14")
	if err != nil {
		t.Fatal(err)
	}

	terraform, err := cli.New(t.Context(), binary, providerBinary(t), source, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	found, err := terraform.Run(t.Context(), "query", "-no-color", "-generate-config-out=generated.tf")
	if err != nil {
		t.Fatal(err)
	}

	printed, err := terraform.Run(t.Context(), "apply", "-auto-approve", "-no-color")
	if err != nil {
		t.Fatalf("%v\nThe query found:\n%s", err, found)
	}

	if !strings.Contains(printed, "11 imported, 0 added, 0 changed, 0 destroyed") {
		t.Errorf("The import changes something:\n%s\nThe query found:\n%s", printed, found)
	}

	wantEmptyPlan(t, terraform, "the import")

	// A certificate's private key is told nobody, so that its configuration cannot be written.
	write(t, filepath.Join(terraform.Folder, "all.tfquery.hcl"), "list \"gateway_certificate\" \"kong\" {\n  provider = hypervisor.kong\n}\n")

	if found, err = terraform.Run(t.Context(), "query", "-no-color"); err != nil || !strings.Contains(found, "name=pay") {
		t.Errorf("The query does not find the certificate (%v):\n%s", err, found)
	}
}
