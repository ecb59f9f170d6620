package gateway_test

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// step is an apply of an example with a variable, and the service that then answers the given share of the requests.
type step struct {
	value   any
	service string
	percent int
}

func TestExamplesMoveTrafficAndNoRequestFails(t *testing.T) {
	terraform, err := testbed.Tool(t.Context(), "terraform")
	must(t, err)

	provider, err := cli.BuildProvider(t.Context(), t.TempDir())
	must(t, err)

	root, err := cli.Root(t.Context())
	must(t, err)

	s := newStack(t)
	for _, service := range []string{"web", "web-next", "blue", "green"} {
		s.register(t, service)
	}

	for _, example := range []struct {
		folder, variable string
		steps            []step
	}{
		{"canary", "canary", []step{{0, "web", 100}, {10, "web", 90}, {100, "web-next", 100}}},
		{"blue-green", "live", []step{{"blue", "blue", 100}, {"green", "green", 100}, {"blue", "blue", 100}}},
	} {
		t.Run(example.folder, func(t *testing.T) {
			run, err := cli.New(t.Context(), terraform, provider, filepath.Join(root, "examples", example.folder), t.TempDir())
			must(t, err)

			var (
				crowd *visitors
				leave func()
			)

			for number, step := range example.steps {
				must(t, run.SetVariables(map[string]any{"consul": s.address, "host": "shop.test", example.variable: step.value}))
				must(t, run.Apply(t.Context(), io.Discard))

				if number == 0 {
					s.answers(t, "shop.test", 200)
					crowd, leave = s.visit(t)
				}

				crowd.expect(t, step.service, step.percent)

				if changes, text, err := run.Plan(t.Context()); err != nil || changes {
					t.Fatalf("the plan after %v is not empty (%v):\n%s", step.value, err, text)
				}
			}

			leave()

			if crowd.failure != nil {
				t.Errorf("a request failed while traffic moved: %v", crowd.failure)
			}

			must(t, run.Destroy(t.Context(), io.Discard))
		})
	}
}
