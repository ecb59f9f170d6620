package provider_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// TestQuickstartServesRequestsFromBothHosts walks examples/quickstart through its life, with Terraform and with OpenTofu.
func TestQuickstartServesRequestsFromBothHosts(t *testing.T) {
	s := startStack(t)

	for _, tool := range []string{"terraform", "tofu"} {
		t.Run(tool, func(t *testing.T) {
			run := s.quickstart(t, tool)

			apply(t, run)
			s.wantThreads(t, "1", "0")
			s.wantResolved(t, "web-1", "web-2")
			s.wantAnswers(t, "web-1", "web-2")
			wantEmptyPlan(t, run, "the apply")

			s.importEverything(t, run)
			s.movePins(t, run)
			s.repairDeath(t, run)

			if err := run.Destroy(t.Context(), nil); err != nil {
				t.Fatal(err)
			}

			s.wantNothingLeft(t)
		})
	}
}

// importEverything forgets the state and gets it back by imports alone.
func (s *stack) importEverything(t *testing.T, run *cli.CLI) {
	t.Helper()

	ids := map[string]string{"gateway_upstream.up": "up", "gateway_route.shop": "shop"}

	for machine, host := range machines {
		ids[`hypervisor_vm.web["`+machine+`"]`] = host + "/" + machine
		ids[`hypervisor_volume.root["`+machine+`"]`] = host + "/default/" + machine + ".qcow2"
		ids[`hypervisor_volume.image["`+host+`"]`] = host + "/default/web-base.qcow2?file=" + testbed.ImageFor(t)
		ids[`consul_service.up["`+machine+`"]`] = machine
	}

	if err := os.Remove(filepath.Join(run.Folder, "terraform.tfstate")); err != nil {
		t.Fatal(err)
	}

	for address, id := range ids {
		if _, err := run.Run(t.Context(), "import", "-no-color", address, id); err != nil {
			t.Fatal(err)
		}
	}

	wantEmptyPlan(t, run, "importing everything")
}

// movePins changes pins and sees the threads move in the same process.
func (s *stack) movePins(t *testing.T, run *cli.CLI) {
	t.Helper()

	before, uptime := s.pids(t), s.uptime(t, "web-1")

	edit(t, run, "main.tf", `cpu         = { pins = ["1"], emulator = "0" }`, `cpu         = { pins = ["0"], emulator = "1" }`)

	_, text, err := run.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	if !strings.Contains(text, "Plan: 0 to add, 2 to change, 0 to destroy.") {
		t.Errorf("Changed pins are not planned in place:\n%s", text)
	}

	apply(t, run)
	s.wantThreads(t, "0", "1")

	for machine, pid := range s.pids(t) {
		if pid != before[machine] {
			t.Errorf("%s has the process %d after its pins changed, and had %d: it was restarted", machine, pid, before[machine])
		}
	}

	if now := s.uptime(t, "web-1"); now < uptime {
		t.Errorf("web-1 is up for %.1f s after its pins changed, and was for %.1f s: it was restarted", now, uptime)
	}

	wantEmptyPlan(t, run, "moving pins")
}

// repairDeath kills a machine behind our back and has the next apply start it again.
func (s *stack) repairDeath(t *testing.T, run *cli.CLI) {
	t.Helper()

	if err := syscall.Kill(s.pids(t)["web-2"], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}

	s.wantResolved(t, "web-1")

	changes, text, err := run.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	if !changes || !strings.Contains(text, "running          = false -> true") {
		t.Errorf("The death of a machine is not in the plan:\n%s", text)
	}

	apply(t, run)
	s.wantResolved(t, "web-1", "web-2")
	s.wantAnswers(t, "web-1", "web-2")
	wantEmptyPlan(t, run, "the repair")
}

// TestKilledApplyIsRepairedByTheNext kills Terraform and the provider with machines half made.
func TestKilledApplyIsRepairedByTheNext(t *testing.T) {
	s := startStack(t)
	run := s.quickstart(t, "terraform")

	err := run.KillApply(t.Context(), func() bool {
		return s.virsh(t, "beta", "list", "--name") == "web-2"
	})
	if err != nil {
		t.Fatal(err)
	}

	apply(t, run)

	for machine, host := range machines {
		if got := s.virsh(t, host, "list", "--all", "--name"); got != machine {
			t.Errorf("%s has the machines %q after the repair, want just %s", host, got, machine)
		}
	}

	s.wantAnswers(t, "web-1", "web-2")
	wantEmptyPlan(t, run, "the repair")

	if err := run.Destroy(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	s.wantNothingLeft(t)
}

// TestDeadHostFailsItsOwnResourcesOnly goes on with alpha while beta is down.
func TestDeadHostFailsItsOwnResourcesOnly(t *testing.T) {
	s := startStack(t)
	run := s.quickstart(t, "terraform")
	apply(t, run)

	if err := s.hosts["beta"].Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	s.wantResolved(t, "web-1")

	const running = `wait_for = { tcp`

	edit(t, run, "main.tf", running, "autostart = each.key != \"web-1\"\n\n  "+running)
	apply(t, run)

	if info := s.virsh(t, "alpha", "dominfo", "web-1"); !strings.Contains(info, "Autostart:      disable") {
		t.Errorf("alpha's machine was not changed while beta was down:\n%s", info)
	}

	edit(t, run, "main.tf", `autostart = each.key != "web-1"`, `autostart = each.key == "web-1"`)

	err := run.Apply(t.Context(), nil)
	if err == nil {
		t.Fatal("An apply that changes a machine of a dead host succeeded")
	}

	for _, want := range []string{`Unable to update VM "web-2"`, `connect to host "beta"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("The error does not say %q:\n%v", want, err)
		}
	}

	if info := s.virsh(t, "alpha", "dominfo", "web-1"); !strings.Contains(info, "Autostart:      enable") {
		t.Errorf("alpha's machine was not changed beside the failure of beta's:\n%s", info)
	}

	if err := s.hosts["beta"].Restart(t.Context()); err != nil {
		t.Fatal(err)
	}

	apply(t, run)
	s.wantAnswers(t, "web-1", "web-2")
	wantEmptyPlan(t, run, "the host's return")

	if err := run.Destroy(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	s.wantNothingLeft(t)
}
