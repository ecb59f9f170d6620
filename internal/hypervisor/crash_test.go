package hypervisor_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/wire"
)

// A subject is one configuration of those that a walk interrupts, each with names of its own, and a proxy of its own between
// the provider and the host. Terraform works on all of them at once, and each is interrupted at another call.
type subject struct {
	number int
	name   string
	host   *testbed.Host
	proxy  *wire.Proxy
}

// A walker interrupts every subject of a run in turn.
type walker struct {
	hosts    []*testbed.Host
	kind     string // of domain
	image    string
	run      *cli.CLI
	subjects []subject
}

const crashHead = `
terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}
`

// crashed is a machine with all that one consists of: an image, an overlay on it, a seed, and CPUs of its own.
const crashed = `
resource "hypervisor_volume" "%[1]s-image" {
  provider = %[2]s
  host     = %[1]q
  name     = "%[1]s-image.qcow2"
  source   = { file = %[3]q }
}

resource "hypervisor_volume" "%[1]s-root" {
  provider = %[2]s
  host     = %[1]q
  name     = "%[1]s-root.qcow2"
  backing  = hypervisor_volume.%[1]s-image.id
  size     = %[5]q
}

resource "hypervisor_vm" %[1]q {
  provider         = %[2]s
  name             = %[1]q
  host             = %[1]q
  domain_type      = %[4]q
  machine          = "pc"
  memory           = "32MiB"
  shutdown_timeout = "0s"
  cpu              = { pins = [%[6]q], emulator = "0-1" }
  autostart        = %[7]t
  disks            = { root = { volume = hypervisor_volume.%[1]s-root.id } }
  interfaces       = { lan = { bridge = "br0" } }
  cloud_init       = { user_data = "#!/bin/sh\n" }
}
`

// newWalker prepares a subject on the hosts for each of the calls, none of which exists yet.
func newWalker(t *testing.T, hosts []*testbed.Host, binary, prefix string, calls []int) *walker {
	t.Helper()

	w := &walker{hosts: hosts, kind: testbed.DomainTypeFor(t), image: filepath.Join(t.TempDir(), "image.qcow2")}

	if output, err := exec.CommandContext(t.Context(), "qemu-img", "create", "-q", "-f", "qcow2", w.image, "1M").CombinedOutput(); err != nil {
		t.Fatalf("Unable to make an image: %v\n%s", err, output)
	}

	sockets := t.TempDir()

	for _, number := range calls {
		s := subject{number: number, name: fmt.Sprintf("%s%d", prefix, number), host: hosts[number%len(hosts)]}

		var err error
		if s.proxy, err = wire.Listen(filepath.Join(sockets, fmt.Sprint(number)), s.host.Socket(), wire.Options{Counts: s.concerns}); err != nil {
			t.Fatal(err)
		}

		t.Cleanup(func() { _ = s.proxy.Close() })
		w.subjects = append(w.subjects, s)
	}

	source := t.TempDir()
	w.declare(t, source, false, false)

	var err error
	if w.run, err = cli.New(t.Context(), terraformTool(t), binary, source, t.TempDir()); err != nil {
		t.Fatal(err)
	}

	return w
}

// Procedures of libvirt's remote protocol that describe an object, and begin with its name.
const (
	procDomainXML = 14
	procVolumeXML = 98
)

// concerns leaves out of the count what a subject reads of the others, of which there are more or less at a time.
func (s subject) concerns(call wire.Call) bool {
	return (call.Procedure != procDomainXML && call.Procedure != procVolumeXML) || bytes.Contains(call.Payload, []byte(s.name))
}

// declare writes the configuration of all subjects, as it is first or as it is to become. Apart, each has a provider process
// of its own, which can be killed without harm to the others.
func (w *walker) declare(t *testing.T, folder string, changed, apart bool) {
	t.Helper()

	var text strings.Builder

	text.WriteString(crashHead)

	for _, s := range w.subjects {
		core, size := 2*s.number, "1MiB"
		if changed {
			core, size = core+1, "2MiB"
		}

		provider := "hypervisor"
		if apart {
			provider += "." + s.name
			fmt.Fprintf(&text, "provider \"hypervisor\" {\n  alias = %q\n  hosts = { %s = { uri = %q } }\n}\n", s.name, s.name, s.proxy.URI())
		}

		fmt.Fprintf(&text, crashed, s.name, provider, w.image, w.kind, size, fmt.Sprint(core), !changed)
	}

	if !apart {
		text.WriteString("provider \"hypervisor\" {\n  hosts = {\n")

		for _, s := range w.subjects {
			fmt.Fprintf(&text, "    %s = { uri = %q }\n", s.name, s.proxy.URI())
		}

		text.WriteString("  }\n}\n")
	}

	write(t, filepath.Join(folder, "main.tf"), text.String())
}

// terraform runs a command with as many subjects at once as there are.
func (w *walker) terraform(t *testing.T, arguments ...string) (string, error) {
	t.Helper()

	return w.run.Run(t.Context(), slices.Insert(arguments, 1, "-no-color", "-parallelism=32")...)
}

// mustRun is terraform for a command that must succeed.
func (w *walker) mustRun(t *testing.T, arguments ...string) string {
	t.Helper()

	output, err := w.terraform(t, arguments...)
	if err != nil {
		t.Fatal(err)
	}

	return output
}

// count runs the operation undisturbed and returns how many calls each subject took, which are all alike.
func (w *walker) count(t *testing.T, arguments ...string) int {
	t.Helper()
	w.mustRun(t, append([]string{"plan", "-out=plan"}, arguments...)...)

	for _, s := range w.subjects {
		s.proxy.Disarm()
	}

	w.mustRun(t, "apply", "plan")

	most := 0
	for _, s := range w.subjects {
		most = max(most, len(s.proxy.Calls()))
	}

	return most
}

// interrupt plans, and applies the plan with one fault for each subject, at the call of its number.
func (w *walker) interrupt(t *testing.T, fault wire.Fault, calls int, changed bool, arguments ...string) string {
	t.Helper()
	w.declare(t, w.run.Folder, changed, fault.Action == wire.Kill)
	w.mustRun(t, append([]string{"plan", "-out=plan"}, arguments...)...)

	for _, s := range w.subjects {
		fault.At = s.number
		s.proxy.Arm(fault)
	}

	output, err := w.terraform(t, "apply", "plan")
	struck, meant := 0, 0

	for _, s := range w.subjects {
		if s.number <= calls {
			meant++
		}

		fired, failure := s.proxy.Fired()
		if failure != nil {
			t.Fatal(failure)
		}

		if fired {
			struck++
		} else if made := len(s.proxy.Calls()); made >= s.number {
			t.Errorf("%s made %d calls and was not interrupted", s.name, made)
		}

		s.proxy.Disarm()
	}

	w.declare(t, w.run.Folder, changed, false)

	if struck < meant*3/4 {
		t.Fatalf("Only %d of %d calls were interrupted (%v):\n%s", struck, meant, err, output)
	}

	return fmt.Sprintf("%d of %d", struck, calls)
}

// everyVariable says how many calls a walk goes at a time; 1 interrupts each.
const everyVariable = "CRASH_WALK_EVERY"

// stride is how many calls the walks go at a time: together, they interrupt each place in one way or another.
func stride(t *testing.T) int {
	t.Helper()

	text, found := os.LookupEnv(everyVariable)
	if !found {
		return 6
	}

	every, err := strconv.Atoi(text)
	if err != nil || every < 1 {
		t.Fatalf("%s is %q, not a number of 1 or more", everyVariable, text)
	}

	return every
}

// settled applies, and checks that the host has what is declared, once, and that nothing is left to do.
func (w *walker) settled(t *testing.T) {
	t.Helper()
	w.mustRun(t, "apply", "-auto-approve")

	ids := w.ids(t)

	for _, host := range w.hosts {
		var machines, volumes []string

		for _, s := range w.subjects {
			if s.host == host {
				machines = append(machines, s.name)
				volumes = append(volumes, s.name+"-image.qcow2", s.name+"-root.qcow2", s.name+".seed")
			}
		}

		slices.Sort(machines)
		slices.Sort(volumes)
		wantNames(t, host, machines, volumes)
		wantWhole(t, host, ids)
	}

	if changes, text, err := w.run.Plan(t.Context(), "-parallelism=32"); err != nil || changes {
		t.Errorf("The plan after the repair is not empty (%v):\n%s", err, text)
	}
}

// wantWhole checks that the host's machines run, are those of the state, and have nothing unfinished about them.
func wantWhole(t *testing.T, host *testbed.Host, ids map[string]string) {
	t.Helper()

	client := libvirt.NewHost(host.Name(), libvirt.Config{URI: host.URI(), ConnectTimeout: time.Minute})

	domains, err := client.Domains(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	for _, domain := range domains {
		if domain.UUID != ids[domain.Name] || !domain.Running {
			t.Errorf("%s has the UUID %s on the host and %s in the state, and runs: %t", domain.Name, domain.UUID, ids[domain.Name], domain.Running)
		}

		for _, text := range []string{domain.XML, domain.LiveXML} {
			spec, err := domainxml.Parse(text)
			if err != nil {
				t.Fatal(err)
			}

			if mark := spec.Mark; !mark.Complete || mark.Claim != (domainxml.Claim{}) || mark.Leaving {
				t.Errorf("%s is marked as unfinished: %+v", domain.Name, mark)
			}
		}
	}
}

// ids returns the machines' UUIDs in the state.
func (w *walker) ids(t *testing.T) map[string]string {
	t.Helper()

	content, err := os.ReadFile(filepath.Join(w.run.Folder, "terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}

	var state struct {
		Resources []struct {
			Type, Name string
			Instances  []struct{ Attributes struct{ ID string } }
		}
	}
	if err := json.Unmarshal(content, &state); err != nil {
		t.Fatal(err)
	}

	ids := map[string]string{}

	for _, resource := range state.Resources {
		if resource.Type == "hypervisor_vm" && len(resource.Instances) == 1 {
			ids[resource.Name] = resource.Instances[0].Attributes.ID
		}
	}

	return ids
}

func TestCrashAtEveryCallIsRepairedByTheNextApply(t *testing.T) {
	hosts := servers256(t, 4)
	binary := builtProvider(t)

	// How many calls each operation takes.
	probe := newWalker(t, hosts, binary, "probe", []int{1})
	create := probe.count(t)
	probe.declare(t, probe.run.Folder, true, false)
	update := probe.count(t)
	destroy := probe.count(t, "-destroy")

	for first, mode := range []struct {
		name  string
		fault wire.Fault
	}{
		{"kill", wire.Fault{Action: wire.Kill, After: true}},
		{"cut before", wire.Fault{Action: wire.Cut}},
		{"cut after", wire.Fault{Action: wire.Cut, After: true}},
	} {
		t.Run(mode.name, func(t *testing.T) {
			var calls []int
			for call := 1 + 2*first%stride(t); call <= max(create, update, destroy); call += stride(t) {
				calls = append(calls, call)
			}

			w := newWalker(t, hosts, binary, strings.ReplaceAll(mode.name, " ", "-")+"-", calls)

			report := func(operation, struck string) {
				fmt.Fprintf(t.Output(), "crash_walk %s %s: %s\n", operation, mode.name, struck)
			}

			report("create", w.interrupt(t, mode.fault, create, false))
			w.settled(t)
			report("update", w.interrupt(t, mode.fault, update, true))
			w.settled(t)
			report("delete", w.interrupt(t, mode.fault, destroy, true, "-destroy"))
			w.mustRun(t, "destroy", "-auto-approve")

			for _, host := range hosts {
				wantNames(t, host, nil, nil)
			}
		})
	}
}
