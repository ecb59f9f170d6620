package hypervisor_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/wire"
)

// fleet is as many machines as a variable says, by way of a proxy.
const fleet = `
terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

provider "hypervisor" {
  hosts = { alpha = { uri = %q } }
}

variable "machines" {
  type    = number
  default = %d
}

resource "hypervisor_volume" "root" {
  count = var.machines
  host  = "alpha"
  name  = "m${count.index}.qcow2"
  size  = "1MiB"
}

resource "hypervisor_vm" "all" {
  count            = var.machines
  name             = "m${count.index}"
  host             = "alpha"
  domain_type      = %q
  machine          = "pc"
  memory           = "32MiB"
  shutdown_timeout = "0s"
  cpu              = { count = 1 }
  disks            = { root = { volume = hypervisor_volume.root[count.index].id } }
  cloud_init       = { user_data = "#!/bin/sh\n" }
  %s
}
`

// newFleet prepares machines that the provider reaches through a proxy.
func newFleet(t *testing.T, machines int, rest string) (*testbed.Host, *wire.Proxy, *cli.CLI) {
	t.Helper()

	host := testbed.Hosts(t, "alpha")[0]

	proxy, err := wire.Listen(filepath.Join(t.TempDir(), "socket"), host.Socket(), wire.Options{})
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = proxy.Close() })

	source := t.TempDir()
	write(t, filepath.Join(source, "main.tf"), fmt.Sprintf(fleet, proxy.URI(), machines, testbed.DomainTypeFor(t), rest))

	run, err := cli.New(t.Context(), terraformTool(t), builtProvider(t), source, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	return host, proxy, run
}

func mustApply(t *testing.T, run *cli.CLI) {
	t.Helper()

	if err := run.Apply(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	if changes, text, err := run.Plan(t.Context()); err != nil || changes {
		t.Fatalf("The plan after the apply is not empty (%v):\n%s", err, text)
	}
}

// fleetNames are the names of what a fleet has on its host.
func fleetNames(machines int) (names, volumes []string) {
	for number := range machines {
		name := fmt.Sprintf("m%d", number)
		names = append(names, name)
		volumes = append(volumes, name+".qcow2", name+".seed")
	}

	return names, volumes
}

func TestThreeKillsInMidApplyOrphanNothing(t *testing.T) {
	const machines = 10

	host, _, run := newFleet(t, machines, "")

	for _, made := range []int{1, 4, 7} {
		err := run.KillApply(t.Context(), func() bool {
			found, _ := filepath.Glob(filepath.Join(host.Folder(), "etc/qemu/m*.xml"))

			return len(found) >= made
		})
		if err != nil {
			t.Fatal(err)
		}

		_ = os.Remove(filepath.Join(run.Folder, ".terraform.tfstate.lock.info")) // of the killed process
	}

	mustApply(t, run)

	names, volumes := fleetNames(machines)
	wantNames(t, host, names, volumes)

	if err := run.Destroy(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	wantNames(t, host, nil, nil)
}

func TestConnectionCutDuringARefreshNeverPlansToMakeWhatExists(t *testing.T) {
	_, proxy, run := newFleet(t, 2, "")
	mustApply(t, run)
	proxy.Disarm()

	if _, _, err := run.Plan(t.Context()); err != nil {
		t.Fatal(err)
	}

	calls := len(proxy.Calls())
	struck := 0

	for at := 1; at <= calls; at++ {
		proxy.Arm(wire.Fault{Action: wire.Cut, At: at, After: at%2 == 0})

		changes, text, err := run.Plan(t.Context())
		if fired, _ := proxy.Fired(); fired {
			struck++
		}

		switch {
		case err == nil && changes:
			t.Errorf("The plan whose connection was cut at call %d of %d has changes:\n%s", at, calls, text)
		case err != nil && (strings.Contains(text, "will be created") || !strings.Contains(text, "Error: Unable to")):
			t.Errorf("The plan whose connection was cut at call %d of %d failed without saying what of it could not be done:\n%s", at, calls, text)
		}
	}

	t.Logf("cut at %d of %d calls", struck, calls)

	if struck < calls/2 {
		t.Errorf("Only %d of %d calls were cut", struck, calls)
	}

	proxy.Disarm()
	mustApply(t, run)
}

// procDomainXML is the procedure of libvirt's remote protocol that describes a machine.
const procDomainXML = 14

func TestHostThatFallsSilentEndsThePlanInWords(t *testing.T) {
	t.Parallel()

	_, proxy, run := newFleet(t, 1, "")
	mustApply(t, run)
	proxy.Disarm()

	if _, _, err := run.Plan(t.Context()); err != nil {
		t.Fatal(err)
	}

	reading := slices.IndexFunc(proxy.Calls(), func(call wire.Call) bool { return call.Procedure == procDomainXML })
	proxy.Arm(wire.Fault{Action: wire.Stall, At: reading + 1})

	limited, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	changes, text, err := run.Plan(limited)
	if fired, _ := proxy.Fired(); !fired {
		t.Fatal("The host did not fall silent")
	}

	if limited.Err() != nil {
		t.Fatalf("The plan had to be interrupted:\n%s", text)
	}

	// What was under way when it fell silent fails, and what is read after that says that it cannot be reached.
	said := strings.Join(strings.Fields(text), " ") // Terraform breaks lines
	lost := err != nil && (strings.Contains(said, "connection closed due to keepalive timeout") || strings.Contains(said, "the connection to the host was lost"))
	unreached := err == nil && strings.Contains(said, `Warning: Unable to read VM "m0"`) && strings.Contains(said, "the host cannot be reached")

	if changes || !strings.Contains(said, `host "alpha"`) || (!lost && !unreached) {
		t.Errorf("The plan on a host that fell silent: %v\n%s", err, text)
	}

	proxy.Resume()
	mustApply(t, run)
}

// interrupt applies, and presses Ctrl-C when the moment has come. It returns how long Terraform then took to end, and what it said.
func interrupt(t *testing.T, run *cli.CLI, moment func() bool) (took time.Duration, said string) {
	t.Helper()

	ctx, press := context.WithCancel(t.Context())
	defer press()

	ended := make(chan error, 1)

	go func() { ended <- run.Apply(ctx, nil) }()

	deadline := time.After(2 * time.Minute)
	ticker := time.NewTicker(20 * time.Millisecond)

	defer ticker.Stop()

	for !moment() {
		select {
		case err := <-ended:
			t.Fatalf("The apply ended by itself: %v", err)
		case <-deadline:
			t.Fatal("The moment to interrupt the apply did not come")
		case <-ticker.C:
		}
	}

	pressed := time.Now()

	press()

	err := <-ended
	took = time.Since(pressed)

	if err == nil {
		t.Fatal("The interrupted apply succeeded")
	}

	return took, strings.Join(strings.Fields(err.Error()), " ") // Terraform breaks lines
}

// TestInterruptedApplyStopsAndTheNextContinues waits in vain for a guest, for ten minutes if nobody interrupts it.
func TestInterruptedApplyStopsAndTheNextContinues(t *testing.T) {
	t.Parallel()

	host, proxy, run := newFleet(t, 2, `wait_for = { tcp = "127.0.0.1:1" }`)

	took, _ := interrupt(t, run, func() bool {
		pids, _ := filepath.Glob(filepath.Join(host.Folder(), "run/libvirt/qemu/m*.pid"))

		return len(pids) == 2
	})
	t.Logf("stopped %s after Ctrl-C while it waited for guests", took)

	if took > time.Minute {
		t.Errorf("Terraform ended %s after Ctrl-C", took)
	}

	main := filepath.Join(run.Folder, "main.tf")

	text, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}

	write(t, main, strings.Replace(string(text), `wait_for = { tcp = "127.0.0.1:1" }`, "", 1))

	// The next one is interrupted in the middle of an upload, of which the host does not take the end.
	proxy.Disarm()
	stalled := &stallAtStream{proxy: proxy}
	took, _ = interrupt(t, run, stalled.reached)
	t.Logf("stopped %s after Ctrl-C while the host was silent", took)

	if took > time.Minute {
		t.Errorf("Terraform ended %s after Ctrl-C", took)
	}

	proxy.Resume()
	mustApply(t, run)

	names, volumes := fleetNames(2)
	wantNames(t, host, names, volumes)
}

// stallAtStream lets the host fall silent with the first part of an upload.
type stallAtStream struct {
	proxy *wire.Proxy
	armed bool
}

func (s *stallAtStream) reached() bool {
	calls := s.proxy.Calls()

	for _, call := range calls {
		if call.Stream && !s.armed {
			s.proxy.Arm(wire.Fault{Action: wire.Stall, At: 1})
			s.armed = true
		}
	}

	fired, _ := s.proxy.Fired()

	return s.armed && fired
}
