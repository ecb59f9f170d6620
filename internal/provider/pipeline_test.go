package provider_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/hashicorp/consul/api"
)

// A pipeline is examples/ci with its scripts, as a runner has checked it out.
type pipeline struct {
	run       *cli.CLI
	consul    *testbed.Consul
	hosts     []*testbed.Host
	forge     *forge
	terraform string
	root      string
}

// TestPipelineLeadsAChangeFromThePullRequestToTheHosts runs the scripts of examples/ci as its pipelines do, against real hosts and with
// the state in a real Consul.
func TestPipelineLeadsAChangeFromThePullRequestToTheHosts(t *testing.T) {
	bed := testbed.For(t)
	hosts := make([]*testbed.Host, 2)

	for i, name := range []string{"alpha", "beta"} {
		var err error
		if hosts[i], err = bed.StartHost(t.Context(), testbed.HostOptions{Name: name, Topology: &server}); err != nil {
			t.Fatal(err)
		}
	}

	consul, err := bed.StartConsul(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	for _, tool := range []string{"terraform", "tofu"} {
		t.Run(tool, func(t *testing.T) {
			t.Setenv("CONSUL_HTTP_ADDR", consul.Address())
			p := newPipeline(t, tool, consul, hosts)

			p.addMachines(t)
			p.waitForTheLock(t)
			p.refuseRestart(t)
			p.refuseRemoval(t)
			p.planProduction(t)
		})
	}
}

func newPipeline(t *testing.T, tool string, consul *testbed.Consul, hosts []*testbed.Host) *pipeline {
	t.Helper()

	binary, err := testbed.Tool(t.Context(), tool)
	if err != nil {
		t.Fatal(err)
	}

	folder := t.TempDir()

	run, err := cli.NewBelow(t.Context(), binary, providerBinary(t), filepath.Join(exampleRoot(t), "ci"), "environments/staging", folder)
	if err != nil {
		t.Fatal(err)
	}

	p := &pipeline{run: run, consul: consul, hosts: hosts, forge: newForge(t), terraform: binary, root: filepath.Join(folder, "configuration")}

	t.Cleanup(func() {
		if err := run.Destroy(context.WithoutCancel(t.Context()), nil); err != nil {
			t.Errorf("Unable to destroy what the pipeline made: %v", err)
		}
	})

	p.inputs(t, "staging", `{ machines = 3, vcpus = 2, memory = "32MiB" }`)
	p.inputs(t, "production", `{ machines = 4, vcpus = 2, memory = "32MiB" }`)

	return p
}

// inputs leads an environment to the bed and sets the inputs of its module.
func (p *pipeline) inputs(t *testing.T, environment, web string) {
	t.Helper()

	write(t, filepath.Join(p.root, "environments", environment, "testbed_override.tf"), fmt.Sprintf(
		"locals {\n  hosts = { alpha = { uri = %q }, beta = { uri = %q } }\n}\nmodule \"platform\" {\n  image       = %q\n  domain_type = %q\n  web         = %s\n}\n",
		p.hosts[0].URI(), p.hosts[1].URI(), testbed.ImageFor(t), testbed.DomainTypeFor(t), web))
}

// script runs one of the pipeline's scripts in the root of the repository and returns what it printed.
func (p *pipeline) script(t *testing.T, name string, arguments ...string) (string, error) {
	t.Helper()

	command := p.run.Command(t.Context(), filepath.Join("scripts", name+".sh"), arguments...)
	command.Dir = p.root
	command.Env = append(append(command.Env, "TERRAFORM="+p.terraform, "LOCK_TIMEOUT=2m"), p.forge.environment()...)

	printed, err := command.CombinedOutput()

	return string(printed), err
}

func (p *pipeline) succeed(t *testing.T, name string, arguments ...string) string {
	t.Helper()

	printed, err := p.script(t, name, arguments...)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, arguments, err, printed)
	}

	return printed
}

// fail expects the script to fail and to print all of the texts.
func (p *pipeline) fail(t *testing.T, texts []string, name string, arguments ...string) {
	t.Helper()

	printed, err := p.script(t, name, arguments...)
	if err == nil {
		t.Fatalf("%s %v succeeds, and was to print %q:\n%s", name, arguments, texts, printed)
	}

	for _, text := range texts {
		if !strings.Contains(printed, text) {
			t.Errorf("%s %v does not print %q:\n%s", name, arguments, text, printed)
		}
	}
}

// addMachines plans the first machines, posts that on both forges twice, and applies it.
func (p *pipeline) addMachines(t *testing.T) {
	t.Helper()

	p.succeed(t, "plan", "staging", "plan")

	for range 2 {
		p.succeed(t, "post-github", "staging", "plan", "7")
		p.succeed(t, "post-gitlab", "staging", "plan", "7")
	}

	for name, text := range map[string]string{"GitHub": p.forge.only(t, "github"), "GitLab": p.forge.only(t, "gitlab")} {
		for _, want := range []string{"### Plan of staging", "Plan: 9 to add, 0 to change, 0 to destroy.", "+  alpha node 0 cpu 1,33   staging-web-1", `hypervisor_vm.web["staging-web-2"]`, "![Every core"} {
			if !strings.Contains(text, want) {
				t.Errorf("The comment on %s lacks %q:\n%s", name, want, text)
			}
		}

		if strings.Contains(text, forgeToken) {
			t.Errorf("The comment on %s has the token:\n%s", name, text)
		}
	}

	p.forge.wantPictures(t, "staging-web-1")
	p.succeed(t, "check", "plan", p.allowed(t, "documentation"))
	p.succeed(t, "apply", "staging", "plan")

	if _, err := os.Stat(filepath.Join(p.run.Folder, "terraform.tfstate")); err == nil {
		t.Error("The state is in the working folder.")
	}
}

func (p *pipeline) allowed(t *testing.T, labels string) string {
	t.Helper()

	return strings.TrimSpace(p.succeed(t, "allowed", labels))
}

// waitForTheLock holds the state's lock as another run would: a plan gives up when its time is over, and another goes on as soon as the
// lock is free. It has nothing to do then, right after the apply.
func (p *pipeline) waitForTheLock(t *testing.T) {
	t.Helper()

	client, err := api.NewClient(&api.Config{Address: p.consul.Address()})
	if err != nil {
		t.Fatal(err)
	}

	other, err := client.LockKey("terraform/staging/.lock")
	if err != nil {
		t.Fatal(err)
	}

	if _, err := other.Lock(t.Context().Done()); err != nil {
		t.Fatalf("Unable to hold the lock of the state: %v", err)
	}

	short := p.run.Command(t.Context(), "env", "LOCK_TIMEOUT=1s", "TERRAFORM="+p.terraform, "scripts/plan.sh", "staging", "plan")
	short.Dir = p.root

	if printed, err := short.CombinedOutput(); err == nil || !strings.Contains(string(printed), "Error acquiring the state lock") {
		t.Errorf("A plan beside a run that writes ends with %v:\n%s", err, printed)
	}

	if _, err := os.Stat(filepath.Join(p.root, "plan", "plan.tfplan")); err == nil {
		t.Error("A plan that failed leaves one to apply.")
	}

	long := make(chan error, 1)

	go func() {
		printed, err := p.script(t, "plan", "staging", "plan")
		if err != nil || !strings.Contains(printed, "No changes.") {
			err = fmt.Errorf("it ends with %v:\n%s", err, printed) //nolint:errorlint // it may be none
		}

		long <- err
	}()

	// It has asked for the lock as soon as it has a session beside ours.
	eventually(t, func() error {
		sessions, _, err := client.Session().List(nil)
		if err == nil && len(sessions) < 2 {
			err = fmt.Errorf("%d sessions are there", len(sessions))
		}

		return err
	})

	if err := other.Unlock(); err != nil {
		t.Fatal(err)
	}

	if err := <-long; err != nil {
		t.Errorf("A plan that waits for the lock does not find everything in place: %v", err)
	}
}

// refuseRestart grows the machines, which takes a restart: the provider wants it said in the code, and the pipeline by a label.
func (p *pipeline) refuseRestart(t *testing.T) {
	t.Helper()

	p.inputs(t, "staging", `{ machines = 3, vcpus = 2, memory = "48MiB" }`)
	p.fail(t, []string{`Unable to plan VM "staging-web-1"`, `Set allow_change = "reboot"`}, "plan", "staging", "plan")

	p.inputs(t, "staging", `{ machines = 3, vcpus = 2, memory = "48MiB", allow_change = "reboot" }`)
	p.succeed(t, "plan", "staging", "plan")
	p.fail(t, []string{`disturbs more than "live"`, "reboot\tmodule.platform.hypervisor_vm.web[\"staging-web-1\"]", "allow-reboot"}, "check", "plan", p.allowed(t, ""))
	p.succeed(t, "check", "plan", p.allowed(t, "web,allow-reboot"))
}

// refuseRemoval takes a machine away, and lets the others be restarted, which none of them is: its being allowed is no restart.
func (p *pipeline) refuseRemoval(t *testing.T) {
	t.Helper()

	p.inputs(t, "staging", `{ machines = 2, vcpus = 2, memory = "32MiB", allow_change = "reboot" }`)
	p.succeed(t, "plan", "staging", "plan")
	p.fail(t, []string{"replace\tmodule.platform.hypervisor_vm.web[\"staging-web-3\"]", "replace\tmodule.platform.hypervisor_volume.root[\"staging-web-3\"]"}, "check", "plan", "reboot")
	p.succeed(t, "check", "plan", p.allowed(t, p.labels(t)))

	if comment := p.succeed(t, "comment", "staging", "plan"); !strings.Contains(comment, "| `module.platform.hypervisor_vm.web[\"staging-web-1\"]` | live |") {
		t.Errorf("A machine that may be restarted and is not counts as disturbed:\n%s", comment)
	}
}

// labels are those of the merge request that the fake forge says was merged.
func (p *pipeline) labels(t *testing.T) string {
	t.Helper()

	return strings.TrimSpace(p.succeed(t, "labels-gitlab"))
}

// planProduction plans the other environment: the same module, other inputs, and a state of its own.
func (p *pipeline) planProduction(t *testing.T) {
	t.Helper()

	printed := p.succeed(t, "plan", "production", "production")
	for _, want := range []string{"Plan: 11 to add, 0 to change, 0 to destroy.", `hypervisor_vm.web["production-web-4"]`} {
		if !strings.Contains(printed, want) {
			t.Errorf("The plan of production lacks %q:\n%s", want, printed)
		}
	}
}

var scriptCall = regexp.MustCompile(`scripts/([a-z-]+\.sh)`)

// TestPipelinesCallTheScriptsThatThereAre holds the pipelines' steps against the folder of scripts, both ways.
func TestPipelinesCallTheScriptsThatThereAre(t *testing.T) {
	root := filepath.Join(exampleRoot(t), "ci")
	own := map[string]string{".github/workflows/*.yml": "-gitlab.sh", ".gitlab-ci.yml": "-github.sh"} // and what only the other one has

	for pattern, foreign := range own {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("Unable to find %s: %v", pattern, err)
		}

		called := map[string]bool{"comment.sh": true} // by those that post it

		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}

			for _, call := range scriptCall.FindAllStringSubmatch(string(content), -1) {
				called[call[1]] = true
			}
		}

		scripts, err := filepath.Glob(filepath.Join(root, "scripts", "*.sh"))
		if err != nil {
			t.Fatal(err)
		}

		for _, script := range scripts {
			name := filepath.Base(script)
			if !strings.HasSuffix(name, foreign) && !called[name] {
				t.Errorf("%s calls no scripts/%s.", pattern, name)
			}

			delete(called, name)
		}

		for name := range called {
			t.Errorf("%s calls scripts/%s, which is not there.", pattern, name)
		}
	}
}
