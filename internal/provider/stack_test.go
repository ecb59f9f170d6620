package provider_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/hashicorp/consul/api"
)

// patience is the deadline of everything that a test waits for. It is generous: the machine may be busy.
const patience = 2 * time.Minute

// A stack is what the quickstart needs: two hosts, Consul and a gateway.
type stack struct {
	hosts    map[string]*testbed.Host
	consul   *testbed.Consul
	traefik  *testbed.Traefik
	catalog  *api.Client
	provider string
}

var machines = map[string]string{"web-1": "alpha", "web-2": "beta"}

func startStack(t *testing.T) *stack {
	t.Helper()

	hosts := testbed.Hosts(t, "alpha", "beta")
	s := &stack{hosts: map[string]*testbed.Host{}}

	for _, host := range hosts {
		s.hosts[host.Name()] = host
	}

	bed := hosts[0].Bed()

	var err error
	if s.consul, err = bed.StartConsul(t.Context()); err != nil {
		t.Fatal(err)
	}

	if s.traefik, err = bed.StartTraefik(t.Context(), s.consul); err != nil {
		t.Fatal(err)
	}

	if s.catalog, err = api.NewClient(&api.Config{Address: s.consul.Address()}); err != nil {
		t.Fatal(err)
	}

	s.provider = providerBinary(t)

	return s
}

var buildOnce = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "provider-test-")
	if err != nil {
		return "", err
	}

	return cli.BuildProvider(context.Background(), folder)
})

func TestMain(m *testing.M) {
	code := m.Run()

	if path, err := buildOnce(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}

	os.Exit(code)
}

func providerBinary(t *testing.T) string {
	t.Helper()

	path, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}

	return path
}

// quickstart prepares the quickstart with a Terraform or OpenTofu. Its machines also tell their uptime.
func (s *stack) quickstart(t *testing.T, tool string) *cli.CLI {
	t.Helper()

	binary, err := testbed.Tool(t.Context(), tool)
	if err != nil {
		t.Fatal(err)
	}

	root, err := cli.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	run, err := cli.New(t.Context(), binary, s.provider, filepath.Join(root, "examples/quickstart"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	s.declare(t, run, machines)

	edit(t, run, "web.yaml", "runcmd:", `  - path: /srv/www/cgi-bin/uptime
    permissions: "0755"
    content: |
      #!/bin/sh
      printf 'Content-type: text/plain\n\n'
      cat /proc/uptime
runcmd:`)

	return run
}

// declare sets the quickstart's variables to these machines, each with its host.
func (s *stack) declare(t *testing.T, run *cli.CLI, hosts map[string]string) {
	t.Helper()

	declared := map[string]any{}
	for name, host := range hosts {
		declared[name] = map[string]string{"host": host, "address": s.address(name)}
	}

	err := run.SetVariables(map[string]any{
		"hosts":    map[string]string{"alpha": s.hosts["alpha"].URI(), "beta": s.hosts["beta"].URI()},
		"machines": declared, "image": testbed.ImageFor(t), "domain_type": testbed.DomainTypeFor(t), "memory": "128MiB",
		"consul": s.consul.Address(), "lan_gateway": s.hosts["alpha"].Bed().Gateway(),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *stack) address(machine string) string {
	return s.hosts["alpha"].Bed().Address(100 + int(machine[len(machine)-1]-'0'))
}

// edit replaces text in a file of the configuration.
func edit(t *testing.T, run *cli.CLI, file, before, after string) {
	t.Helper()

	path := filepath.Join(run.Folder, file)

	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	if strings.Count(string(content), before) != 1 {
		t.Fatalf("%s has %q %d times, want once", file, before, strings.Count(string(content), before))
	}

	if err := os.WriteFile(path, []byte(strings.Replace(string(content), before, after, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func apply(t *testing.T, run *cli.CLI) {
	t.Helper()

	if err := run.Apply(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func wantEmptyPlan(t *testing.T, run *cli.CLI, after string) {
	t.Helper()

	changes, text, err := run.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	if changes {
		t.Fatalf("The plan after %s is not empty:\n%s", after, text)
	}
}

// wantThreads checks where the kernel holds the one vCPU and the main thread of each machine.
func (s *stack) wantThreads(t *testing.T, vcpu, emulator string) {
	t.Helper()

	for machine, host := range machines {
		threads, err := s.hosts[host].Threads(machine)
		if err != nil {
			t.Fatal(err)
		}

		if threads[0].CPUs != emulator {
			t.Errorf("The kernel holds the emulator of %s to CPUs %s, want %s", machine, threads[0].CPUs, emulator)
		}

		at := slices.IndexFunc(threads, func(thread testbed.Thread) bool { return strings.HasPrefix(thread.Name, "CPU 0/") })
		if at < 0 {
			t.Fatalf("%s has no thread of a vCPU: %v", machine, threads)
		}

		if threads[at].CPUs != vcpu {
			t.Errorf("The kernel holds the vCPU of %s to CPUs %s, want %s", machine, threads[at].CPUs, vcpu)
		}
	}
}

func (s *stack) pids(t *testing.T) map[string]int {
	t.Helper()

	pids := map[string]int{}

	for machine, host := range machines {
		pid, err := s.hosts[host].PID(machine)
		if err != nil {
			t.Fatal(err)
		}

		pids[machine] = pid
	}

	return pids
}

// eventually polls until check returns no error.
func eventually(t *testing.T, check func() error) {
	t.Helper()

	deadline := time.Now().Add(patience)

	for {
		err := check()
		if err == nil {
			return
		}

		if time.Now().After(deadline) {
			t.Fatalf("Still not after %s: %v", patience, err)
		}

		select {
		case <-time.After(100 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// ask sends a request through the gateway and returns the machine that answered.
func (s *stack) ask(ctx context.Context) (string, error) {
	body, err := get(ctx, s.traefik.URL()+"/", "shop.example.com")
	if err != nil {
		return "", err
	}

	words := strings.Fields(body) // "Hello from web-1 on alpha"
	if len(words) != 5 || machines[words[2]] != words[4] {
		return "", fmt.Errorf("unexpected answer %q", body)
	}

	return words[2], nil
}

// uptime asks a machine itself how long its kernel has been up.
func (s *stack) uptime(t *testing.T, machine string) (seconds float64) {
	t.Helper()

	eventually(t, func() error {
		body, err := get(t.Context(), "http://"+s.address(machine)+"/cgi-bin/uptime", "")
		if err != nil {
			return err
		}

		_, err = fmt.Sscan(body, &seconds)

		return err
	})

	return seconds
}

func get(ctx context.Context, url, host string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}

	request.Host = host

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}

	defer func() { _ = response.Body.Close() }()

	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}

	return string(body), err
}
