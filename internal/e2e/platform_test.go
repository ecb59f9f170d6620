//go:build e2e

// Package e2e_test runs the module two-host-ha on a test bed: two hosts and a witness, with everything real but the hardware.
// The machines are containers of Debian with systemd and cloud-init, as emulated ones would take minutes to boot.
package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// patience is for anything that may take long on a busy machine.
const patience = 10 * time.Minute

// platform is what the configuration in testdata makes.
type platform struct {
	bed       *testbed.Bed
	hosts     map[string]*testbed.Host
	terraform *cli.CLI
	variables map[string]any
	address   string // the virtual one
	primary   string // host of the primary
	next      int    // number of the next write

	estimate map[string]estimate // what the module says of each tier
	hurry    bool                // whether clients are to wait no longer than the module and the goals say
}

// estimate is the module's rto_estimate of a tier, in seconds.
type estimate struct{ Typical, Longest float64 }

// members are the machines of the MySQL pair, by their hosts.
var members = map[string]string{"alpha": "mysql-1", "beta": "mysql-2"}

// raise starts the hosts and applies the configuration.
func raise(t *testing.T, hurry bool) *platform {
	t.Helper()

	bed, hosts, variables := startHosts(t)
	p := &platform{
		bed: bed, hosts: hosts, next: 1, address: bed.Address(100), terraform: prepare(t, "testdata"), variables: variables, hurry: hurry,
	}
	variables["secrets"] = secrets(t)

	if !hurry { // then nothing is lost because this machine is busy
		variables["advert_interval"] = "1s"
		variables["detection"] = map[string]string{"probe_interval": "2s", "probe_timeout": "1s", "suspicion_mult": "4"}
	}

	if err := p.apply(t); err != nil {
		t.Fatal(err)
	}

	p.wantNoChanges(t)

	if err := p.terraform.Output(t.Context(), "rto_estimate", &p.estimate); err != nil {
		t.Fatal(err)
	}

	return p
}

// apply applies the configuration with the variables as they are.
func (p *platform) apply(t *testing.T) error {
	t.Helper()

	if err := p.terraform.SetVariables(p.variables); err != nil {
		return err
	}

	began := time.Now()
	if err := p.terraform.Apply(t.Context(), nil); err != nil {
		return err
	}

	t.Logf("applied after %.0f s", time.Since(began).Seconds())

	return nil
}

// wantNoChanges wants the hosts to be as they are declared.
func (p *platform) wantNoChanges(t *testing.T) {
	t.Helper()

	changes, text, err := p.terraform.Plan(t.Context())
	if err != nil || changes {
		t.Errorf("The plan has changes (%v):\n%s", err, text)
	}
}

// startHosts starts two hosts and a witness, and returns what a configuration has to know of them as variables.
func startHosts(t *testing.T) (*testbed.Bed, map[string]*testbed.Host, map[string]any) {
	t.Helper()

	system, err := testbed.OpenSystem(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	bed, hosts, uris := testbed.For(t), map[string]*testbed.Host{}, map[string]string{}

	for _, name := range []string{"alpha", "beta", "gamma"} {
		host, err := bed.StartHost(t.Context(), testbed.HostOptions{Name: name, Containers: true, System: system})
		if err != nil {
			t.Fatal(err)
		}

		hosts[name], uris[name] = host, host.ContainerURI()
	}

	return bed, hosts, map[string]any{"uris": uris, "archive": system.Archive, "subnet": strings.TrimSuffix(bed.Address(1), ".1")}
}

// prepare makes a folder with a configuration and the modules beside it.
func prepare(t *testing.T, configuration string) *cli.CLI {
	t.Helper()

	root, err := cli.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	tree := t.TempDir()
	if err := errors.Join(
		os.CopyFS(tree, os.DirFS(configuration)),
		os.CopyFS(filepath.Join(tree, "modules"), os.DirFS(filepath.Join(root, "modules"))),
	); err != nil {
		t.Fatal(err)
	}

	terraform, err := testbed.Tool(t.Context(), "terraform")
	if err != nil {
		t.Fatal(err)
	}

	provider, err := cli.BuildProvider(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	run, err := cli.New(t.Context(), terraform, provider, tree, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	return run
}

// secrets are what the modules' READMEs say how to make.
func secrets(t *testing.T) map[string]any {
	t.Helper()

	authority, err := testbed.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	certificate, key, err := authority.Issue("server.dc1.consul", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}

	consul, err := testbed.Tool(t.Context(), "consul")
	if err != nil {
		t.Fatal(err)
	}

	gossip, err := exec.CommandContext(t.Context(), consul, "keygen").Output()
	if err != nil {
		t.Fatal(err)
	}

	tokens := map[string]string{}
	for i, name := range []string{"management", "agent", "services", "gateway", "mysql-pair"} {
		tokens[name] = fmt.Sprintf("7a1f0000-0000-4000-8000-%012d", i+1)
	}

	return map[string]any{
		"redis_password": "the-redis-password",
		"mysql":          map[string]any{"replication": "the-replication-password", "users": map[string]string{"shop": "shop-password"}},
		"consul": map[string]any{
			"gossip_key": strings.TrimSpace(string(gossip)), "tokens": tokens,
			"ca_certificate": read(t, authority.CAFile()), "server_certificate": read(t, certificate), "server_key": read(t, key),
		},
	}
}

func read(t *testing.T, path string) string {
	t.Helper()

	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	return string(content)
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func(ctx context.Context) error) {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	for {
		err := condition(ctx)
		if err == nil {
			return
		}

		select {
		case <-ctx.Done():
			t.Fatalf("Gave up waiting for %s; last seen: %v", what, err)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// paired waits until both members of the pair have every write, and returns the host of the primary. The question is asked on
// a host that lives.
func (p *platform) paired(t *testing.T, host string) (primary string) {
	t.Helper()

	eventually(t, "both MySQL servers to be in sync", func(ctx context.Context) error {
		status, err := p.hosts[host].Inside(ctx, members[host], "sh", "-c", "env $(grep ^CONSUL /etc/mysql-pair.env) mysql-pair status --pair=$(sed -n s/^PAIR=//p /etc/mysql-pair.env)")
		if err != nil || strings.Count(status, "in sync")+strings.Count(status, "primary") != 2 {
			return fmt.Errorf("the pair is %q (%w)", status, err)
		}

		for name, member := range members {
			if strings.Contains(status, member+"\tprimary") {
				primary = name
			}
		}

		return nil
	})

	return primary
}

// orders are the writes that the database has.
func (p *platform) orders(t *testing.T, host string) map[string]bool {
	t.Helper()

	text, err := p.hosts[host].Inside(t.Context(), members[host], "mysql", "--batch", "--skip-column-names", "--execute", "SELECT id FROM shop.orders")
	if err != nil {
		t.Fatal(err)
	}

	all := map[string]bool{}
	for id := range strings.FieldsSeq(text) {
		all[id] = true
	}

	return all
}
