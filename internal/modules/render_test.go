// Package modules_test runs what the modules tell their machines: the configuration and the scripts that a guest gets are
// rendered by Terraform and given to the real programs.
package modules_test

import (
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"gopkg.in/yaml.v3"
)

// guest is what cloud-init is told on one machine.
type guest struct {
	Files    []file `yaml:"write_files"`
	Commands []any  `yaml:"runcmd"`
}

type file struct {
	Path, Content, Owner, Permissions string
}

// recorder stands for the module machines: it makes nothing and writes down what each machine would be told.
//
//go:embed testdata/recorder.tf
var recorder string

// noProvider is where no provider is, for a configuration that needs none.
const noProvider = "no provider is needed"

// render applies a configuration that calls modules by their path below ./modules, and returns the guests by name. Of the modules
// only `machines` is another one, which takes the same inputs and needs no host.
func render(t *testing.T, configuration string, variables map[string]any) map[string]guest {
	t.Helper()

	return guests(t, apply(t, configuration, variables, noProvider).Folder)
}

// apply is render for a configuration that may need the provider, and gives access to its outputs.
func apply(t *testing.T, configuration string, variables map[string]any, provider string) *cli.CLI {
	t.Helper()

	root, err := cli.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	tree := t.TempDir()
	if err := os.CopyFS(filepath.Join(tree, "modules"), os.DirFS(filepath.Join(root, "modules"))); err != nil {
		t.Fatal(err)
	}

	write(t, filepath.Join(tree, "main.tf"), configuration)

	for name, text := range map[string]string{"main.tf": recorder, "volumes.tf": "", "outputs.tf": ""} {
		write(t, filepath.Join(tree, "modules/machines", name), text)
	}

	if provider == noProvider {
		forgetProviders(t, filepath.Join(tree, "modules"))
	}

	terraform, err := testbed.Tool(t.Context(), "terraform")
	if err != nil {
		t.Fatal(err)
	}

	run, err := cli.New(t.Context(), terraform, provider, tree, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	if err := run.SetVariables(variables); err != nil {
		t.Fatal(err)
	}

	if err := run.Apply(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	return run
}

// forgetProviders keeps init from looking for a provider that nothing uses.
func forgetProviders(t *testing.T, modules string) {
	t.Helper()

	files, err := filepath.Glob(filepath.Join(modules, "*/versions.tf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("Unable to find the modules: %v", err)
	}

	for _, file := range files {
		write(t, file, "")
	}
}

// guests reads what was written down: for each machine the public part and then the secret one, as cloud-init puts them together.
func guests(t *testing.T, folder string) map[string]guest {
	t.Helper()

	files, err := filepath.Glob(filepath.Join(folder, "guests/*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("Unable to find what machines are told: %v", err)
	}

	all := map[string]guest{}

	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}

		var parts []string
		if err := json.Unmarshal(content, &parts); err != nil {
			t.Fatal(err)
		}

		var whole guest

		for _, part := range parts {
			var told guest
			if err := yaml.Unmarshal([]byte(part), &told); err != nil {
				t.Fatalf("%s is no YAML: %v", path, err)
			}

			whole.Files, whole.Commands = append(whole.Files, told.Files...), append(whole.Commands, told.Commands...)
		}

		all[strings.TrimSuffix(filepath.Base(path), ".json")] = whole
	}

	return all
}

// writeTo writes the guest's files below a folder, each text changed by the replacer, so that a program which runs here finds them.
func (g guest) writeTo(t *testing.T, folder string, replace *strings.Replacer) {
	t.Helper()

	for _, file := range g.Files {
		write(t, filepath.Join(folder, file.Path), replace.Replace(file.Content))
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()

	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()

	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	return string(content)
}
