package provider_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// handMade is a machine as virt-install makes it, with the devices that nobody declares.
const handMade = `<domain type=%q>
  <name>shop-db</name>
  <memory unit="MiB">32</memory>
  <vcpu>1</vcpu>
  <os><type arch="x86_64" machine="q35">hvm</type><boot dev="hd"/></os>
  <features><acpi/><apic/></features>
  <clock offset="utc"><timer name="rtc" tickpolicy="catchup"/><timer name="pit" tickpolicy="delay"/></clock>
  <pm><suspend-to-mem enabled="no"/><suspend-to-disk enabled="no"/></pm>
  <devices>
    <disk type="file" device="disk"><driver name="qemu" type="qcow2" discard="unmap"/><source file="/var/lib/libvirt/images/shop-db.qcow2"/><target dev="vda" bus="virtio"/></disk>
    <disk type="file" device="cdrom"><target dev="sda" bus="sata"/><readonly/></disk>
    <controller type="usb" model="qemu-xhci" ports="15"/>
    <interface type="network"><mac address="52:54:00:6b:3c:58"/><source network="shop"/><model type="virtio"/></interface>
    <console type="pty"/>
    <channel type="unix"><source mode="bind"/><target type="virtio" name="org.qemu.guest_agent.0"/></channel>
    <input type="tablet" bus="usb"/>
    <graphics type="vnc" port="-1" listen="127.0.0.1" passwd="hunter2x"/>
    <video><model type="vga"/></video>
    <memballoon model="virtio"/>
    <rng model="virtio"><backend model="random">/dev/urandom</backend></rng>
  </devices>
</domain>`

const handMadeNetwork = `<network><name>shop</name><bridge name="shop0"/><ip address="192.168.177.1" prefix="24">
  <dhcp><range start="192.168.177.100" end="192.168.177.200"/><host mac="52:54:00:6b:3c:58" name="shop-db" ip="192.168.177.10"/></dhcp></ip></network>`

const takeOver = `
terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

provider "hypervisor" {
  hosts = { alpha = { uri = %q } }
}
`

// TestHandMadeMachineIsFoundAndTakenOver goes the way of the guide: what is on a host is found, its configuration is
// written, and nothing is changed by taking it over.
func TestHandMadeMachineIsFoundAndTakenOver(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	makeByHand(t, host)

	running := onHost(t, host, "domid", "shop-db") // another one after a restart
	stored, live := onHost(t, host, "dumpxml", "--inactive", "shop-db"), onHost(t, host, "dumpxml", "shop-db")

	source := t.TempDir()
	write(t, filepath.Join(source, "main.tf"), fmt.Sprintf(takeOver, host.URI()))
	write(t, filepath.Join(source, "all.tfquery.hcl"), queryIn(t, "taking-over-a-hand-made-machine"))

	binary, err := testbed.Tool(t.Context(), "terraform-1.14")
	if err != nil {
		t.Fatal(err)
	}

	terraform, err := cli.New(t.Context(), binary, providerBinary(t), source, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	found, err := terraform.Run(t.Context(), "query", "-no-color", "-generate-config-out=generated.tf")
	if err != nil {
		t.Fatal(err)
	}

	for _, name := range []string{"alpha/shop-db", "alpha/default/shop-db.qcow2", "alpha/shop", "alpha/default"} {
		if !strings.Contains(found, name+"\n") {
			t.Errorf("The query does not find %s:\n%s", name, found)
		}
	}

	printed, err := terraform.Run(t.Context(), "apply", "-auto-approve", "-no-color")
	if err != nil {
		t.Fatal(err)
	}

	if !strings.Contains(printed, "4 imported, 0 added, 0 changed, 0 destroyed") {
		t.Errorf("The import changes something:\n%s", printed)
	}

	if changes, text, err := terraform.Plan(t.Context()); err != nil || changes {
		t.Errorf("The plan after the import has changes, or fails: %v\n%s", err, text)
	}

	if now := onHost(t, host, "domid", "shop-db"); now != running {
		t.Errorf("The machine was restarted: its id was %s and is %s", running, now)
	}

	if state, err := terraform.Run(t.Context(), "state", "pull"); err != nil || strings.Contains(state, "hunter2x") {
		t.Errorf("The state has the password of the graphics, or cannot be read: %v", err)
	}

	if onHost(t, host, "dumpxml", "--inactive", "shop-db") != stored || onHost(t, host, "dumpxml", "shop-db") != live {
		t.Error("Taking the machine over changed its definition")
	}
}

// queryIn is the query that a guide has its reader write.
func queryIn(t *testing.T, guide string) string {
	t.Helper()

	text, err := os.ReadFile(filepath.Join("../../templates/guides", guide+".md"))
	if err != nil {
		t.Fatal(err)
	}

	for block := range strings.SplitSeq(string(text), "```terraform\n") {
		if strings.HasPrefix(block, "list ") {
			query, _, _ := strings.Cut(block, "```")

			return query
		}
	}

	t.Fatalf("The guide %s has no query", guide)

	return ""
}

func makeByHand(t *testing.T, host *testbed.Host) {
	t.Helper()

	folder := t.TempDir()
	write(t, filepath.Join(folder, "network.xml"), handMadeNetwork)
	write(t, filepath.Join(folder, "machine.xml"), fmt.Sprintf(handMade, testbed.DomainTypeFor(t)))

	onHost(t, host, "net-define", filepath.Join(folder, "network.xml"))
	onHost(t, host, "net-start", "shop")
	onHost(t, host, "vol-create-as", "default", "shop-db.qcow2", "8M", "--format", "qcow2")
	onHost(t, host, "define", filepath.Join(folder, "machine.xml"))
	onHost(t, host, "start", "shop-db")
}

// onHost runs one virsh command on a host and returns what it printed.
func onHost(t *testing.T, host *testbed.Host, arguments ...string) string {
	t.Helper()

	output, err := exec.CommandContext(t.Context(), "virsh", append([]string{"-q", "-c", host.URI()}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("virsh %v on %s: %v\n%s", arguments, host.Name(), err, output)
	}

	return strings.TrimSpace(string(output))
}
