package hypervisor_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

func TestMain(m *testing.M) {
	os.Setenv("CHECKPOINT_DISABLE", "1") // Terraform would ask its maker for newer versions

	var err error
	if buildFolder, err = os.MkdirTemp("", "provider-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}

	code := m.Run()

	_ = os.RemoveAll(buildFolder)

	os.Exit(code)
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

// onHosts is a configuration with a provider block for the hosts in front.
func onHosts(configuration string, hosts ...*testbed.Host) string {
	var block strings.Builder

	block.WriteString("provider \"hypervisor\" {\n  hosts = {\n")

	for _, host := range hosts {
		fmt.Fprintf(&block, "    %s = { uri = %q, connect_timeout = \"5s\" }\n", host.Name(), host.URI())
	}

	block.WriteString("  }\n}\n\n")

	return block.String() + configuration
}

// virsh runs one command on a host and returns what it printed.
func virsh(t *testing.T, host *testbed.Host, arguments ...string) string {
	t.Helper()

	output, err := exec.CommandContext(t.Context(), "virsh", append([]string{"-q", "-c", host.URI()}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("virsh %v on %s: %v\n%s", arguments, host.Name(), err, output)
	}

	return strings.TrimSpace(string(output))
}

// wantNames checks which machines and volumes a host has, and nothing else.
func wantNames(t *testing.T, host *testbed.Host, machines, volumes []string) {
	t.Helper()

	got := strings.Fields(virsh(t, host, "list", "--all", "--name"))
	if slices.Sort(got); !slices.Equal(got, machines) {
		t.Errorf("%s has the machines %v, want %v", host.Name(), got, machines)
	}

	virsh(t, host, "pool-refresh", "default")

	got = nil

	for line := range strings.Lines(virsh(t, host, "vol-list", "default")) {
		got = append(got, strings.Fields(line)[0])
	}

	if slices.Sort(got); !slices.Equal(got, volumes) {
		t.Errorf("%s has the volumes %v, want %v", host.Name(), got, volumes)
	}
}

// check runs a function between Terraform's steps.
func check(function func()) resource.TestCheckFunc {
	return func(*terraform.State) error {
		function()

		return nil
	}
}

// thread returns the CPUs that the kernel holds the thread to whose name has the prefix; "" is the main thread.
func thread(t *testing.T, host *testbed.Host, machine, prefix string) string {
	t.Helper()

	threads, err := host.Threads(machine)
	if err != nil {
		t.Fatal(err)
	}

	at := slices.IndexFunc(threads, func(thread testbed.Thread) bool { return strings.HasPrefix(thread.Name, prefix) })
	if at < 0 {
		t.Fatalf("%s has no thread %q: %v", machine, prefix, threads)
	}

	return threads[at].CPUs
}

// pid returns the process of m1.
func pid(t *testing.T, host *testbed.Host) int {
	t.Helper()

	return process(t, host, "m1")
}

func process(t *testing.T, host *testbed.Host, machine string) int {
	t.Helper()

	id, err := host.PID(machine)
	if err != nil {
		t.Fatal(err)
	}

	return id
}
