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
	number int // from 0, of those that are walked together
	name   string
	mode   crashMode
	call   int // at which it is interrupted
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

// A crashMode is a way in which a call is interrupted.
type crashMode struct {
	name  string
	fault wire.Fault
}

var crashModes = []crashMode{
	{"kill", wire.Fault{Action: wire.Kill, After: true}},
	{"cut-before", wire.Fault{Action: wire.Cut}},
	{"cut-after", wire.Fault{Action: wire.Cut, After: true}},
}

// subjectName is the name of a subject. All that is made for it has names that begin so.
func subjectName(prefix string, number int) string { return fmt.Sprintf("%s-%03d", prefix, number) }

// subjectNames finds the name of a subject.
var subjectNames = regexp.MustCompile(`(?:probe|nomad|kill|cut-before|cut-after)-\d{3}`)

// subjectCalls leaves out of the count what a subject reads of the others, of which there are more or less at a time.
func subjectCalls(name string) func(wire.Call) bool {
	return func(call wire.Call) bool {
		found := subjectNames.Find(call.Payload)

		return found == nil || string(found) == name
	}
}

// newWalker prepares the subjects on the hosts, none of which exists yet.
func newWalker(t *testing.T, scene scene, hosts []*testbed.Host, binary string, subjects []subject) *walker {
	t.Helper()

	w := &walker{scene: scene, hosts: hosts}
	sockets := t.TempDir()

	for number, s := range subjects {
		s.number, s.host = number, hosts[number%len(hosts)]
		s.name = subjectName(s.mode.name, s.call)

		var err error
		if s.proxy, err = wire.Listen(filepath.Join(sockets, fmt.Sprint(number)), s.host.Socket(), wire.Options{Counts: subjectCalls(s.name)}); err != nil {
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

// configure writes the configuration of all subjects, as it is first or as it is to become. Apart, those that are to be killed have
// a provider process of their own each, so that it can be done without harm to the others.
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

		if apart && s.mode.fault.Action == wire.Kill {
			provider += "." + s.name
			fmt.Fprintf(&text, "provider \"hypervisor\" {\n  alias = %q\n  hosts = { %s }\n}\n", s.name, strings.TrimSpace(entry))
		} else {
			hosts.WriteString(entry)
		}

		text.WriteString(w.declare(s, provider, changed))
	}

	fmt.Fprintf(&text, "provider \"hypervisor\" {\n  hosts = {\n%s  }\n}\n", hosts.String())
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

// interrupt plans an operation that takes so many calls, and applies the plan with one fault for each subject, at its call. It counts
// the subjects that were struck, by their mode.
func (w *walker) interrupt(t *testing.T, calls int, changed bool, struck map[string]int, arguments ...string) {
	t.Helper()
	w.configure(t, w.run.Folder, changed, true)
	mustRun(t, w.run, append([]string{"plan", "-out=plan"}, arguments...)...)

	for _, s := range w.subjects {
		fault := s.mode.fault
		fault.At = s.call
		s.proxy.Arm(fault)
	}

	output, err := runAll(t, w.run, "apply", "plan")
	all, meant := 0, 0

	for _, s := range w.subjects {
		if s.call <= calls {
			meant++
		}

		fired, failure := s.proxy.Fired()
		if failure != nil {
			t.Fatal(failure)
		}

		if fired {
			all++
			struck[s.mode.name]++
		} else if made := len(s.proxy.Calls()); made >= s.call {
			t.Errorf("%s made %d calls and was not interrupted", s.name, made)
		}

		s.proxy.Disarm()
	}

	w.configure(t, w.run.Folder, changed, false)

	if all < meant*3/4 {
		t.Fatalf("Only %d of %d calls were interrupted (%v):\n%s", all, meant, err, output)
	}
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

// together is the most subjects that are walked at once.
const together = 60

// walk interrupts a scene's creation, change and deletion in each way, at every so many calls: together, the ways interrupt each
// place in one way or another. The hosts have nothing else on them.
func walk(t *testing.T, scene scene, hosts []*testbed.Host, every int) {
	t.Helper()

	binary := builtProvider(t)

	// How many calls each operation takes.
	probe := newWalker(t, scene, hosts, binary, []subject{{mode: crashMode{name: "probe"}, call: 1}})
	create := probe.count(t)
	probe.configure(t, probe.run.Folder, true, false)
	update := probe.count(t)
	destroy := probe.count(t, "-destroy")

	var all []subject

	for first, mode := range crashModes {
		for call := 1 + first*every/len(crashModes); call <= max(create, update, destroy); call += every {
			all = append(all, subject{mode: mode, call: call})
		}
	}

	created, updated, deleted := map[string]int{}, map[string]int{}, map[string]int{}

	for batch := range slices.Chunk(all, together) {
		w := newWalker(t, scene, hosts, binary, batch)

		w.interrupt(t, create, false, created)
		w.settled(t)
		w.interrupt(t, update, true, updated)
		w.settled(t)
		w.interrupt(t, destroy, true, deleted, "-destroy")
		mustRun(t, w.run, "destroy", "-auto-approve")

		for _, host := range hosts {
			scene.want(t, host, nil, nil)
		}
	}

	for _, mode := range crashModes {
		fmt.Fprintf(t.Output(), "crash_walk %s %s: create %d of %d, update %d of %d, delete %d of %d\n", scene.name, mode.name,
			created[mode.name], create, updated[mode.name], update, deleted[mode.name], destroy)
	}
}
