package hypervisor_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// TestArchiveThatCannotBeUnpackedIsToldAndTheNextApplyRepairs fails a creation in the middle, and leaves beside it what one
// that was killed would leave.
func TestArchiveThatCannotBeUnpackedIsToldAndTheNextApplyRepairs(t *testing.T) {
	host := containerHost(t)
	broken := filepath.Join(t.TempDir(), "broken.tar.gz")
	write(t, broken, strings.Repeat("no archive ", 1000))

	good := unpacked(t, host, "memory = \"64MiB\"\n  cpu = { count = 1 }\n  allow_change = \"replace\"")

	run(t,
		resource.TestStep{
			Config:      strings.Replace(good, testbed.ArchiveFor(t), broken, 1),
			ExpectError: flexible(`Unable to create VM "box" ... Unpack alpha/default/rootfs.tar.gz into ... tar: ... The host needs /bin/sh, GNU tar and the archive's compression program`),
		},
		resource.TestStep{
			PreConfig: func() {
				part := filepath.Join(host.Folder(), "lib/images/box.root.part")
				if err := os.MkdirAll(part, 0o700); err != nil {
					t.Fatal(err)
				}

				write(t, filepath.Join(part, "half"), "")
			},
			Config: good,
			Check: check(func() {
				wantAnswer(t, host.Bed().Address(120), "box")

				if _, err := os.Stat(filepath.Join(rootOf(host), "half")); err == nil {
					t.Error("What an attempt before has left is in the root file system")
				}
			}),
		},
	)

	wantNothingLeft(t, host)
}

func TestContainerInAFolderLeavesTheFolder(t *testing.T) {
	host := containerHost(t)
	root := filepath.Join(host.Bed().Folder(), "root") // the same folder on the host

	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}

	if output, err := exec.CommandContext(t.Context(), "tar", "--extract", "--file", testbed.ArchiveFor(t), "--directory", root).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}

	run(t,
		resource.TestStep{Config: onContainers(host, `
resource "hypervisor_vm" "test" {
  name      = "box"
  host      = "alpha"
  memory    = "64MiB"
  cpu       = { count = 1 }
  container = { directory = "`+root+`" }
}
`)},
		resource.TestStep{ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/box", ImportStateVerify: true},
	)

	wantNothingLeft(t, host)

	if _, err := os.Stat(filepath.Join(root, "sbin/init")); err != nil {
		t.Errorf("The folder went with the container: %v", err)
	}
}
