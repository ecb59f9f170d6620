package hypervisor_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// newMove prepares a declaration of a machine whose host, peer and bandwidth are variables.
func newMove(t *testing.T, hosts []*testbed.Host, file string) (run *cli.CLI, set func(host string, peer, bandwidth any)) {
	t.Helper()

	source := t.TempDir()
	text := fmt.Sprintf(mover, "HOST", "default", file, testbed.DomainTypeFor(t), `migration = { bandwidth = var.bandwidth }`)
	text = strings.ReplaceAll(text, `"HOST"`, "var.host")
	write(t, filepath.Join(source, "main.tf"), fmt.Sprintf(`
terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "host" { type = string }
variable "peer" { type = string }
variable "bandwidth" { type = string }

provider "hypervisor" {
  hosts = { alpha = { uri = %q }, beta = { uri = %q, peer_uri = var.peer } }
}
%s`, hosts[0].URI(), hosts[1].URI(), text))

	run, err := cli.New(t.Context(), terraformTool(t), builtProvider(t), source, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	return run, func(host string, peer, bandwidth any) {
		t.Helper()

		if err := run.SetVariables(map[string]any{"host": host, "peer": peer, "bandwidth": bandwidth}); err != nil {
			t.Fatal(err)
		}
	}
}

// copying reports whether m1 is on its way from the first host to the second.
func copying(t *testing.T, hosts []*testbed.Host) bool {
	t.Helper()

	return slices.Contains(strings.Fields(virsh(t, hosts[1], "list", "--all", "--name")), "m1") &&
		strings.Contains(virsh(t, hosts[0], "domjobinfo", "m1"), "Unbounded")
}

// TestInterruptedMoveLeavesTheMachineWhereItRuns presses Ctrl-C while a machine is copied, by this provider and by the hosts
// themselves.
func TestInterruptedMoveLeavesTheMachineWhereItRuns(t *testing.T) {
	t.Parallel()

	hosts := testbed.Hosts(t, "alpha", "beta")
	file := contentFor(t, 8*1024)
	moved, set := newMove(t, hosts, file)

	set("alpha", nil, nil)
	apply(t, moved)

	first := pid(t, hosts[0])

	for name, peer := range map[string]any{"this provider": nil, "the hosts": hosts[1].TCPURI()} {
		set("beta", peer, "1MiB")

		took, said := interrupt(t, moved, func() bool { return copying(t, hosts) })
		t.Logf("stopped %s after Ctrl-C while %s moved the machine", took, name)

		if took > time.Minute {
			t.Errorf("Terraform ended %s after Ctrl-C", took)
		}

		if now := pid(t, hosts[0]); now != first || virsh(t, hosts[0], "domstate", "m1") != "running" {
			t.Errorf("The machine has the process %d and had %d, or does not run", now, first)
		}

		wantNames(t, hosts[0], []string{"m1"}, []string{"m1.img", "m1.seed"})

		switch { // a process that is just starting there takes some seconds to end, and nobody is to wait for it
		case strings.Contains(said, `host "beta" has nothing of it`):
			wantNames(t, hosts[1], nil, nil)
		case !strings.Contains(said, "the next apply goes on from there"):
			t.Errorf("The interrupted apply does not say what is left of the move:\n%s", said)
		}
	}

	set("beta", nil, nil)
	mustApply(t, moved)
	wantNames(t, hosts[0], nil, nil)
	wantNames(t, hosts[1], []string{"m1"}, []string{"m1.img", "m1.seed"})
	wantContent(t, hosts[1], file)
}

// TestKilledMoveIsBroughtToItsEnd kills Terraform and the provider in the middle of moves, directed by this provider and by
// the hosts themselves.
func TestKilledMoveIsBroughtToItsEnd(t *testing.T) {
	t.Parallel()

	hosts := testbed.Hosts(t, "alpha", "beta")
	file := contentFor(t, 4*1024)
	moved, set := newMove(t, hosts, file)

	defined := func() bool {
		return slices.Contains(strings.Fields(virsh(t, hosts[1], "list", "--all", "--name")), "m1")
	}
	half := func() bool { return copying(t, hosts) }

	for _, test := range []struct {
		name   string
		peer   any
		moment func() bool
	}{
		{"while it is prepared", nil, defined},
		{"while it is copied", nil, half},
		{"while the hosts copy it", hosts[1].TCPURI(), half},
	} {
		set("alpha", test.peer, nil)
		apply(t, moved)

		set("beta", test.peer, "1MiB")

		if err := moved.KillApply(t.Context(), test.moment); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}

		set("beta", test.peer, nil)
		apply(t, moved)

		if changes, plan, err := moved.Plan(t.Context()); err != nil || changes {
			t.Errorf("%s: after the next apply the plan is not empty: %v\n%s", test.name, err, plan)
		}

		wantNames(t, hosts[0], nil, nil)
		wantNames(t, hosts[1], []string{"m1"}, []string{"m1.img", "m1.seed"})
		wantContent(t, hosts[1], file)

		if state := virsh(t, hosts[1], "domstate", "m1"); state != "running" {
			t.Errorf("%s: the machine is %s", test.name, state)
		}
	}
}

func apply(t *testing.T, configuration *cli.CLI) {
	t.Helper()

	if err := configuration.Apply(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}
