package hypervisor_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

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

// A scene is what a walk makes for each of its subjects, changes, and deletes.
type scene struct {
	name string
	uri  func(*wire.Proxy) string // nil is QEMU's
	// declare is the configuration of a subject, with the provider's name, as it is first or as it is to become. Its host has the
	// subject's name.
	declare func(s subject, provider string, changed bool) string
	// want checks that the host has what is declared for these of its subjects, and nothing else. ids are those of the state.
	want func(t *testing.T, host *testbed.Host, subjects []subject, ids map[string]string)
}

// A walker interrupts every subject of a run in turn.
type walker struct {
	scene
	hosts    []*testbed.Host
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

// crashModes are the ways in which a call is interrupted.
var crashModes = []struct {
	name  string
	fault wire.Fault
}{
	{"kill", wire.Fault{Action: wire.Kill, After: true}},
	{"cut-before", wire.Fault{Action: wire.Cut}},
	{"cut-after", wire.Fault{Action: wire.Cut, After: true}},
}

// subjectName is the name of a subject. All that is made for it has names that begin so.
func subjectName(prefix string, number int) string { return fmt.Sprintf("%s-%03d", prefix, number) }

// subjectCalls leaves out of the count what a subject reads of the others, of which there are more or less at a time.
func subjectCalls(prefix, name string) func(wire.Call) bool {
	names := regexp.MustCompile(prefix + `-\d{3}`)

	return func(call wire.Call) bool {
		found := names.Find(call.Payload)

		return found == nil || string(found) == name
	}
}

// newWalker prepares a subject on the hosts for each of the calls, none of which exists yet.
func newWalker(t *testing.T, scene scene, hosts []*testbed.Host, binary, prefix string, calls []int) *walker {
	t.Helper()

	w := &walker{scene: scene, hosts: hosts}
	sockets := t.TempDir()

	for _, number := range calls {
		s := subject{number: number, name: subjectName(prefix, number), host: hosts[number%len(hosts)]}

		var err error
		if s.proxy, err = wire.Listen(filepath.Join(sockets, fmt.Sprint(number)), s.host.Socket(), wire.Options{Counts: subjectCalls(prefix, s.name)}); err != nil {
			t.Fatal(err)
		}

		t.Cleanup(func() { _ = s.proxy.Close() })
		w.subjects = append(w.subjects, s)
	}

	source := t.TempDir()
	w.configure(t, source, false, false)

	var err error
	if w.run, err = cli.New(t.Context(), terraformTool(t), binary, source, t.TempDir()); err != nil {
		t.Fatal(err)
	}

	return w
}

// configure writes the configuration of all subjects, as it is first or as it is to become. Apart, each has a provider process
// of its own, which can be killed without harm to the others.
func (w *walker) configure(t *testing.T, folder string, changed, apart bool) {
	t.Helper()

	var text, hosts strings.Builder

	text.WriteString(crashHead)

	for _, s := range w.subjects {
		uri := s.proxy.URI()
		if w.uri != nil {
			uri = w.uri(s.proxy)
		}

		entry, provider := fmt.Sprintf("%s = { uri = %q }\n", s.name, uri), "hypervisor"

		if apart {
			provider += "." + s.name
			fmt.Fprintf(&text, "provider \"hypervisor\" {\n  alias = %q\n  hosts = { %s }\n}\n", s.name, strings.TrimSpace(entry))
		} else {
			hosts.WriteString(entry)
		}

		text.WriteString(w.declare(s, provider, changed))
	}

	if !apart {
		fmt.Fprintf(&text, "provider \"hypervisor\" {\n  hosts = {\n%s  }\n}\n", hosts.String())
	}

	write(t, filepath.Join(folder, "main.tf"), text.String())
}

// runAll runs a command of Terraform with as many subjects at once as there are.
func runAll(t *testing.T, run *cli.CLI, arguments ...string) (string, error) {
	t.Helper()

	return run.Run(t.Context(), slices.Insert(arguments, 1, "-no-color", "-parallelism=32")...)
}

// mustRun is runAll for a command that must succeed.
func mustRun(t *testing.T, run *cli.CLI, arguments ...string) {
	t.Helper()

	if _, err := runAll(t, run, arguments...); err != nil {
		t.Fatal(err)
	}
}

// count runs the operation undisturbed and returns how many calls each subject took, which are all alike.
func (w *walker) count(t *testing.T, arguments ...string) int {
	t.Helper()
	mustRun(t, w.run, append([]string{"plan", "-out=plan"}, arguments...)...)

	for _, s := range w.subjects {
		s.proxy.Disarm()
	}

	mustRun(t, w.run, "apply", "plan")

	most := 0
	for _, s := range w.subjects {
		most = max(most, len(s.proxy.Calls()))
	}

	return most
}

// interrupt plans, and applies the plan with one fault for each subject, at the call of its number.
func (w *walker) interrupt(t *testing.T, fault wire.Fault, calls int, changed bool, arguments ...string) string {
	t.Helper()
	w.configure(t, w.run.Folder, changed, fault.Action == wire.Kill)
	mustRun(t, w.run, append([]string{"plan", "-out=plan"}, arguments...)...)

	for _, s := range w.subjects {
		fault.At = s.number
		s.proxy.Arm(fault)
	}

	output, err := runAll(t, w.run, "apply", "plan")
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

	w.configure(t, w.run.Folder, changed, false)

	if struck < meant*3/4 {
		t.Fatalf("Only %d of %d calls were interrupted (%v):\n%s", struck, meant, err, output)
	}

	return fmt.Sprintf("%d of %d", struck, calls)
}

// settled applies, and checks that the hosts have what is declared, once, and that nothing is left to do.
func (w *walker) settled(t *testing.T) {
	t.Helper()
	mustRun(t, w.run, "apply", "-auto-approve")

	ids := idsOf(t, w.run)

	for _, host := range w.hosts {
		var subjects []subject

		for _, s := range w.subjects {
			if s.host == host {
				subjects = append(subjects, s)
			}
		}

		w.want(t, host, subjects, ids)
	}

	if changes, text, err := w.run.Plan(t.Context(), "-parallelism=32"); err != nil || changes {
		t.Errorf("The plan after the repair is not empty (%v):\n%s", err, text)
	}
}

// idsOf returns the UUIDs of the state's machines.
func idsOf(t *testing.T, run *cli.CLI) map[string]string {
	t.Helper()

	var state struct {
		Resources []struct {
			Type, Name string
			Instances  []struct{ Attributes struct{ ID string } }
		}
	}
	if err := json.Unmarshal([]byte(read(t, filepath.Join(run.Folder, "terraform.tfstate"))), &state); err != nil {
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

// stride is testbed.Stride.
func stride(t *testing.T, standard int) int { return testbed.Stride(t, standard) }

// walk interrupts a scene's creation, change and deletion in each way, at every so many calls: together, the ways interrupt each
// place in one way or another. hosts are those whose subjects are of no other walk.
func walk(t *testing.T, scene scene, hosts []*testbed.Host, every int) {
	t.Helper()

	binary := builtProvider(t)

	// How many calls each operation takes.
	probe := newWalker(t, scene, hosts, binary, "probe", []int{1})
	create := probe.count(t)
	probe.configure(t, probe.run.Folder, true, false)
	update := probe.count(t)
	destroy := probe.count(t, "-destroy")

	for first, mode := range crashModes {
		t.Run(mode.name, func(t *testing.T) {
			var calls []int
			for call := 1 + first*every/len(crashModes); call <= max(create, update, destroy); call += every {
				calls = append(calls, call)
			}

			w := newWalker(t, scene, hosts, binary, mode.name, calls)
			report := func(operation, struck string) {
				fmt.Fprintf(t.Output(), "crash_walk %s %s %s: %s\n", scene.name, operation, mode.name, struck)
			}

			report("create", w.interrupt(t, mode.fault, create, false))
			w.settled(t)
			report("update", w.interrupt(t, mode.fault, update, true))
			w.settled(t)
			report("delete", w.interrupt(t, mode.fault, destroy, true, "-destroy"))
			mustRun(t, w.run, "destroy", "-auto-approve")

			for _, host := range hosts {
				scene.want(t, host, nil, nil)
			}
		})
	}
}
