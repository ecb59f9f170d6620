//go:build cgo

package libvirt

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Releases for systems without libvirt are built without cgo: the provider must still build and start there, and say so
// when a host is used.
func TestBuildWithoutCgoKeepsEverythingButHosts(t *testing.T) {
	program := filepath.Join(t.TempDir(), "provider")

	for _, command := range [][]string{
		{"vet", ".", "./internal/libvirt", "./internal/hypervisor/..."},
		{"build", "-o", program, "."},
		{"test", "-count=1", "-run", "^TestHostWithoutCgoIsUnsupported$", "-v", "./internal/libvirt"},
	} {
		cmd := exec.CommandContext(t.Context(), "go", command...)
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")

		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("CGO_ENABLED=0 go %s: %v:\n%s", strings.Join(command, " "), err, out)
		}

		if command[0] == "test" && !strings.Contains(string(out), "--- PASS: TestHostWithoutCgoIsUnsupported") {
			t.Errorf("the test of the build without cgo did not run:\n%s", out)
		}
	}

	// A provider that is not started by Terraform says so and ends.
	out, err := exec.CommandContext(t.Context(), program).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "This binary is a plugin") {
		t.Errorf("the program without cgo says %q, %v", out, err)
	}
}
