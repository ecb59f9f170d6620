// Package cli runs Terraform or OpenTofu with this tree's provider, for tests and for the demo: offline, with a folder,
// a state and a provider of its own.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// providerVersion is the version under which the mirror offers the provider.
const providerVersion = "0.0.1"

// hosts are the registries that Terraform and OpenTofu look the provider up at. A mirror has a folder for each.
var hosts = []string{"registry.terraform.io", "registry.opentofu.org"}

// CLI is a configuration that is initialised and can be applied.
type CLI struct {
	Folder string // of the configuration
	binary string // terraform or tofu
	env    []string
}

// New prepares a folder in which the binary finds this tree's provider and runs init. The configuration is copied from
// source, so that state and lock files land in the folder.
func New(ctx context.Context, binary, provider, source, folder string) (*CLI, error) {
	return NewBelow(ctx, binary, provider, source, ".", folder)
}

// NewBelow is New for a configuration that uses modules beside it: the whole tree is copied, and the configuration is the
// folder below it.
func NewBelow(ctx context.Context, binary, provider, tree, below, folder string) (*CLI, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("prepare a configuration: %w", err)
	}

	configuration := filepath.Join(folder, "configuration")
	if err := os.CopyFS(configuration, os.DirFS(tree)); err != nil {
		return nil, fmt.Errorf("copy the configuration: %w", err)
	}

	settings, err := writeMirror(folder, provider)
	if err != nil {
		return nil, fmt.Errorf("offer the provider to %s: %w", filepath.Base(binary), err)
	}

	c := &CLI{Folder: filepath.Join(configuration, below), binary: binary, env: append(os.Environ(),
		"TF_CLI_CONFIG_FILE="+settings, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0")}

	if _, err := c.run(ctx, nil, "init", "-no-color"); err != nil {
		return nil, err
	}

	return c, nil
}

// writeMirror makes a file system mirror that holds the provider only, and the settings that name it.
func writeMirror(folder, provider string) (settings string, err error) {
	mirror := filepath.Join(folder, "mirror")

	for _, host := range hosts {
		version := filepath.Join(mirror, host, "baiyi-infra/hypervisor", providerVersion, "linux_amd64")
		if err := os.MkdirAll(version, 0o700); err != nil {
			return "", err
		}

		if err := os.Symlink(provider, filepath.Join(version, "terraform-provider-hypervisor_v"+providerVersion)); err != nil {
			return "", err
		}
	}

	settings = filepath.Join(folder, "settings.tfrc")
	text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)

	return settings, os.WriteFile(settings, []byte(text), 0o600)
}

// SetVariables writes the configuration's input variables.
func (c *CLI) SetVariables(values map[string]any) error {
	text, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		return fmt.Errorf("encode variables: %w", err)
	}

	return os.WriteFile(filepath.Join(c.Folder, "terraform.tfvars.json"), text, 0o600)
}

// SetEnv sets an environment variable of all commands that follow.
func (c *CLI) SetEnv(name, value string) { c.env = append(c.env, name+"="+value) }

// Apply applies the configuration. Its output goes to the writer, which may be nil, as it comes.
func (c *CLI) Apply(ctx context.Context, output io.Writer, arguments ...string) error {
	_, err := c.run(ctx, output, append([]string{"apply", "-auto-approve", "-no-color"}, arguments...)...)

	return err
}

// Destroy destroys what the configuration made.
func (c *CLI) Destroy(ctx context.Context, output io.Writer, arguments ...string) error {
	_, err := c.run(ctx, output, append([]string{"destroy", "-auto-approve", "-no-color"}, arguments...)...)

	return err
}

// Plan plans and returns whether the plan has changes, and its text.
func (c *CLI) Plan(ctx context.Context, arguments ...string) (changes bool, text string, err error) {
	text, err = c.run(ctx, nil, append([]string{"plan", "-detailed-exitcode", "-no-color"}, arguments...)...)

	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 2 {
		return true, text, nil
	}

	return false, text, err
}

// Output decodes an output of the applied configuration.
func (c *CLI) Output(ctx context.Context, name string, into any) error {
	text, err := c.run(ctx, nil, "output", "-json", name)
	if err != nil {
		return err
	}

	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("decode output %q: %w", name, err)
	}

	return nil
}

// Run runs any other command and returns what it printed.
func (c *CLI) Run(ctx context.Context, arguments ...string) (string, error) {
	return c.run(ctx, nil, arguments...)
}

// Command is another program in the folder of the configuration, in whose environment Terraform finds the provider.
func (c *CLI) Command(ctx context.Context, program string, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir, command.Env = c.Folder, slices.Clone(c.env)

	return command
}

// run returns what the command printed; an error has it too.
func (c *CLI) run(ctx context.Context, output io.Writer, arguments ...string) (string, error) {
	var printed lockedBuffer

	command := exec.CommandContext(ctx, c.binary, arguments...)
	command.Dir, command.Env = c.Folder, c.env
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.Stdout, command.Stderr = io.Writer(&printed), io.Writer(&printed)

	if output != nil {
		command.Stdout = io.MultiWriter(&printed, output)
		command.Stderr = command.Stdout
	}

	if err := command.Run(); err != nil {
		return printed.String(), fmt.Errorf("%s %s: %w\n%s", filepath.Base(c.binary), strings.Join(arguments, " "), err, printed.String())
	}

	return printed.String(), nil
}

// lockedBuffer takes writes from both of a command's outputs.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()

	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()

	return b.buffer.String()
}
