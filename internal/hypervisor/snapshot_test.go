package hypervisor_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

const snapshot = `
resource "hypervisor_snapshot" "before" {
  host = "alpha"
  vm   = hypervisor_vm.test.id
  name = "before-upgrade"
  %s
}
`

const snapshotAddress = "hypervisor_snapshot.before"

// TestMachineGoesBackToItsSnapshot writes to the disk of the running machine as its guest would, by QEMU's own console.
func TestMachineGoesBackToItsSnapshot(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	without := onHosts(strings.Replace(fmt.Sprintf(machine, "m1", testbed.DomainTypeFor(t), `cpu = { count = 1 }`),
		`size   = "1MiB"`, "size   = \"1MiB\"\n  protected = false", 1), host)
	with := func(rest string) string { return without + fmt.Sprintf(snapshot, rest) }

	running := ""

	run(t,
		resource.TestStep{Config: without, Check: check(func() {
			onDisk(t, host, "write -P 0x11 0 64k")

			running = virsh(t, host, "domid", "m1")
		})},
		resource.TestStep{
			Config: with(""),
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr(snapshotAddress, "memory", "true"),
				resource.TestCheckResourceAttrSet(snapshotAddress, "taken_at"),
				check(func() {
					if now := virsh(t, host, "domid", "m1"); now != running || virsh(t, host, "domstate", "m1") != "running" {
						t.Errorf("The machine did not go on: its id was %s and is %s", running, now)
					}

					onDisk(t, host, "write -P 0x22 0 64k") // the upgrade, which breaks the machine
				}),
			),
		},
		resource.TestStep{ResourceName: snapshotAddress, ImportState: true, ImportStateVerify: true},
		resource.TestStep{
			Config: with(`revert = "the upgrade broke it"`),
			Check: check(func() {
				if !holds(t, host, 0x11) {
					t.Error("The disk does not hold what it held when the snapshot was taken")
				}

				if state := virsh(t, host, "domstate", "m1"); state != "running" {
					t.Errorf("The machine is %s after it went back", state)
				}

				onDisk(t, host, "write -P 0x33 0 64k")
			}),
		},
		resource.TestStep{
			Config: without,
			Check: check(func() {
				if !holds(t, host, 0x33) {
					t.Error("The machine's data went with its snapshot")
				}

				if left := virsh(t, host, "snapshot-list", "m1", "--name"); left != "" {
					t.Errorf("The host still has the snapshot %s", left)
				}
			}),
		},
	)

	wantNames(t, host, nil, nil)
}

// TestSnapshotOfAMachineThatIsOffKeepsItsDisks also has the snapshot that a killed run left.
func TestSnapshotOfAMachineThatIsOffKeepsItsDisks(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	off := onHosts(fmt.Sprintf(machine, "m1", testbed.DomainTypeFor(t), "cpu = { count = 1 }\n  running = false"), host)

	run(t,
		resource.TestStep{Config: off, Check: check(func() {
			virsh(t, host, "snapshot-create-as", "m1", "before-upgrade", "Taken by Terraform.")
		})},
		resource.TestStep{
			Config: off + fmt.Sprintf(snapshot, ""),
			Check:  resource.TestCheckResourceAttr(snapshotAddress, "memory", "false"),
		},
		resource.TestStep{Config: off + fmt.Sprintf(snapshot, `revert = "1"`), Check: check(func() {
			if state := virsh(t, host, "domstate", "m1"); state != "shut off" {
				t.Errorf("The machine is %s after it went back, and was off", state)
			}
		})},
	)

	wantNames(t, host, nil, nil)
}

func TestSnapshotOfARawDiskIsRefusedInThePlan(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	raw := onHosts(strings.Replace(fmt.Sprintf(machine, "m1", testbed.DomainTypeFor(t), "cpu = { count = 1 }\n  running = false"),
		`size   = "1MiB"`, "size   = \"1MiB\"\n  format = \"raw\"", 1), host)

	run(t,
		resource.TestStep{Config: raw},
		resource.TestStep{
			Config: raw + fmt.Sprintf(snapshot, ""), PlanOnly: true,
			ExpectError: flexible(`Unable to plan snapshot "before-upgrade" ... Disk "root" of machine "m1" is raw, and a snapshot stands inside`),
		},
	)
}

// onDisk has QEMU do something to the disk of the running machine m1.
func onDisk(t *testing.T, host *testbed.Host, command string) {
	t.Helper()
	virsh(t, host, "qemu-monitor-command", "m1", "--hmp", fmt.Sprintf("qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend %q", command))
}

// holds reports whether the disk of m1 begins with the byte, 64 KiB of it.
func holds(t *testing.T, host *testbed.Host, pattern byte) bool {
	t.Helper()
	onDisk(t, host, "flush")

	copied := filepath.Join(t.TempDir(), "copy")
	virsh(t, host, "vol-download", "--pool", "default", "m1.qcow2", copied)

	if output, err := exec.CommandContext(t.Context(), "qemu-img", "convert", "-O", "raw", copied, copied+".raw").CombinedOutput(); err != nil {
		t.Fatalf("Unable to read the disk: %v\n%s", err, output)
	}

	content, err := os.ReadFile(copied + ".raw")
	if err != nil {
		t.Fatal(err)
	}

	return bytes.Equal(content[:64<<10], bytes.Repeat([]byte{pattern}, 64<<10))
}
