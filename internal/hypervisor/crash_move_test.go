package hypervisor_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/wire"
)

// nomad is a machine that a walk sends to and fro between two hosts. It has a provider process of its own, and proxies of its
// own to both hosts, so that it can be interrupted without harm to the others.
const nomad = `
provider "hypervisor" {
  alias = %[1]q
  hosts = { alpha = { uri = %[2]q }, beta = { uri = %[3]q } }
}

resource "hypervisor_volume" %[1]q {
  provider = hypervisor.%[1]s
  host     = var.host
  name     = "%[1]s.img"
  source   = { file = %[4]q }
}

resource "hypervisor_vm" %[1]q {
  provider         = hypervisor.%[1]s
  name             = %[1]q
  host             = var.host
  domain_type      = %[5]q
  machine          = "pc"
  memory           = "32MiB"
  shutdown_timeout = "0s"
  cpu              = { pins = ["%[6]d"], emulator = "0-1" }
  disks            = { root = { volume = hypervisor_volume.%[1]s.id } }
  cloud_init       = { user_data = "#!/bin/sh\n" }
}
`

// A caravan is the machines of a walk, all of which are on the same of its two hosts between the rounds.
type caravan struct {
	hosts   [2]*testbed.Host
	run     *cli.CLI
	names   []string
	proxies [][2]*wire.Proxy // of each machine, to each host
	content string           // the file that is on their disks
	at      int              // which of the hosts they are on
}

// A strike is a call at which a machine's move is interrupted, on the connection to the host that it leaves (0) or to which it
// goes (1).
type strike struct{ side, call int }

// newCaravan brings so many machines to life on the first host.
func newCaravan(t *testing.T, hosts [2]*testbed.Host, binary string, size int) *caravan {
	t.Helper()

	c := &caravan{hosts: hosts, content: contentFor(t, 256)}
	sockets, source := t.TempDir(), t.TempDir()
	text := crashHead + "variable \"host\" { type = string }\n"

	for number := range size {
		name := subjectName("nomad", number)

		var proxies [2]*wire.Proxy

		for side, host := range hosts {
			var err error
			if proxies[side], err = wire.Listen(filepath.Join(sockets, fmt.Sprintf("%d-%d", number, side)), host.Socket(), wire.Options{Counts: subjectCalls(name)}); err != nil {
				t.Fatal(err)
			}

			t.Cleanup(func() { _ = proxies[side].Close() })
		}

		c.names, c.proxies = append(c.names, name), append(c.proxies, proxies)
		text += fmt.Sprintf(nomad, name, proxies[0].URI(), proxies[1].URI(), c.content, testbed.DomainTypeFor(t), 2+number)
	}

	write(t, filepath.Join(source, "main.tf"), text)

	var err error
	if c.run, err = cli.New(t.Context(), terraformTool(t), binary, source, t.TempDir()); err != nil {
		t.Fatal(err)
	}

	c.bound(t, 0)
	mustRun(t, c.run, "apply", "-auto-approve")
	c.settled(t)

	return c
}

// bound declares the machines on the host.
func (c *caravan) bound(t *testing.T, host int) {
	t.Helper()

	if err := c.run.SetVariables(map[string]any{"host": []string{"alpha", "beta"}[host]}); err != nil {
		t.Fatal(err)
	}

	c.at = host
}

// disarm lets all calls pass, and begins to count anew.
func (c *caravan) disarm() {
	for _, proxies := range c.proxies {
		proxies[0].Disarm()
		proxies[1].Disarm()
	}
}

// count moves the machines undisturbed and returns how many calls that takes at least on the connections to the host that they
// leave, and to which they go.
func (c *caravan) count(t *testing.T) (calls [2]int) {
	t.Helper()
	c.bound(t, 1-c.at)
	mustRun(t, c.run, "plan", "-out=plan")
	c.disarm()
	mustRun(t, c.run, "apply", "plan")

	for i, proxies := range c.proxies {
		for side := range calls {
			if made := len(proxies[c.host(side)].Calls()); i == 0 || made < calls[side] { // some wait for others' uploads
				calls[side] = made
			}
		}
	}

	c.settled(t)

	return calls
}

// host is which of the hosts a side is, once the machines are bound for the other one.
func (c *caravan) host(side int) int {
	if side == 1 {
		return c.at
	}

	return 1 - c.at
}

// interrupt moves the machines to the other host, and each is struck at one call. It returns how many were.
func (c *caravan) interrupt(t *testing.T, fault wire.Fault, strikes []strike) (struck int) {
	t.Helper()
	c.bound(t, 1-c.at)
	mustRun(t, c.run, "plan", "-out=plan")
	c.disarm()

	for i, s := range strikes {
		fault.At = s.call
		c.proxies[i][c.host(s.side)].Arm(fault)
	}

	output, err := runAll(t, c.run, "apply", "plan")
	if err == nil && fault.Action == wire.Kill {
		t.Errorf("An apply whose providers were killed says that it succeeded:\n%s", output)
	}

	for i, s := range strikes {
		proxy := c.proxies[i][c.host(s.side)]

		fired, failure := proxy.Fired()
		if failure != nil {
			t.Fatal(failure)
		}

		if fired {
			struck++
		} else if made := len(proxy.Calls()); made >= s.call {
			t.Errorf("%s made %d calls and was not interrupted", c.names[i], made)
		}
	}

	c.disarm()

	for _, name := range c.names {
		if c.processes(t, name) == 0 {
			t.Errorf("%s, interrupted at call %v, runs nowhere", name, strikes)
		}
	}

	return struck
}

// processes is on how many hosts the machine has a process, be it one that waits.
func (c *caravan) processes(t *testing.T, name string) (count int) {
	t.Helper()

	for _, host := range c.hosts {
		if slices.Contains(strings.Fields(virsh(t, host, "list", "--name")), name) {
			count++
		}
	}

	return count
}

// settled checks that all machines are on the host for which they are bound, with their volumes, that nothing of them is on the
// other one, that they never stopped, and that nothing is left to do.
func (c *caravan) settled(t *testing.T) {
	t.Helper()

	here, there := c.hosts[c.at], c.hosts[1-c.at]

	var volumes []string
	for _, name := range c.names {
		volumes = append(volumes, name+".img", name+".seed")
	}

	wantNames(t, here, c.names, volumes)
	wantNames(t, there, nil, nil)
	wantWhole(t, here, here.URI(), idsOf(t, c.run))

	for _, name := range c.names {
		if starts := c.starts(t, name); starts != 1 {
			t.Errorf("%s was started %d times: it did not run all the while", name, starts)
		}
	}

	if changes, text, err := c.run.Plan(t.Context(), "-parallelism=32"); err != nil || changes {
		t.Errorf("The plan after the move is not empty (%v):\n%s", err, text)
	}
}

// starts is how often the machine was started, by the hosts' own records. A process that takes over a machine from another host
// is none of that.
func (c *caravan) starts(t *testing.T, name string) (count int) {
	t.Helper()

	for _, host := range c.hosts {
		record, err := os.ReadFile(filepath.Join(host.Folder(), "log/qemu", name+".log"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}

		count += bytes.Count(record, []byte("-name guest="+name+",")) - bytes.Count(record, []byte("-incoming "))
	}

	return count
}

// TestCrashAtEveryCallOfAMoveIsRepairedByTheNextApply sends machines to and fro, each interrupted at another call.
func TestCrashAtEveryCallOfAMoveIsRepairedByTheNextApply(t *testing.T) {
	pair := servers256(t, 2)
	const standard = 36

	every, size := stride(t, standard), 6
	if every < standard {
		size = 24
	}

	c := newCaravan(t, [2]*testbed.Host(pair), builtProvider(t), size)
	calls := c.count(t)

	for first, mode := range crashModes {
		var strikes []strike

		for side := range calls {
			for call := 1 + (2*first+side)*every/5; call <= calls[side]; call += every {
				strikes = append(strikes, strike{side: side, call: call})
			}
		}

		struck := 0

		for batch := range slices.Chunk(strikes, size) {
			struck += c.interrupt(t, mode.fault, batch)
			mustRun(t, c.run, "apply", "-auto-approve")
			c.settled(t)
		}

		fmt.Fprintf(t.Output(), "crash_walk move %s: %d of %d and %d\n", mode.name, struck, calls[0], calls[1])

		if struck < len(strikes)*3/4 {
			t.Errorf("Only %d of %d calls were interrupted", struck, len(strikes))
		}
	}

	mustRun(t, c.run, "destroy", "-auto-approve")

	for _, host := range c.hosts {
		wantNames(t, host, nil, nil)
	}
}
