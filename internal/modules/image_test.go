package modules_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// TestImageIsMadeOfNothingUnchecked gives the recipe sources that it must refuse before anything is built.
func TestImageIsMadeOfNothingUnchecked(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/consul" {
			http.NotFound(w, r)

			return
		}

		_, _ = w.Write([]byte("not what was published"))
	}))
	defer server.Close()

	tests := map[string]struct {
		consul, want string
	}{
		"no source at all":            {"", "--consul is missing"},
		"a file that is not there":    {"/nowhere/consul", "there is no file /nowhere/consul"},
		"an address without checksum": {server.URL + "/consul", "has no checksum"},
		"an address that is gone":     {server.URL + "/gone#sha256=00", "was not answered"},
		"another content":             {server.URL + "/consul#sha256=" + strings.Repeat("0", 64), "has the checksum 28fe8f95"},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			printed, err := buildImage(t, "--consul="+test.consul)
			if err == nil || !strings.Contains(printed, "Unable to build the image") || !strings.Contains(printed, test.want) {
				t.Errorf("The recipe says %q (%v), not %q.", printed, err, test.want)
			}
		})
	}
}

// buildImage calls the recipe, with programs that build nothing.
func buildImage(t *testing.T, arguments ...string) (printed string, err error) {
	t.Helper()

	root, err := cli.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	programs, output := t.TempDir(), t.TempDir()
	for _, name := range []string{"mmdebstrap", "extlinux", "mkfs.ext4", "qemu-img"} {
		write(t, filepath.Join(programs, name), "#!/bin/sh\necho 'Something is built.'\n")

		if err := os.Chmod(filepath.Join(programs, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}

	command := exec.CommandContext(t.Context(), filepath.Join(root, "modules/image/recipe/build.sh"),
		append(arguments, "--output="+output, "--traefik=/bin/true", "--mysql-pair=/bin/true")...)
	command.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"))

	text, err := command.CombinedOutput()
	if strings.Contains(string(text), "Something is built") {
		t.Error("The recipe began to build.")
	}

	if left, _ := filepath.Glob(filepath.Join(output, ".build-*")); len(left) > 0 {
		t.Errorf("The recipe left %v.", left)
	}

	return string(text), err
}
