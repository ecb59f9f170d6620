package testbed

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestToolsVersionIsReadFromItsModule(t *testing.T) {
	path := filepath.Join(t.TempDir(), "go.mod")
	const module = `module example.com/tools/gateway

tool example.com/gateway/v3/cmd/gateway

require (
	example.com/gateway v1.0.0
	example.com/gateway/v3 v3.6.12
	example.com/gate v1.0.1
)
`
	if err := os.WriteFile(path, []byte(module), 0o600); err != nil {
		t.Fatal(err)
	}
	pkg, version, err := readTool(path)
	if err != nil {
		t.Fatal(err)
	}
	if pkg != "example.com/gateway/v3/cmd/gateway" || version != "v3.6.12" {
		t.Errorf("readTool returns %s at %s", pkg, version)
	}
}

func TestEveryToolThatIsBuiltHasAModule(t *testing.T) {
	for name, tool := range tools {
		if tool.folder == "" {
			continue
		}
		path, err := findUpwards(filepath.Join("tools", tool.folder, "go.mod"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		program, _, _ := strings.Cut(name, "-") // a version may be part of the name
		if pkg, version, err := readTool(path); err != nil || !strings.HasPrefix(version, "v") || filepath.Base(pkg) != program {
			t.Errorf("%s is %s at %q, %v", name, pkg, version, err)
		}
	}
}

func TestToolInPathIsPreferred(t *testing.T) {
	folder := t.TempDir()
	want := filepath.Join(folder, "consul")
	if err := os.WriteFile(want, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder)
	if got, err := Tool(t.Context(), "consul"); err != nil || got != want {
		t.Errorf("Tool returns %q, %v; want %q", got, err, want)
	}
}

func TestToolThatCannotBeBuiltIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if got, err := Tool(t.Context(), "terraform"); err == nil || !strings.Contains(err.Error(), "terraform: it is not in PATH") {
		t.Errorf("Tool returns %q, %v", got, err)
	}
	if got, err := Tool(t.Context(), "nonsense"); err == nil {
		t.Errorf("Tool returns %q for a program it does not know", got)
	}
}

func TestMissingToolIsBuiltFromItsModule(t *testing.T) {
	goProgram, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	builds, err := run(t.Context(), "go", "env", "GOCACHE")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(builds))
	caches, programs, project := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", caches)
	t.Setenv("PATH", programs)
	if err := os.Symlink(goProgram, filepath.Join(programs, "go")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"tools/consul/go.mod": "module example.com/tools\n\ngo 1.24\n\ntool example.com/consul\n\n" +
			"require example.com/consul v1.2.3\n\nreplace example.com/consul => ../../source\n",
		"source/go.mod":  "module example.com/consul\n\ngo 1.24\n",
		"source/main.go": "package main\n\nfunc main() { println(\"hello\") }\n",
	} {
		path := filepath.Join(project, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(project, "source"))

	path, err := Tool(t.Context(), "consul")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(caches, "terraform-provider-hypervisor/bin/consul-1.2.3"); path != want {
		t.Errorf("the program is at %s, want %s", path, want)
	}
	if output, err := exec.CommandContext(t.Context(), path).CombinedOutput(); err != nil || string(output) != "hello\n" {
		t.Errorf("the program says %q, %v", output, err)
	}

	// What is in the cache needs no compiler.
	t.Setenv("PATH", t.TempDir())
	if again, err := Tool(t.Context(), "consul"); err != nil || again != path {
		t.Errorf("the second call returns %q, %v", again, err)
	}
}
