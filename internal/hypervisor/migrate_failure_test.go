package hypervisor_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// mover is a machine without a guest, whose disk holds an image's content in a pool.
const mover = `
resource "hypervisor_volume" "root" {
  host   = %[1]q
  pool   = %[2]q
  name   = "m1.img"
  source = { file = %[3]q }
}

resource "hypervisor_vm" "test" {
  name             = "m1"
  host             = %[1]q
  domain_type      = %[4]q
  memory           = "32MiB"
  shutdown_timeout = "0s"
  cpu              = { pins = ["1"], emulator = "0" }
  disks            = { root = { volume = hypervisor_volume.root.id } }
  cloud_init       = { user_data = "#!/bin/sh\n" }
  %[5]s
}
`

// contentFor makes a file that looks like no image and is not all zeroes, as many KiB as said.
func contentFor(t *testing.T, kib int) string {
	t.Helper()

	text := strings.Repeat("No two blocks of a disk are to be the same, or copying them takes no time.\n", kib*1024/74+1)
	file := filepath.Join(t.TempDir(), "content.img")
	write(t, file, text[:kib*1024])

	return file
}

// wantContent compares the volume that moves with a file.
func wantContent(t *testing.T, host *testbed.Host, file string) {
	t.Helper()

	const volume = "m1.img"

	got := filepath.Join(t.TempDir(), "got")
	virsh(t, host, "vol-download", "--pool", "default", volume, got)

	output, err := exec.CommandContext(t.Context(), "cmp", file, got).CombinedOutput()
	if err != nil {
		t.Errorf("Volume %s of %s is not what it was: %v %s", volume, host.Name(), err, output)
	}
}

// withHosts is a configuration in which the second host has further attributes.
func withHosts(configuration string, hosts []*testbed.Host, more string) string {
	text := onHosts(configuration, hosts...)
	uri := fmt.Sprintf("uri = %q", hosts[1].URI())

	return strings.Replace(text, uri, uri+more, 1)
}

func TestFailedMoveLeavesTheMachineWhereItIs(t *testing.T) {
	hosts := testbed.Hosts(t, "alpha", "beta")
	file, kind := contentFor(t, 1024), testbed.DomainTypeFor(t)
	on := func(host, more string) string {
		return withHosts(fmt.Sprintf(mover, host, "default", file, kind, ""), hosts, more)
	}
	unreachable := `, migration_uri = "tcp://127.0.0.1:1"` // nobody listens there on the other host
	first := 0

	stays := func() {
		if now := pid(t, hosts[0]); now != first {
			t.Errorf("The machine has the process %d after it did not move, and had %d", now, first)
		}

		if state := virsh(t, hosts[0], "domstate", "m1"); state != "running" {
			t.Errorf("The machine is %s", state)
		}

		wantNames(t, hosts[0], []string{"m1"}, []string{"m1.img", "m1.seed"})
		wantNames(t, hosts[1], nil, nil)
	}
	failure := flexible(`Unable to update VM "m1" ... Migrate the machine from host "alpha" to host "beta": ... Failed to connect to ... The machine stays on host "alpha" as it was, and host "beta" has nothing of it`)

	run(t,
		resource.TestStep{Config: on("alpha", ""), Check: check(func() { first = pid(t, hosts[0]) })},
		resource.TestStep{Config: on("beta", unreachable), ExpectError: failure},
		resource.TestStep{ // and it is taken back
			PreConfig: stays,
			Config:    on("alpha", unreachable),
			Check: check(func() {
				stays()

				if info := virsh(t, hosts[0], "dominfo", "m1"); !strings.Contains(info, "Autostart:      enable") {
					t.Errorf("The machine would not start with its host: %s", info)
				}
			}),
		},
		resource.TestStep{Config: on("beta", unreachable), ExpectError: failure},
		resource.TestStep{
			PreConfig:        stays,
			Config:           on("beta", ""),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				wantNames(t, hosts[0], nil, nil)
				wantNames(t, hosts[1], []string{"m1"}, []string{"m1.img", "m1.seed"})
				wantContent(t, hosts[1], file)
			}),
		},
	)
}

func TestMoveToAHostWithoutTheMachinesBridgeIsRefusedInThePlan(t *testing.T) {
	hosts := testbed.Hosts(t, "alpha", "beta")
	file, kind := contentFor(t, 64), testbed.DomainTypeFor(t)
	on := func(host string) string {
		return onHosts(fmt.Sprintf(mover, host, "default", file, kind, `interfaces = { lan = { bridge = "br9" } }`), hosts...)
	}

	network := filepath.Join(t.TempDir(), "network.xml")
	write(t, network, "<network><name>here</name><bridge name='br9'/></network>")
	virsh(t, hosts[0], "net-create", network)

	first := 0

	run(t,
		resource.TestStep{Config: on("alpha"), Check: check(func() { first = pid(t, hosts[0]) })},
		resource.TestStep{
			Config:      on("beta"),
			PlanOnly:    true,
			ExpectError: flexible(`Unable to move VM "m1" ... Interface "lan": host "beta" has no bridge "br9". Make it there, or name another one.`),
		},
		resource.TestStep{
			Config:           on("alpha"),
			ConfigPlanChecks: planned(plancheck.ResourceActionNoop),
			Check: check(func() {
				if now := pid(t, hosts[0]); now != first {
					t.Errorf("The machine has the process %d, and had %d", now, first)
				}

				wantNames(t, hosts[1], nil, nil)
			}),
		},
	)
}

// sharePool makes a pool "shared" on each of the hosts, over one folder, which it returns.
func sharePool(t *testing.T, hosts []*testbed.Host) (folder string) {
	t.Helper()

	folder = filepath.Join(hosts[0].Bed().Folder(), "shared")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}

	for _, host := range hosts {
		virsh(t, host, "pool-create-as", "shared", "dir", "--target", folder)
	}

	return folder
}

func TestMachineMovesOnStorageThatBothHostsHave(t *testing.T) {
	hosts := testbed.Hosts(t, "alpha", "beta")
	file, kind := contentFor(t, 1024), testbed.DomainTypeFor(t)
	folder := sharePool(t, hosts)

	inode := func() uint64 { return inodeOf(t, filepath.Join(folder, "m1.img")) }
	first := uint64(0)

	run(t,
		resource.TestStep{Config: onHosts(fmt.Sprintf(mover, "alpha", "shared", file, kind, ""), hosts...), Check: check(func() { first = inode() })},
		resource.TestStep{
			Config:           onHosts(fmt.Sprintf(mover, "beta", "shared", file, kind, ""), hosts...),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				wantNames(t, hosts[0], nil, nil)
				wantNames(t, hosts[1], []string{"m1"}, nil)

				entries, err := os.ReadDir(folder)
				if err != nil || len(entries) != 2 || inode() != first {
					t.Errorf("The shared folder has %v, and the disk is the file %d, which was %d: %v", entries, inode(), first, err)
				}
			}),
		},
	)
}

// TestWhatIsOffMovesThroughTerraform moves a volume that nobody uses, and then a machine that does not run.
func TestWhatIsOffMovesThroughTerraform(t *testing.T) {
	hosts := testbed.Hosts(t, "alpha", "beta")
	file, kind := contentFor(t, 1024), testbed.DomainTypeFor(t)
	on := func(host string) string {
		return onHosts(fmt.Sprintf(mover, host, "default", file, kind, "running = false"), hosts...)
	}
	alone := func(host string) string {
		volume, _, _ := strings.Cut(on(host), `resource "hypervisor_vm"`)

		return volume
	}

	run(t,
		resource.TestStep{Config: alone("alpha")},
		resource.TestStep{
			Config: alone("beta"),
			Check: check(func() {
				wantNames(t, hosts[0], nil, nil)
				wantNames(t, hosts[1], nil, []string{"m1.img"})
				wantContent(t, hosts[1], file)
			}),
		},
		resource.TestStep{Config: on("beta")},
		resource.TestStep{
			Config:           on("alpha"),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				wantNames(t, hosts[0], []string{"m1"}, []string{"m1.img", "m1.seed"})
				wantNames(t, hosts[1], nil, nil)
				wantContent(t, hosts[0], file)
			}),
		},
	)
}

func inodeOf(t *testing.T, path string) uint64 {
	t.Helper()

	output, err := exec.CommandContext(t.Context(), "stat", "-c", "%i", path).Output()
	if err != nil {
		t.Fatal(err)
	}

	var inode uint64
	if _, err := fmt.Sscan(string(output), &inode); err != nil {
		t.Fatal(err)
	}

	return inode
}

// TestMachineThatSomebodyMovedIsFoundAndNotMadeAnew has a failover, or a hand, move a machine: it is on another host than the state
// says, and exists once.
func TestMachineThatSomebodyMovedIsFoundAndNotMadeAnew(t *testing.T) {
	hosts := testbed.Hosts(t, "alpha", "beta")
	sharePool(t, hosts)

	config := onHosts(fmt.Sprintf(mover, "alpha", "shared", contentFor(t, 64), testbed.DomainTypeFor(t), ""), hosts...)
	uuid := ""
	once := func(at, other *testbed.Host) {
		if now := virsh(t, at, "domuuid", "m1"); now != uuid || virsh(t, other, "list", "--all", "--name") != "" {
			t.Errorf("%s has the machine %s, which was %s, and %s has %q", at.Name(), now, uuid, other.Name(), virsh(t, other, "list", "--all", "--name"))
		}
	}

	run(t,
		resource.TestStep{Config: config, Check: check(func() { uuid = virsh(t, hosts[0], "domuuid", "m1") })},
		resource.TestStep{
			PreConfig: func() {
				virsh(t, hosts[1], "pool-refresh", "shared") // the other host's files are new to it
				virsh(t, hosts[0], "migrate", "--live", "--p2p", "--persistent", "--undefinesource", "--unsafe", "m1", hosts[1].TCPURI())
				once(hosts[1], hosts[0])
			},
			Config:           config,
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate), // back to where it is declared to be
			Check:            check(func() { once(hosts[0], hosts[1]) }),
		},
	)
}
