package hypervisor_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// racer is a declaration with a state of its own, applied by processes of its own: what two CI runners are to each other.
const racer = `
terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

provider "hypervisor" {
  hosts = { alpha = { uri = %q } }
}

variable "machines" {
  type = map(object({ pins = list(string) }))
}

resource "hypervisor_volume" "root" {
  for_each = var.machines
  host     = "alpha"
  name     = "${each.key}.qcow2"
  size     = "1MiB"
}

resource "hypervisor_vm" "all" {
  for_each         = var.machines
  name             = each.key
  host             = "alpha"
  domain_type      = %q
  memory           = "32MiB"
  shutdown_timeout = "0s"
  cpu              = { pins = each.value.pins, emulator = "0,16" }
  disks            = { root = { volume = hypervisor_volume.root[each.key].id } }
}
`

// racers prepares two declarations for one host.
func racers(t *testing.T, host *testbed.Host) (racers [2]*cli.CLI) {
	t.Helper()

	for i := range racers {
		source := t.TempDir()
		write(t, filepath.Join(source, "main.tf"), fmt.Sprintf(racer, host.URI(), testbed.DomainTypeFor(t)))

		var err error
		if racers[i], err = cli.New(t.Context(), terraformTool(t), builtProvider(t), source, t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}

	return racers
}

// race applies both declarations at once and returns what went wrong with each.
func race(t *testing.T, racers [2]*cli.CLI, machines [2]map[string][]string) (failures [2]error) {
	t.Helper()

	for i := range racers {
		variable := map[string]any{}
		for name, pins := range machines[i] {
			variable[name] = map[string]any{"pins": pins}
		}

		if err := racers[i].SetVariables(map[string]any{"machines": variable}); err != nil {
			t.Fatal(err)
		}
	}

	var running sync.WaitGroup
	for i := range racers {
		running.Go(func() { failures[i] = racers[i].Apply(t.Context(), nil) })
	}

	running.Wait()

	return failures
}

// owners reads from the host which machine has which CPU alone, running or not, and reports CPUs with two owners and
// claims that were left behind.
func owners(t *testing.T, host *testbed.Host) map[int]string {
	t.Helper()

	owner := map[int]string{}

	for name := range strings.FieldsSeq(virsh(t, host, "list", "--all", "--name")) {
		mine := map[int]bool{}

		for _, arguments := range [][]string{{"dumpxml", name}, {"dumpxml", name, "--inactive"}} {
			spec, err := domainxml.Parse(virsh(t, host, arguments...))
			if err != nil {
				t.Fatal(err)
			}

			if spec.Mark.Claim != (domainxml.Claim{}) {
				t.Errorf("%s still has the claim %+v", name, spec.Mark.Claim)
			}

			for _, cpu := range spec.ExclusiveCPUs().CPUs() {
				mine[cpu] = true
			}
		}

		for cpu := range mine {
			if other, taken := owner[cpu]; taken {
				t.Errorf("CPU %d belongs to %s and to %s, to each alone", cpu, other, name)
			}

			owner[cpu] = name
		}
	}

	return owner
}

// lost is what an apply says that did not get a CPU.
var lost = regexp.MustCompile(`CPU\s+[0-9,-]+\s+of\s+host\s+"alpha"\s+(?:is\s+claimed\s+at\s+the\s+same\s+time\s+by|belongs\s+to|is\s+used\s+by)\s+machine\s+"(left|right)-`)

// wantNamed checks that an apply which failed did so for a CPU of the other's.
func wantNamed(t *testing.T, failure error, other string) {
	t.Helper()

	if failure == nil {
		return
	}

	errors := strings.Split(failure.Error(), "Error: ")[1:]
	if len(errors) == 0 {
		t.Errorf("An apply failed and does not say why: %v", failure)
	}

	for _, text := range errors {
		text, _, _ = strings.Cut(text, "Warning: ")
		if named := lost.FindStringSubmatch(text); named == nil || named[1] != other {
			t.Errorf("An apply failed, and not for a CPU of a machine of %s: %v", other, failure)
		}
	}
}

func TestTwoAppliesAtOnceNeverOwnTheSameCPU(t *testing.T) {
	t.Parallel()

	const rounds, each = 4, 3

	host := server64(t, testbed.For(t), "alpha")
	both := racers(t, host)
	contested := 0

	for round := range rounds {
		var machines [2]map[string][]string

		for i, side := range []string{"left", "right"} {
			machines[i] = map[string][]string{}
			for number := range each {
				machines[i][fmt.Sprintf("%s-%d", side, number)] = []string{fmt.Sprint(1 + number), fmt.Sprint(33 + number)}
			}
		}

		failures := race(t, both, machines)
		owner := owners(t, host)

		for number := range each {
			if owner[1+number] == "" || owner[1+number] != owner[33+number] {
				t.Errorf("Round %d: the CPUs %d and %d belong to %q and %q, want them to belong to one of the two that asked",
					round, 1+number, 33+number, owner[1+number], owner[33+number])
			}
		}

		for i, other := range []string{"right", "left"} {
			if wantNamed(t, failures[i], other); failures[i] != nil {
				contested++
			}
		}

		if failures[0] == nil && failures[1] == nil {
			t.Errorf("Round %d: both applies say that they have the same CPUs", round)
		}

		race(t, both, [2]map[string][]string{})

		if t.Failed() {
			break
		}
	}

	t.Logf("%d of %d applies were refused", contested, 2*rounds)
	wantNames(t, host, nil, nil)
}

func TestTwoRunningMachinesThatGoToACPUAtOnceNeverBothGetIt(t *testing.T) {
	t.Parallel()

	const rounds = 4

	host := server64(t, testbed.For(t), "alpha")
	both := racers(t, host)
	at := func(left, right int) [2]map[string][]string {
		return [2]map[string][]string{{"left-0": {fmt.Sprint(left)}}, {"right-0": {fmt.Sprint(right)}}}
	}

	for _, failure := range race(t, both, at(1, 2)) {
		if failure != nil {
			t.Fatal(failure)
		}
	}

	processes := [2]int{process(t, host, "left-0"), process(t, host, "right-0")}

	for round := range rounds {
		target := 3 + round
		failures := race(t, both, at(target, target))

		winner := owners(t, host)[target]
		if (failures[0] == nil) == (failures[1] == nil) || (winner == "left-0") != (failures[0] == nil) {
			t.Errorf("Round %d: CPU %d belongs to %q, and the applies say %v and %v", round, target, winner, failures[0], failures[1])
		}

		wantNamed(t, failures[0], "right")
		wantNamed(t, failures[1], "left")

		if got := thread(t, host, winner, "CPU 0/"); got != fmt.Sprint(target) {
			t.Errorf("Round %d: %s has CPU %d and runs on %s", round, winner, target, got)
		}

		if t.Failed() {
			break
		}
	}

	if now := [2]int{process(t, host, "left-0"), process(t, host, "right-0")}; now != processes {
		t.Errorf("The machines have the processes %v, and had %v", now, processes)
	}

	race(t, both, [2]map[string][]string{})
	wantNames(t, host, nil, nil)
}
