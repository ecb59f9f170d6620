//go:build realhost

// Package realhost_test runs the provider against a host with a kernel of its own: Debian in a virtual machine, with what the
// namespaces of other tests' hosts cannot have. All tests share one server, since it takes a minute to boot; each has names of
// its own there and leaves nothing behind.
package realhost_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

var server *testbed.Server

func TestMain(m *testing.M) { os.Exit(withServer(context.Background(), m)) }

func withServer(ctx context.Context, m *testing.M) (code int) {
	failed := func(what string, err error) {
		fmt.Fprintf(os.Stderr, "Unable to %s: %v\n", what, err)

		code = 1
	}

	terraform, err := testbed.Tool(ctx, "terraform")
	if err != nil {
		terraform, err = testbed.Tool(ctx, "tofu")
	}

	if err != nil {
		failed("find Terraform or OpenTofu", err)

		return code
	}

	for name, value := range map[string]string{"TF_ACC_TERRAFORM_PATH": terraform, "CHECKPOINT_DISABLE": "1"} {
		if err := os.Setenv(name, value); err != nil {
			failed("set "+name, err)

			return code
		}
	}

	bed, err := testbed.Open(ctx, testbed.Options{Log: os.Stderr})
	if err != nil {
		failed("open a test bed", err)

		return code
	}

	defer func() {
		if err := bed.Close(); err != nil {
			failed("close the test bed", err)
		}
	}()

	if server, err = bed.StartServer(ctx); err != nil {
		failed("start the server", err)

		return code
	}

	return m.Run()
}

// apply walks Terraform through the steps with the provider in this process. What is left at the end is destroyed.
func apply(t *testing.T, steps ...resource.TestStep) {
	t.Helper()

	for i := range steps {
		if steps[i].Config != "" {
			steps[i].Config = fmt.Sprintf("provider \"hypervisor\" {\n  hosts = { server = { uri = %q, connect_timeout = \"2m\" } }\n}\n\n", server.URI()) + steps[i].Config
		}
	}

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"hypervisor": providerserver.NewProtocol6WithError(provider.New("test")()),
		},
		Steps: steps,
	})
}

// on has the server run a script and returns what it printed.
func on(t *testing.T, script string) string {
	t.Helper()

	output, err := server.Run(t.Context(), script)
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}

	return output
}

// undo has the server run a script when the test has ended.
func undo(t *testing.T, script string) {
	t.Helper()

	t.Cleanup(func() {
		if output, err := server.Run(context.WithoutCancel(t.Context()), script); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
	})
}

// want compares what a script prints on the server, with its white space made even.
func want(t *testing.T, script, text string) {
	t.Helper()

	if got := strings.Join(strings.Fields(on(t, script)), " "); got != text {
		t.Errorf("%s\nprints %q, want %q", script, got, text)
	}
}

// check runs a function between Terraform's steps.
func check(function func()) resource.TestCheckFunc {
	return func(*terraform.State) error {
		function()

		return nil
	}
}

// planned checks what a plan does to a resource.
func planned(address string, action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, action)}}
}

// imported is a step that imports a resource, and finds what the state has.
func imported(address, id string) resource.TestStep {
	return resource.TestStep{ResourceName: address, ImportState: true, ImportStateId: id, ImportStateVerify: true}
}

// flexible matches a text whose words may be broken into lines, with "..." for anything.
func flexible(text string) *regexp.Regexp {
	pattern := strings.Join(strings.Fields(regexp.QuoteMeta(text)), `[\s│]+`)

	return regexp.MustCompile(strings.ReplaceAll(pattern, `\.\.\.`, `[\s\S]*`))
}

// small is for machines of which it does not matter.
const small = "memory = \"64MiB\"\n  cpu    = { count = 1 }\n"

// idle is a machine that starts with nothing to boot: what its host makes of it is all that there is to see. It has an empty disk.
func idle(name, rest string) string {
	return fmt.Sprintf(`
resource "hypervisor_volume" "root_of_%[1]s" {
  host = "server"
  name = "%[1]s.qcow2"
  size = "1MiB"
}
`, name) + idleOn(name, "hypervisor_volume.root_of_"+name+".id", rest)
}

// idleOn is an idle machine with a volume of the configuration.
func idleOn(name, volume, rest string) string {
	return fmt.Sprintf(`
resource "hypervisor_vm" %[1]q {
  name             = %[1]q
  host             = "server"
  domain_type      = "qemu"
  disks            = { root = { volume = %[2]s } }
  shutdown_timeout = "0s"
  %[3]s
}
`, name, volume, rest)
}
