package provider_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/web"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/consul/api"
)

// members is how many of each thing the configuration below has.
const members = 6

const clustered = `
terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "change" {
  type    = number
  default = 1
}

provider "hypervisor" {
  consul  = { address = %q, timeout = "3m" }
  gateway = { traefik = {} }
}

resource "consul_node" "all" {
  provider = hypervisor
  count    = %[2]d
  name     = "node-${count.index}"
  address  = "10.0.0.${count.index + 1}"
}

resource "consul_service" "catalog" {
  provider = hypervisor
  count    = %[2]d
  name     = "catalog-${count.index}"
  node     = consul_node.all[count.index].name
  address  = consul_node.all[count.index].address
  port     = var.change
}

resource "consul_service" "agent" {
  provider   = hypervisor
  count      = %[2]d
  name       = "agent-${count.index}"
  port       = var.change
  depends_on = [consul_service.catalog]
}

resource "gateway_upstream" "all" {
  provider = hypervisor
  count    = %[2]d
  name     = "up-${count.index}"
  services = { (consul_service.agent[count.index].name) = { weight = var.change } }
}

resource "gateway_route" "all" {
  provider = hypervisor
  count    = %[2]d
  name     = "route-${count.index}"
  hosts    = ["${count.index}.test"]
  paths    = var.change == 1 ? ["/"] : ["/", "/cart"]
  upstream = gateway_upstream.all[count.index].name
}
`

func newClustered(t *testing.T, address string) *cli.CLI {
	t.Helper()

	source := t.TempDir()
	write(t, filepath.Join(source, "main.tf"), fmt.Sprintf(clustered, address, members))

	binary, err := testbed.Tool(t.Context(), "terraform")
	if err != nil {
		t.Fatal(err)
	}

	run, err := cli.New(t.Context(), binary, providerBinary(t), source, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	return run
}

// wantMembers checks that Consul has everything once.
func wantMembers(t *testing.T, consul *api.Client) {
	t.Helper()

	names, _, err := consul.Catalog().Services(nil)
	if err != nil {
		t.Fatal(err)
	}

	got, want := map[string]int{}, map[string]int{}

	for name := range maps.Keys(names) {
		instances, _, err := consul.Catalog().Service(name, "", nil)
		if err != nil {
			t.Fatal(err)
		}

		got[name] = len(instances)
	}

	for number := range members {
		want[fmt.Sprintf("catalog-%d", number)] = 1
		want[fmt.Sprintf("agent-%d", number)] = 1
	}

	delete(got, "consul") // the servers themselves
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Consul's instances differ (-want +got):\n%s", diff)
	}

	nodes, _, err := consul.Catalog().Nodes(&api.QueryOptions{Filter: `Node matches "^node-"`})
	if err != nil || len(nodes) != members {
		t.Errorf("Consul has %d nodes of ours, want %d (%v)", len(nodes), members, err)
	}

	keys, _, err := consul.KV().Keys("traefik/owner/", "", nil)
	if err != nil || len(keys) != 2*members {
		t.Errorf("Consul has %d upstreams and routes, want %d (%v)", len(keys), 2*members, err)
	}
}

// leaderBeside returns the leader of a cluster that can lose it, which is made another one than the given server if it is that.
// One that was killed may have been taken out of the cluster meanwhile, and votes again only some time after it has come back.
func leaderBeside(t *testing.T, servers []*testbed.ConsulServer, asked *testbed.ConsulServer, consul *api.Client) (leader *testbed.ConsulServer) {
	t.Helper()

	eventually(t, func() error {
		health, err := consul.Operator().AutopilotServerHealth(nil)
		if err != nil {
			return err
		}

		if health.FailureTolerance < 1 {
			return errors.New("the cluster cannot lose a server")
		}

		for _, server := range servers {
			leads, err := server.Leads(t.Context())

			switch {
			case err != nil:
				return err
			case leads && server == asked:
				_, err := consul.Operator().RaftLeaderTransfer("", nil)

				return errors.Join(errors.New("the one that is asked leads"), err)
			case leads:
				leader = server

				return nil
			}
		}

		return errors.New("no server leads")
	})

	return leader
}

func TestLeaderKilledInAnApplyIsWaitedForAndNothingIsMadeTwice(t *testing.T) {
	servers, err := testbed.For(t).StartConsulServers(t.Context(), testbed.ConsulOptions{Servers: 3})
	if err != nil {
		t.Fatal(err)
	}

	asked := servers[0]

	proxy, err := web.Listen(asked.Address())
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = proxy.Close() })

	consul, err := api.NewClient(&api.Config{Address: asked.Address()})
	if err != nil {
		t.Fatal(err)
	}

	const transaction, registration = "PUT /v1/txn", "PUT /v1/agent/service/register"

	run := newClustered(t, proxy.URL())

	for change, moment := range []struct {
		what string
		when func(calls []string) bool
	}{
		{"the catalog's services are registered", func(calls []string) bool { return calls[len(calls)-1] == transaction }},
		{"keys are written", func(calls []string) bool {
			return calls[len(calls)-1] == transaction && slices.Contains(calls, registration)
		}},
	} {
		leader := leaderBeside(t, servers, asked, consul)
		setVariables(t, run, map[string]any{"change": change + 1})
		proxy.Call(moment.when, leader.Kill)

		if err := run.Apply(t.Context(), nil); err != nil {
			t.Fatalf("The apply in which the leader dies while %s: %v", moment.what, err)
		}

		if fired, _ := proxy.Fired(); !fired {
			t.Fatalf("The leader was not killed while %s", moment.what)
		}

		wantEmptyPlan(t, run, "an apply in which the leader died while "+moment.what)
		wantMembers(t, consul)

		if err := leader.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestConsulRestartedInAnApplyIsWaitedFor restarts the one server that there is, with which the provider talks.
func TestConsulRestartedInAnApplyIsWaitedFor(t *testing.T) {
	servers, err := testbed.For(t).StartConsulServers(t.Context(), testbed.ConsulOptions{})
	if err != nil {
		t.Fatal(err)
	}

	consul, err := api.NewClient(&api.Config{Address: servers[0].Address()})
	if err != nil {
		t.Fatal(err)
	}

	run := newClustered(t, servers[0].Address())

	applied := make(chan error, 1)
	go func() { applied <- run.Apply(t.Context(), nil) }()

	// Nodes come first.
	for seen := (&api.QueryMeta{}); ; {
		nodes, meta, err := consul.Catalog().Nodes(&api.QueryOptions{WaitIndex: seen.LastIndex, WaitTime: patience, Filter: `Node matches "^node-"`})
		if err != nil {
			t.Fatal(err)
		}

		if seen = meta; len(nodes) > 0 {
			break
		}
	}

	servers[0].Kill()

	select {
	case err := <-applied:
		t.Fatalf("The apply ended before Consul was killed: %v", err)
	default:
	}

	if err := servers[0].Start(t.Context()); err != nil {
		t.Fatal(err)
	}

	if err := <-applied; err != nil {
		t.Fatalf("The apply in which Consul restarts: %v", err)
	}

	wantEmptyPlan(t, run, "an apply in which Consul restarted")
	wantMembers(t, consul)
}
