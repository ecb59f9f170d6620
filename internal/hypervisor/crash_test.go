package hypervisor_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/wire"
)

// A subject is one configuration of those that a walk interrupts, each with names of its own, a provider process of its own,
// and a proxy of its own between that and the host. Terraform works on all of them at once, and each is interrupted at
// another call.
type subject struct {
	number int
	name   string
	proxy  *wire.Proxy
}

// A walker interrupts every subject of a run in turn.
type walker struct {
	host     *testbed.Host
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
provider "hypervisor" {
  alias = %[1]q
  hosts = { alpha = { uri = %[2]q } }
}

resource "hypervisor_volume" "%[1]s-image" {
  provider = hypervisor.%[1]s
  host     = "alpha"
  name     = "%[1]s-image.qcow2"
  source   = { file = %[3]q }
}

resource "hypervisor_volume" "%[1]s-root" {
  provider = hypervisor.%[1]s
  host     = "alpha"
  name     = "%[1]s-root.qcow2"
  backing  = hypervisor_volume.%[1]s-image.id
  size     = %[5]q
}

resource "hypervisor_vm" %[1]q {
  provider         = hypervisor.%[1]s
  name             = %[1]q
  host             = "alpha"
  domain_type      = %[4]q
  memory           = "32MiB"
  shutdown_timeout = "0s"
  cpu              = { pins = [%[6]q], emulator = %[7]q }
  autostart        = %[8]t
  disks            = { root = { volume = hypervisor_volume.%[1]s-root.id } }
  interfaces       = { lan = { bridge = "br0" } }
  cloud_init       = { user_data = "#!/bin/sh\n" }
}
`

// newWalker prepares so many subjects on the host, none of which exists yet.
func newWalker(t *testing.T, host *testbed.Host, binary, prefix string, count int) *walker {
	t.Helper()

	w := &walker{host: host, kind: testbed.DomainTypeFor(t), image: filepath.Join(t.TempDir(), "image.qcow2")}

	if output, err := exec.CommandContext(t.Context(), "qemu-img", "create", "-q", "-f", "qcow2", w.image, "1M").CombinedOutput(); err != nil {
		t.Fatalf("Unable to make an image: %v\n%s", err, output)
	}

	sockets := t.TempDir()

	for number := 1; number <= count; number++ {
		s := subject{number: number, name: fmt.Sprintf("%s%d", prefix, number)}

		var err error
		if s.proxy, err = wire.Listen(filepath.Join(sockets, fmt.Sprint(number)), host.Socket(), wire.Options{Counts: s.concerns}); err != nil {
			t.Fatal(err)
		}

		t.Cleanup(func() { _ = s.proxy.Close() })
		w.subjects = append(w.subjects, s)
	}

	source := t.TempDir()
	write(t, filepath.Join(source, "main.tf"), crashHead)
	w.declare(t, source, false)

	var err error
	if w.run, err = cli.New(t.Context(), terraformTool(t), binary, source, t.TempDir()); err != nil {
		t.Fatal(err)
	}

	return w
}

// terraformTool returns the path of Terraform, or else of OpenTofu.
func terraformTool(t *testing.T) string {
	t.Helper()

	path, err := testbed.Tool(t.Context(), "terraform")
	if err != nil {
		if path, err = testbed.Tool(t.Context(), "tofu"); err != nil {
			t.Fatalf("Unable to find Terraform or OpenTofu: %v", err)
		}
	}

	return path
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

// declare writes the configuration of all subjects, as it is first or as it is to become.
func (w *walker) declare(t *testing.T, folder string, changed bool) {
	t.Helper()

	for _, s := range w.subjects {
		core, size := 2*s.number, "1MiB"
		if changed {
			core, size = core+1, "2MiB"
		}

		write(t, filepath.Join(folder, s.name+".tf"), fmt.Sprintf(crashed,
			s.name, s.proxy.URI(), w.image, w.kind, size, fmt.Sprint(core), "0-1", !changed))
	}
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
func (w *walker) interrupt(t *testing.T, fault wire.Fault, calls int, arguments ...string) (struck int) {
	t.Helper()
	w.mustRun(t, append([]string{"plan", "-out=plan"}, arguments...)...)

	for _, s := range w.subjects {
		fault.At = s.number
		s.proxy.Arm(fault)
	}

	output, err := w.terraform(t, "apply", "plan")

	for _, s := range w.subjects {
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

	if struck < calls*3/4 {
		t.Fatalf("Only %d of %d calls were interrupted (%v):\n%s", struck, calls, err, output)
	}

	return struck
}

// settled applies, and checks that the host has what is declared, once, and that nothing is left to do.
func (w *walker) settled(t *testing.T) {
	t.Helper()
	w.mustRun(t, "apply", "-auto-approve")

	ids := w.ids(t)

	var machines, volumes []string
	for _, s := range w.subjects {
		machines = append(machines, s.name)
		volumes = append(volumes, s.name+"-image.qcow2", s.name+"-root.qcow2", s.name+".seed")
	}

	slices.Sort(machines)
	slices.Sort(volumes)
	wantNames(t, w.host, machines, volumes)

	for _, name := range machines {
		spec, err := domainxml.Parse(virsh(t, w.host, "dumpxml", name, "--inactive"))
		if err != nil {
			t.Fatal(err)
		}

		if spec.UUID != ids[name] {
			t.Errorf("%s has the UUID %s on the host and %s in the state", name, spec.UUID, ids[name])
		}

		if mark := spec.Mark; !mark.Complete || mark.Claim != (domainxml.Claim{}) || mark.Leaving {
			t.Errorf("%s is marked as unfinished: %+v", name, mark)
		}
	}

	if changes, text, err := w.run.Plan(t.Context(), "-parallelism=32"); err != nil || changes {
		t.Errorf("The plan after the repair is not empty (%v):\n%s", err, text)
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
	host := server128(t)
	binary := builtProvider(t)

	// How many calls each operation takes.
	probe := newWalker(t, host, binary, "probe", 1)
	create := probe.count(t)
	probe.declare(t, probe.run.Folder, true)
	update := probe.count(t)
	destroy := probe.count(t, "-destroy")
	wantNames(t, host, nil, nil)

	for _, mode := range []struct {
		name  string
		fault wire.Fault
	}{
		{"kill", wire.Fault{Action: wire.Kill, After: true}},
		{"cut before", wire.Fault{Action: wire.Cut}},
		{"cut after", wire.Fault{Action: wire.Cut, After: true}},
	} {
		t.Run(mode.name, func(t *testing.T) {
			began := time.Now()
			w := newWalker(t, host, binary, strings.ReplaceAll(mode.name, " ", "-")+"-", max(create, update, destroy))

			report := func(operation string, struck, calls int) {
				fmt.Printf("crash_walk %s %s %d/%d %s\n", operation, mode.name, min(struck, calls), calls, time.Since(began))
			}

			report("create", w.interrupt(t, mode.fault, create), create)
			w.settled(t)
			w.declare(t, w.run.Folder, true)
			report("update", w.interrupt(t, mode.fault, update), update)
			w.settled(t)
			report("delete", w.interrupt(t, mode.fault, destroy, "-destroy"), destroy)
			w.mustRun(t, "destroy", "-auto-approve")
			wantNames(t, host, nil, nil)
		})
	}
}

// server128 is a host with CPUs enough for all that is walked.
func server128(t *testing.T) *testbed.Host {
	t.Helper()

	host, err := testbed.For(t).StartHost(t.Context(), testbed.HostOptions{
		Name: "alpha", Topology: &testbed.Topology{Sockets: 2, CoresPerSocket: 64, ThreadsPerCore: 2, MemoryGiBPerNode: 128},
	})
	if err != nil {
		t.Fatal(err)
	}

	return host
}

func builtProvider(t *testing.T) string {
	t.Helper()

	binary, err := cli.BuildProvider(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	return binary
}
