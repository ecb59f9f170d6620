package provider_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/web"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/wire"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/consul/api"
)

// walked is a configuration of its own beside others, which reaches its server by a proxy that interrupts it.
type walked struct {
	name  string
	kong  bool
	fault wire.Fault // At is 0 for one that is left alone
	proxy *web.Proxy
}

// walk is a run of Terraform on several subjects at once. Each has a provider process of its own, so that it can be killed.
type walk struct {
	run      *cli.CLI
	subjects []*walked
	consul   *api.Client
	kong     *kongtest.Server

	certificate, key string
	authorities      [2]string // files, at first and changed
}

func newWalk(t *testing.T, tool string, subjects []*walked) *walk {
	t.Helper()

	w := &walk{subjects: subjects, kong: kongtest.New(t)}

	consul, err := testbed.For(t).StartConsul(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	if w.consul, err = api.NewClient(&api.Config{Address: consul.Address()}); err != nil {
		t.Fatal(err)
	}

	if w.certificate, w.key, err = newAuthority(t).Issue("shop"); err != nil {
		t.Fatal(err)
	}

	for i := range w.authorities {
		w.authorities[i] = newAuthority(t).CAFile()
	}

	for _, s := range subjects {
		target := consul.Address()
		if s.kong {
			target = w.kong.URL
		}

		if s.proxy, err = web.Listen(target); err != nil {
			t.Fatal(err)
		}

		t.Cleanup(func() { _ = s.proxy.Close() })
	}

	source := t.TempDir()
	w.declare(t, source, false)

	binary, err := testbed.Tool(t.Context(), tool)
	if err != nil {
		t.Fatal(err)
	}

	if w.run, err = cli.New(t.Context(), binary, providerBinary(t), source, t.TempDir()); err != nil {
		t.Fatal(err)
	}

	return w
}

// declare writes what all subjects are to be, at first or changed.
func (w *walk) declare(t *testing.T, folder string, changed bool) {
	t.Helper()

	var text strings.Builder

	text.WriteString("terraform {\n  required_providers {\n    hypervisor = { source = \"baiyi-infra/hypervisor\" }\n  }\n}\n")

	for _, s := range w.subjects {
		if s.kong {
			fmt.Fprintf(&text, "provider \"hypervisor\" {\n  alias = %q\n  gateway = { kong = { admin_url = %q } }\n}\n", s.name, s.proxy.URL())
			fmt.Fprintf(&text, walkedOnKong, s.name, changed, w.certificate, w.key, w.authorities[0], w.authorities[1])
		} else {
			fmt.Fprintf(&text, "provider \"hypervisor\" {\n  alias = %[1]q\n  consul = { address = %[2]q }\n  gateway = { traefik = { key_prefix = %[1]q } }\n}\n", s.name, s.proxy.URL()) // or one's writes are conflicts for others
			fmt.Fprintf(&text, walkedOnConsul, s.name, changed)
		}
	}

	write(t, filepath.Join(folder, "main.tf"), text.String())
}

func (w *walk) terraform(t *testing.T, arguments ...string) (string, error) {
	t.Helper()

	return w.run.Run(t.Context(), slices.Insert(arguments, 1, "-no-color", "-parallelism=32")...)
}

func (w *walk) mustRun(t *testing.T, arguments ...string) {
	t.Helper()

	if _, err := w.terraform(t, arguments...); err != nil {
		t.Fatal(err)
	}
}

// struck says how many of the calls that there are were interrupted.
type struck struct{ consul, kong, ofConsul, ofKong int }

// interrupt plans, and applies the plan with the subjects' faults. The first two are not interrupted: they say how many
// calls there are.
func (w *walk) interrupt(t *testing.T, arguments ...string) (was struck) {
	t.Helper()
	w.mustRun(t, append([]string{"plan", "-out=plan"}, arguments...)...)

	for _, s := range w.subjects {
		if s.proxy.Disarm(); s.fault.At > 0 {
			s.proxy.Arm(s.fault)
		}
	}

	output, err := w.terraform(t, "apply", "plan")
	was.ofConsul, was.ofKong = len(w.subjects[0].proxy.Calls()), len(w.subjects[1].proxy.Calls())

	for _, s := range w.subjects {
		calls := was.ofConsul
		if s.kong {
			calls = was.ofKong
		}

		fired, failure := s.proxy.Fired()
		if failure != nil {
			t.Fatal(failure)
		}

		switch {
		case fired && s.kong:
			was.kong++
		case fired:
			was.consul++
		case s.fault.At > 0 && s.fault.At <= calls-sharedReads:
			t.Errorf("%s made %d calls and was not interrupted (%v):\n%s", s.name, len(s.proxy.Calls()), err, output)
		}

		s.proxy.Disarm()
	}

	return was
}

// settled applies, and checks that every subject has what those have that were left alone, and that nothing is left to do.
func (w *walk) settled(t *testing.T) {
	t.Helper()
	w.mustRun(t, "apply", "-auto-approve")

	if changes, text, err := w.run.Plan(t.Context(), "-parallelism=32"); err != nil || changes {
		t.Errorf("The plan after the repair is not empty (%v):\n%s", err, text)
	}

	for _, s := range w.subjects {
		alone := w.subjects[0]
		if s.kong {
			alone = w.subjects[1]
		}

		if diff := cmp.Diff(w.made(t, alone), w.made(t, s)); diff != "" {
			t.Errorf("%s is not what one is that was left alone (-alone +interrupted):\n%s", s.name, diff)
		}
	}
}

// chance is what is each one's own: ids, whose it is, and when it was made.
var chance = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|"(created_at|updated_at|CreateIndex|ModifyIndex)":[0-9.]+|managed-by[^,}\]]*`)

// made tells all that a subject has, in words that are the same for every subject.
func (w *walk) made(t *testing.T, s *walked) (found []string) {
	t.Helper()

	rows := w.consulRows
	if s.kong {
		rows = w.kongRows
	}

	for _, row := range rows(t) {
		if strings.Contains(row, s.name) {
			found = append(found, chance.ReplaceAllString(strings.ReplaceAll(row, s.name, "*"), ""))
		}
	}

	slices.Sort(found)

	return found
}

// consulRows are all nodes, services, checks and keys in Consul, but those that say whose a key is.
func (w *walk) consulRows(t *testing.T) (rows []string) {
	t.Helper()

	nodes, _, err := w.consul.Catalog().Nodes(nil)
	if err != nil {
		t.Fatal(err)
	}

	for _, node := range nodes {
		services, _, err := w.consul.Catalog().NodeServiceList(node.Node, nil)
		if err != nil {
			t.Fatal(err)
		}

		rows = append(rows, encoded(t, "node", node))
		for _, service := range services.Services {
			rows = append(rows, encoded(t, "service", service))
		}
	}

	checks, _, err := w.consul.Health().State(api.HealthAny, nil)
	if err != nil {
		t.Fatal(err)
	}

	for _, check := range checks {
		rows = append(rows, encoded(t, "check", check))
	}

	keys, _, err := w.consul.KV().List("", nil)
	if err != nil {
		t.Fatal(err)
	}

	for _, key := range keys {
		if !strings.Contains(key.Key, "/owner/") {
			rows = append(rows, key.Key+" = "+string(key.Value))
		}
	}

	return rows
}

func encoded(t *testing.T, kind string, value any) string {
	t.Helper()

	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}

	return kind + " " + string(text)
}

// kongRows are all entities in Kong.
func (w *walk) kongRows(t *testing.T) (rows []string) {
	t.Helper()

	for _, collection := range []string{"upstreams", "services", "routes", "plugins", "consumers", "key-auths", "acls", "certificates", "snis", "ca_certificates"} {
		body, err := get(t.Context(), w.kong.URL+"/"+collection+"?size=1000", "")
		if err != nil {
			t.Fatal(err)
		}

		var page struct{ Data []json.RawMessage }
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err)
		}

		for _, row := range page.Data {
			rows = append(rows, collection+" "+string(row))
		}
	}

	return rows
}

// The most calls of an operation. A walk fails that finds more.
const (
	callsOfConsul = 23
	callsOfKong   = 48
)

// sharedReads is how many calls more one subject may make than another: whether two reads at the same time are one is chance.
const sharedReads = 2

// together is how many subjects a run has at most: each has a provider process.
const together = 24

// chosen are the faults of a walk: one for every chosen call of each server and every way to interrupt it.
func chosen(every int) (subjects []*walked) {
	for first, mode := range []struct {
		name  string // as long as the others: the priority of a route depends on the length of its host
		fault wire.Fault
	}{
		{"kill", wire.Fault{Action: wire.Kill, After: true}},
		{"sent", wire.Fault{Action: wire.Cut}},
		{"done", wire.Fault{Action: wire.Cut, After: true}},
	} {
		for at := 1 + first*every/3; at <= callsOfKong; at += every {
			fault := mode.fault
			fault.At = at

			subjects = append(subjects, &walked{name: fmt.Sprintf("%s-%02d-kong", mode.name, at), fault: fault, kong: true})
			if at <= callsOfConsul {
				subjects = append(subjects, &walked{name: fmt.Sprintf("%s-%02d-consul", mode.name, at), fault: fault})
			}
		}
	}

	return subjects
}

func TestCrashAtEveryCallOfAServiceIsRepairedByTheNextApply(t *testing.T) {
	all := tally{}

	for subjects := range slices.Chunk(chosen(testbed.Stride(t, 20)), together) {
		w := newWalk(t, "terraform", append([]*walked{{name: "none-00-consul"}, {name: "none-00-kong", kong: true}}, subjects...))

		all.add("create", w.interrupt(t))
		w.settled(t)
		w.declare(t, w.run.Folder, true)
		all.add("update", w.interrupt(t))
		w.settled(t)
		all.add("delete", w.interrupt(t, "-destroy"))
		w.destroyed(t)
	}

	all.report(t)
}

// tally is what was struck in all runs of a walk, by operation.
type tally map[string]struck

func (a tally) add(operation string, was struck) {
	sum := a[operation]
	a[operation] = struck{
		consul: sum.consul + was.consul, kong: sum.kong + was.kong,
		ofConsul: max(sum.ofConsul, was.ofConsul), ofKong: max(sum.ofKong, was.ofKong),
	}
}

// destroyed destroys what is left, and checks that nothing is.
func (w *walk) destroyed(t *testing.T) {
	t.Helper()
	w.mustRun(t, "destroy", "-auto-approve")
	wantNothingLeft(t, w.consul)

	if rows := w.kongRows(t); len(rows) > 0 {
		t.Errorf("Kong has after the destroy:\n%s", strings.Join(rows, "\n"))
	}
}

// report prints how many calls were interrupted, each in up to three ways, and wants some of every kind.
func (a tally) report(t *testing.T) {
	t.Helper()

	for _, operation := range []string{"create", "update", "delete"} {
		was := a[operation]
		fmt.Fprintf(t.Output(), "crash_walk services %s: %d times a call to Consul was interrupted, %d times one to Kong; there are %d and %d\n",
			operation, was.consul, was.kong, was.ofConsul, was.ofKong)

		if was.ofConsul > callsOfConsul || was.ofKong > callsOfKong {
			t.Errorf("%s takes more calls than the walk knows of: raise callsOfConsul and callsOfKong", operation)
		}

		if was.consul == 0 || was.kong == 0 {
			t.Errorf("%s was not interrupted", operation)
		}
	}
}
