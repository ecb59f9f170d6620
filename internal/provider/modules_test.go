package provider_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// TestModulesKeepWhatTheyPromise runs each module's own tests, which need no host.
func TestModulesKeepWhatTheyPromise(t *testing.T) {
	tests, err := filepath.Glob(filepath.Join(modules(t), "*/tests"))
	if err != nil || len(tests) == 0 {
		t.Fatalf("Unable to find the modules' tests: %v", err)
	}

	for _, folder := range tests {
		module := filepath.Base(filepath.Dir(folder))

		for _, tool := range []string{"terraform", "tofu"} {
			t.Run(module+" with "+tool, func(t *testing.T) {
				printed, err := inModules(t, tool, module).Run(t.Context(), "test", "-no-color")
				if err != nil {
					t.Fatal(err)
				}

				if !strings.Contains(printed, " 0 failed") || strings.Contains(printed, " 0 passed") {
					t.Errorf("The module's tests tried nothing:\n%s", printed)
				}
			})
		}
	}
}

// TestEveryModuleHasExamplesThatArePlanned plans them without a host: hosts are written down in their variables' defaults.
func TestEveryModuleHasExamplesThatArePlanned(t *testing.T) {
	mains, err := filepath.Glob(filepath.Join(modules(t), "*/main.tf"))
	if err != nil || len(mains) == 0 {
		t.Fatalf("Unable to find the modules: %v", err)
	}

	for _, main := range mains {
		module := filepath.Base(filepath.Dir(main))

		examples, err := filepath.Glob(filepath.Join(filepath.Dir(main), "examples/*/main.tf"))
		if err != nil || len(examples) == 0 {
			t.Errorf("The module %s has no example (%v).", module, err)
		}

		for _, example := range examples {
			below := filepath.Join(module, "examples", filepath.Base(filepath.Dir(example)))

			t.Run(below, func(t *testing.T) {
				planned := inModules(t, "terraform", below)
				disconnect(t, planned.Folder)

				changes, plan, err := planned.Plan(t.Context())
				if err != nil {
					t.Fatal(err)
				}

				if !changes {
					t.Errorf("The example plans nothing:\n%s", plan)
				}
			})
		}
	}
}

// disconnect leads an example's hosts to where nobody answers, at once and on this machine: a plan warns of a host that is
// down and goes on.
func disconnect(t *testing.T, folder string) {
	t.Helper()

	files, err := filepath.Glob(filepath.Join(folder, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}

	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}

		write(t, file, overSSH.ReplaceAllString(string(content), "$1+unix:///system?socket=/nowhere"))
	}
}

// overSSH is the address of a host.
var overSSH = regexp.MustCompile(`\b(qemu|lxc)\+ssh://[^/"]+/system`)

// modules is the folder of the modules.
func modules(t *testing.T) string {
	t.Helper()

	root, err := cli.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	return filepath.Join(root, "modules")
}

// inModules is a folder of a copy of the modules.
func inModules(t *testing.T, tool, below string) *cli.CLI {
	t.Helper()

	binary, err := testbed.Tool(t.Context(), tool)
	if err != nil {
		t.Fatal(err)
	}

	run, err := cli.NewBelow(t.Context(), binary, providerBinary(t), modules(t), below, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	return run
}
