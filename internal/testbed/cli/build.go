package cli

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// BuildProvider builds this tree's provider into the folder and returns its path.
func BuildProvider(ctx context.Context, folder string) (string, error) {
	root, err := Root(ctx)
	if err != nil {
		return "", err
	}

	path := filepath.Join(folder, "terraform-provider-hypervisor")
	command := exec.CommandContext(ctx, "go", "build", "-tags", "libvirt_dlopen", "-o", path, ".")
	command.Dir = root

	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the provider: %w\n%s", err, output)
	}

	return path, nil
}

// Root returns the folder of this module.
func Root(ctx context.Context) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module's folder: %w", err)
	}

	return strings.TrimSpace(string(output)), nil
}
