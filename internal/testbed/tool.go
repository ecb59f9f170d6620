package testbed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
)

// progressInterval is how often a long build says that it goes on.
const progressInterval = 20 * time.Second

// tool is a program that a test or the demo runs.
type tool struct {
	folder string // below tools/, with a go.mod that says its version; "" if it cannot be built
	flags  string // for the linker, beyond the usual
}

var tools = map[string]tool{
	"consul":    {folder: "consul"},
	"traefik":   {folder: "traefik"},
	"tofu":      {folder: "opentofu", flags: "-X github.com/opentofu/opentofu/version.dev=no"},
	"terraform": {},
	// Terraform with what came after the version that the provider asks for: `terraform query`.
	"terraform-1.14": {folder: "terraform", flags: "-X github.com/hashicorp/terraform/version.dev=no"},
}

// Tool returns the path of consul, traefik, tofu, terraform or terraform-1.14: from PATH if it is there, else from the cache folder
// ~/.cache/terraform-provider-hypervisor/bin. What is in neither is built from tools/NAME/go.mod, which takes minutes;
// a line on standard error every 20 s says so. terraform is only looked for in PATH.
func Tool(ctx context.Context, name string) (string, error) {
	known, exists := tools[name]
	if !exists {
		return "", fmt.Errorf("find %s: it is not a tool of the test bed", name)
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	if known.folder == "" {
		return "", fmt.Errorf("find %s: it is not in PATH: install it, or use tofu", name)
	}

	folder, err := findUpwards(filepath.Join("tools", known.folder, "go.mod"))
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	pkg, version, err := readTool(folder)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	return cached(ctx, "bin", name+"-"+strings.TrimPrefix(version, "v"), func(ctx context.Context, path string) error {
		return buildTool(ctx, filepath.Dir(folder), pkg, "-s -w "+known.flags, path)
	})
}

// findUpwards looks for a file from the working folder upwards: a test's is its package, the demo's the root.
func findUpwards(name string) (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := start; ; folder = filepath.Dir(folder) {
		path := filepath.Join(folder, name)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path, err
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("there is no %s above %s: run from the project's folder", name, start)
		}
	}
}

// readTool reads the package and its version from the tool directive of a go.mod.
func readTool(path string) (pkg, version string, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	file, err := modfile.Parse(path, content, nil)
	if err != nil {
		return "", "", err
	}
	if len(file.Tool) != 1 {
		return "", "", fmt.Errorf("%s has %d tool directives, not one", path, len(file.Tool))
	}
	pkg = file.Tool[0].Path

	// The module is the longest required one whose path begins the package's.
	slices.SortFunc(file.Require, func(a, b *modfile.Require) int { return len(b.Mod.Path) - len(a.Mod.Path) })
	for _, required := range file.Require {
		if pkg == required.Mod.Path || strings.HasPrefix(pkg, required.Mod.Path+"/") {
			return pkg, required.Mod.Version, nil
		}
	}
	return "", "", fmt.Errorf("%s does not require the module of %s", path, pkg)
}

func buildTool(ctx context.Context, folder, pkg, linker, path string) error {
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("build %s: Go is not in PATH: install it, or install the program itself", pkg)
	}
	began := time.Now()
	fmt.Fprintf(os.Stderr, "building %s, once for this machine\n", pkg)
	done := make(chan struct{})
	defer close(done)
	go func() {
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				fmt.Fprintf(os.Stderr, "building %s: %d s so far\n", pkg, int(time.Since(began).Seconds()))
			}
		}
	}()

	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", linker, "-o", path, pkg)
	cmd.Dir = folder
	// The tool's module stands for itself: neither the project's build tags nor a workspace may reach it.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", pkg, err, strings.TrimSpace(string(output)))
	}
	return nil
}
