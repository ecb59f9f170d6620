package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/hashicorp/consul/api"
)

const strict = `
terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "token" {
  type      = string
  ephemeral = true
  default   = null
}

variable "ca" { type = string }

variable "port" { type = number }

provider "hypervisor" {
  consul = {
    address    = %q
    ca_file    = var.ca
    cert_file  = %q
    key_file   = %q
    token      = var.token
    token_file = null # by another
  }
  gateway = { traefik = {} }
}

resource "consul_node" "db" {
  provider = hypervisor
  name     = "db-1"
  address  = "10.0.0.9"
}

resource "consul_service" "db" {
  provider = hypervisor
  name     = "db"
  node     = consul_node.db.name
  address  = "10.0.0.9"
  port     = var.port
}

resource "consul_service" "web" {
  provider = hypervisor
  name     = "web"
  port     = var.port
}

resource "gateway_upstream" "web" {
  provider = hypervisor
  name     = "web"
  services = { (consul_service.web.name) = {} }
}

resource "gateway_route" "web" {
  provider = hypervisor
  name     = "web"
  paths    = ["/"]
  upstream = gateway_upstream.web.name
}
`

// managementToken is that of the Consul that newStrict starts.
const managementToken = "6f1f7a52-7c5c-4d0b-9d34-2f0c2f0d9a11"

// newStrict prepares the configuration above for a Consul that demands certificates of its clients and denies what no token
// allows. It logs all that the provider has to say.
func newStrict(t *testing.T, tool string) (run *cli.CLI, root *api.Client, authority *testbed.Authority) {
	t.Helper()

	authority = newAuthority(t)

	servers, err := testbed.For(t).StartConsulServers(t.Context(), testbed.ConsulOptions{Authority: authority, Token: managementToken})
	if err != nil {
		t.Fatal(err)
	}

	certFile, keyFile, err := authority.Issue("terraform")
	if err != nil {
		t.Fatal(err)
	}

	root, err = api.NewClient(&api.Config{Address: servers[0].Address(), Token: managementToken, TLSConfig: api.TLSConfig{CAFile: authority.CAFile(), CertFile: certFile, KeyFile: keyFile}})
	if err != nil {
		t.Fatal(err)
	}

	source := t.TempDir()
	write(t, filepath.Join(source, "main.tf"), fmt.Sprintf(strict, servers[0].Address(), certFile, keyFile))

	binary, err := testbed.Tool(t.Context(), tool)
	if err != nil {
		t.Fatal(err)
	}

	if run, err = cli.New(t.Context(), binary, providerBinary(t), source, t.TempDir()); err != nil {
		t.Fatal(err)
	}

	run.SetEnv("TF_LOG_PROVIDER", "TRACE")
	run.SetEnv("TF_LOG_PATH", filepath.Join(run.Folder, "log"))

	return run, root, authority
}

func newAuthority(t *testing.T) *testbed.Authority {
	t.Helper()

	authority, err := testbed.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	return authority
}

func setVariables(t *testing.T, run *cli.CLI, values map[string]any) {
	t.Helper()

	if err := run.SetVariables(values); err != nil {
		t.Fatal(err)
	}
}

// wantRefusal plans or applies in vain, and wants the words, in order, in what is said.
func wantRefusal(t *testing.T, what string, run func() error, words ...string) {
	t.Helper()

	err := run()
	if err == nil {
		t.Errorf("%s: it succeeded", what)

		return
	}

	said := strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "│", " ")), " ")

	for _, word := range words {
		_, after, found := strings.Cut(said, word)
		if !found {
			t.Errorf("%s: it does not say %q, or not in its place:\n%v", what, word, err)

			return
		}

		said = after
	}
}

func TestConsulUnderTLSAndAccessControlIsServedByEachSourceOfAToken(t *testing.T) {
	run, root, authority := newStrict(t, "terraform")
	port := func(port int, ca string) { setVariables(t, run, map[string]any{"port": port, "ca": ca}) }
	refresh := func() error {
		_, _, err := run.Plan(t.Context())

		return err
	}

	run.SetEnv("CONSUL_HTTP_TOKEN", managementToken)
	port(81, authority.CAFile())
	apply(t, run)
	wantEmptyPlan(t, run, "an apply with the environment's token")

	port(81, newAuthority(t).CAFile())
	wantRefusal(t, "with another authority", refresh, "Unable to read Consul", "certificate signed by unknown authority", "ca_file", "CONSUL_CACERT")

	port(81, authority.CAFile())
	edit(t, run, "main.tf", "    cert_file ", "    # cert_file ")
	edit(t, run, "main.tf", "    key_file ", "    # key_file ")
	wantRefusal(t, "without a certificate of its own", refresh, "Unable to read Consul", "cert_file and key_file")
	edit(t, run, "main.tf", "    # cert_file ", "    cert_file ")
	edit(t, run, "main.tf", "    # key_file ", "    key_file ")

	run.SetEnv("CONSUL_HTTP_TOKEN", "")
	wantRefusal(t, "without a token", refresh, "Unable to read Consul", "token_file in its block, or CONSUL_HTTP_TOKEN")

	file := filepath.Join(t.TempDir(), "token")
	write(t, file, managementToken+"\n")
	edit(t, run, "main.tf", "token_file = null # by another", fmt.Sprintf("token_file = %q", file))
	port(82, authority.CAFile())
	apply(t, run)
	wantEmptyPlan(t, run, "an apply with the token of a file")

	edit(t, run, "main.tf", fmt.Sprintf("token_file = %q", file), "")
	run.SetEnv("TF_VAR_token", newToken(t, root, `node_prefix "" { policy = "read" } service_prefix "" { policy = "read" } agent_prefix "" { policy = "read" } key_prefix "" { policy = "read" }`))
	wantEmptyPlan(t, run, "an apply, with a token that may only read,")
	port(83, authority.CAFile())

	applies := func() error { return run.Apply(t.Context(), nil) }
	wantRefusal(t, "with a token that may only read", applies, `Unable to update Consul service "db"`, "service:write", "Let the token's policies allow it")

	run.SetEnv("CONSUL_HTTP_TOKEN_FILE", filepath.Join(t.TempDir(), "none")) // gives way to what the block says
	run.SetEnv("TF_VAR_token", managementToken)
	apply(t, run)
	wantEmptyPlan(t, run, "an apply with an ephemeral token")

	if err := run.Destroy(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	wantNothingLeft(t, root)
	wantUntold(t, run, managementToken)
}

func newToken(t *testing.T, root *api.Client, rules string) string {
	t.Helper()

	policy, _, err := root.ACL().PolicyCreate(&api.ACLPolicy{Name: "limited", Rules: rules}, nil)
	if err != nil {
		t.Fatalf("make a policy: %v", err)
	}

	token, _, err := root.ACL().TokenCreate(&api.ACLToken{Policies: []*api.ACLTokenPolicyLink{{ID: policy.ID}}}, nil)
	if err != nil {
		t.Fatalf("make a token: %v", err)
	}

	return token.SecretID
}

// wantNothingLeft checks that Consul has nothing beside itself.
func wantNothingLeft(t *testing.T, root *api.Client) {
	t.Helper()

	nodes, _, err := root.Catalog().Nodes(nil)
	if err != nil || len(nodes) != 1 {
		t.Errorf("Consul has %d nodes after the destroy, want its own (%v)", len(nodes), err)
	}

	services, err := root.Agent().Services()
	if err != nil || len(services) != 0 {
		t.Errorf("The agent has %d services after the destroy (%v)", len(services), err)
	}

	keys, _, err := root.KV().Keys("", "", nil)
	if err != nil || len(keys) != 0 {
		t.Errorf("Consul has the keys %q after the destroy (%v)", keys, err)
	}
}

// wantUntold checks that no file of the run's folder but those that tell it to the provider has the secret.
func wantUntold(t *testing.T, run *cli.CLI, secret string) {
	t.Helper()

	for _, name := range []string{"terraform.tfstate", "terraform.tfstate.backup", "log"} {
		content, err := os.ReadFile(filepath.Join(run.Folder, name))
		if err != nil {
			t.Fatal(err)
		}

		if len(content) == 0 || strings.Contains(string(content), secret) {
			t.Errorf("%s is empty, or tells the token", name)
		}
	}
}
