package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

const (
	module     = "github.com/baiyi-infra/terraform-provider-hypervisor"
	binaryName = "terraform-provider-hypervisor"
	source     = "baiyi-infra/hypervisor" // without the registry, which differs between Terraform and OpenTofu

	interruptGrace = 30 * time.Second // for Terraform to end by itself, and its provider with it
)

// workspace is a folder with a configuration and a state, in which Terraform uses one certain provider.
type workspace struct {
	terraform string
	folder    string
}

// cost is what a command took: by the clock, and of the CPUs, in Terraform and its provider together.
type cost struct {
	wall time.Duration
	cpu  time.Duration
}

// findTerraform returns the path of terraform, or else of tofu.
func findTerraform(ctx context.Context) (string, error) {
	if path, err := testbed.Tool(ctx, "terraform"); err == nil {
		return path, nil
	}

	return testbed.Tool(ctx, "tofu")
}

// newWorkspace builds the provider whose package is below the module and makes a workspace for it in a new folder.
func newWorkspace(ctx context.Context, folder, provider, configuration string, variables map[string]any) (workspace, error) {
	terraform, err := findTerraform(ctx)
	if err != nil {
		return workspace{}, err
	}

	if err := os.MkdirAll(filepath.Join(folder, "provider"), 0o700); err != nil {
		return workspace{}, fmt.Errorf("make a workspace: %w", err)
	}

	binary := filepath.Join(folder, "provider", binaryName)

	build := exec.CommandContext(ctx, "go", "build", "-tags", "libvirt_dlopen", "-o", binary, module+provider)
	if output, err := build.CombinedOutput(); err != nil {
		return workspace{}, fmt.Errorf("build the provider %s: %w\n%s", module+provider, err, output)
	}

	override := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n}\n", source, filepath.Dir(binary))

	for name, content := range map[string]string{"main.tf": configuration, "cli.tfrc": override} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			return workspace{}, fmt.Errorf("make a workspace: %w", err)
		}
	}

	made := workspace{terraform: terraform, folder: folder}

	return made, made.setVariables(variables)
}

// setVariables writes the variables' values, which may be what JSON has.
func (w workspace) setVariables(variables map[string]any) error {
	values, err := json.Marshal(variables)
	if err == nil {
		err = os.WriteFile(filepath.Join(w.folder, "terraform.tfvars.json"), values, 0o600)
	}

	if err != nil {
		return fmt.Errorf("set the variables of a workspace: %w", err)
	}

	return nil
}

// copyState takes over the other workspace's state.
func (w workspace) copyState(from workspace) error {
	const name = "terraform.tfstate"

	content, err := os.ReadFile(filepath.Join(from.folder, name))
	if err == nil {
		err = os.WriteFile(filepath.Join(w.folder, name), content, 0o600)
	}

	if err != nil {
		return fmt.Errorf("copy the state: %w", err)
	}

	return nil
}

// apply makes what the configuration says.
func (w workspace) apply(ctx context.Context) (cost, error) {
	_, spent, err := w.run(ctx, "apply", "-json", "-auto-approve", "-input=false")

	return spent, err
}

// refresh reads everything that is in the state and changes nothing, the state neither. It returns how many resources
// Terraform read, and how many of them are not what the state says.
func (w workspace) refresh(ctx context.Context) (read, drifted int, spent cost, err error) {
	all, spent, err := w.run(ctx, "plan", "-json", "-refresh-only", "-input=false")

	return all.count("refresh_complete"), all.count("resource_drift"), spent, err
}

// run runs a command of Terraform. An error has what Terraform says about it.
func (w workspace) run(ctx context.Context, arguments ...string) (events, cost, error) {
	var output, complaints bytes.Buffer

	command := exec.CommandContext(ctx, w.terraform, arguments...)
	command.Dir = w.folder
	command.Env = append(environment(), "TF_CLI_CONFIG_FILE="+filepath.Join(w.folder, "cli.tfrc"), "CHECKPOINT_DISABLE=1")
	command.Stdout, command.Stderr = &output, &complaints

	// Terraform leaves its provider behind if it is killed or interrupted twice, and the terminal interrupts a whole
	// process group: so it has one of its own, is interrupted once, and what then remains of the group is killed.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = interruptGrace

	began := time.Now()
	err := command.Run()
	wall := time.Since(began)

	if ctx.Err() != nil && command.Process != nil {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // as a rule nothing is left of it

		return nil, cost{}, ctx.Err()
	}

	said, unread := parseEvents(output.Bytes())

	switch {
	case err != nil:
		return nil, cost{}, fmt.Errorf("run %s %s: %w\n%s%s", w.terraform, strings.Join(arguments, " "), err, said.errors(), complaints.Bytes())
	case unread != nil:
		return nil, cost{}, fmt.Errorf("run %s %s: %w", w.terraform, strings.Join(arguments, " "), unread)
	}

	return said, cost{wall: wall, cpu: command.ProcessState.UserTime() + command.ProcessState.SystemTime()}, nil
}

// environment is the process's own without what would change how Terraform works.
func environment() []string {
	var kept []string

	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TF_") {
			kept = append(kept, variable)
		}
	}

	return kept
}
