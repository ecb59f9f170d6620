package hypervisor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

const pool = `
resource "hypervisor_pool" "fast" {
  host = "alpha"
  name = "fast"
  type = "dir"
  path = "/var/lib/libvirt/%s"
}
`

const pooled = `
resource "hypervisor_volume" "root" {
  host = "alpha"
  pool = hypervisor_pool.fast.name
  name = "root.raw"
  size = "1MiB"
}
`

const poolAddress = "hypervisor_pool.fast"

func TestPoolLivesThroughAllItsChangesAndItsDataOutlivesIt(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := func(rest string) string {
		return onHosts(strings.Replace(fmt.Sprintf(pool, "deep/fast"), "\n}", "\n"+rest+"\n}", 1)+pooled, host)
	}
	plan := func(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
		return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(poolAddress, action)}}
	}
	imported := resource.TestStep{ResourceName: poolAddress, ImportState: true, ImportStateId: "alpha/fast", ImportStateVerify: true}
	data := filepath.Join(host.Folder(), "lib/deep/fast/theirs.raw")
	nothing := plancheck.ExpectResourceAction("hypervisor_volume.root", plancheck.ResourceActionNoop)

	run(t,
		resource.TestStep{
			Config: config(""),
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr(poolAddress, "id", "alpha/fast"),
				check(func() {
					write(t, data, "precious")
					wantPool(t, host, "yes")
				}),
			),
		},
		imported,
		resource.TestStep{Config: config("autostart = false"), ConfigPlanChecks: plan(plancheck.ResourceActionUpdate), Check: check(func() { wantPool(t, host, "no") })},
		imported,
		resource.TestStep{ // gone: it is made over the same folder again, and has the volume that it had
			PreConfig:        func() { virsh(t, host, "pool-destroy", "fast"); virsh(t, host, "pool-undefine", "fast") },
			Config:           config(""),
			ConfigPlanChecks: plan(plancheck.ResourceActionCreate),
			Check:            check(func() { wantPool(t, host, "yes") }),
		},
		resource.TestStep{Config: config(""), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{nothing}}},
	)

	if left := virsh(t, host, "pool-list", "--all", "--name"); left != "default" {
		t.Errorf("The host has the pools %q", left)
	}

	if content := read(t, data); content != "precious" {
		t.Errorf("The data in the pool's folder is %q", content)
	}
}

// TestPoolThatIsOffIsStarted also sees that a folder that went missing is not replaced by an empty one. What the pool holds cannot be
// read meanwhile, and is kept.
func TestPoolThatIsOffIsStarted(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := onHosts(fmt.Sprintf(pool, "fast")+pooled, host)
	folder := filepath.Join(host.Folder(), "lib/fast")

	run(t,
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: func() { virsh(t, host, "pool-destroy", "fast") }, Config: config, Check: check(func() { wantPool(t, host, "yes") })},
		resource.TestStep{
			PreConfig: func() {
				virsh(t, host, "pool-destroy", "fast")

				if err := os.Rename(folder, folder+".away"); err != nil {
					t.Fatal(err)
				}
			},
			Config:      config,
			ExpectError: flexible(`Unable to update pool "fast" ... No such file or directory`),
		},
		resource.TestStep{
			PreConfig: func() {
				if err := os.Rename(folder+".away", folder); err != nil {
					t.Fatal(err)
				}
			},
			Config: config,
			Check:  check(func() { wantPool(t, host, "yes") }),
		},
	)
}

func TestPoolOverAFolderLeavesItsRightsAndFiles(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	folder := filepath.Join(host.Folder(), "lib/mine")

	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}

	write(t, filepath.Join(folder, "mine.raw"), "precious")
	run(t, resource.TestStep{Config: onHosts(fmt.Sprintf(pool, "mine"), host)})

	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("The folder is %v, %v", info, err)
	}

	if content := read(t, filepath.Join(folder, "mine.raw")); content != "precious" {
		t.Errorf("The file is %q", content)
	}
}

func TestPoolWithAMachinesDiskInItIsNotDeleted(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := onHosts(fmt.Sprintf(pool, "fast"), host)
	file := filepath.Join(t.TempDir(), "theirs.xml")

	write(t, file, fmt.Sprintf("<domain type='%s'><name>theirs</name><memory>65536</memory><os><type>hvm</type></os><devices><disk type='volume'>"+
		"<source pool='fast' volume='a'/><target dev='vda'/></disk></devices></domain>", testbed.DomainTypeFor(t)))

	run(t,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig:   func() { virsh(t, host, "define", file) },
			Config:      onHosts("", host),
			ExpectError: flexible(`Unable to delete pool "fast" ... Machine "theirs" of host "alpha" has a disk in it and could not be started any more. Remove the machine or its disk first`),
		},
		resource.TestStep{PreConfig: func() { virsh(t, host, "undefine", "theirs") }, Config: config},
	)
}

// TestPoolThatAKilledRunLeftIsTakenOver leaves what is left by a run that was killed before it made the folder.
func TestPoolThatAKilledRunLeftIsTakenOver(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := onHosts(fmt.Sprintf(pool, "fast"), host)

	virsh(t, host, "pool-define-as", "fast", "dir", "--target", "/var/lib/libvirt/other")
	run(t,
		resource.TestStep{Config: config, ExpectError: flexible(`Host "alpha" has a pool of this name already, and it is another one: dir at /var/lib/libvirt/other. Import it`)},
		resource.TestStep{
			PreConfig: func() {
				virsh(t, host, "pool-undefine", "fast")
				virsh(t, host, "pool-define-as", "fast", "dir", "--target", "/var/lib/libvirt/fast")
			},
			Config: config,
			Check:  check(func() { wantPool(t, host, "yes") }),
		},
	)
}

// TestPoolOfAVolumeGroupThatIsMissingIsKnownAndReplaced has what a plan of a logical pool says, and what comes of one
// whose group is not there: nothing is formatted, and the next apply replaces it.
func TestPoolOfAVolumeGroupThatIsMissingIsKnownAndReplaced(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]

	run(t,
		resource.TestStep{
			Config:      onHosts("resource \"hypervisor_pool\" \"fast\" {\n  host = \"alpha\"\n  name = \"fast\"\n  type = \"logical\"\n  source = { name = \"none\" }\n}\n", host),
			ExpectError: flexible(`Unable to create pool "fast" ... Start pool "fast" on host "alpha"`),
		},
		resource.TestStep{Config: onHosts(fmt.Sprintf(pool, "fast"), host), Check: check(func() { wantPool(t, host, "yes") })},
	)
}

// wantPool checks that the host says of the pool that it runs and is stored, and whether it starts with the host.
func wantPool(t *testing.T, host *testbed.Host, autostart string) {
	t.Helper()

	got := strings.Join(strings.Fields(virsh(t, host, "pool-info", "fast")), " ")
	if want := "State: running Persistent: yes Autostart: " + autostart; !strings.Contains(got, want) {
		t.Errorf("The pool is %q, want %q", got, want)
	}
}
