package testbed

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// guest is a machine of the tests.
type guest struct {
	name     string
	vcpus    int
	tuning   string // XML of cputune and numatune
	userData string
	address  int
}

func (g guest) mac() string { return fmt.Sprintf("52:54:00:77:00:%02x", g.address) }

// bootGuest defines and starts a machine with an overlay over Image and a seed.
func bootGuest(t *testing.T, host *Host, g guest) {
	t.Helper()
	bed := host.Bed()
	disk, seed := filepath.Join(bed.Folder(), g.name+".qcow2"), filepath.Join(bed.Folder(), g.name+".seed")
	if _, err := run(t.Context(), "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", ImageFor(t), disk); err != nil {
		t.Fatal(err)
	}
	writeSeed(t, seed, map[string]string{
		"meta-data": "instance-id: i-" + g.name + "\nlocal-hostname: " + g.name + "\n",
		"user-data": g.userData,
		"network-config": fmt.Sprintf(`version: 2
ethernets:
    lan:
        addresses:
            - %s
        match:
            macaddress: "%s"
        routes:
            - to: 0.0.0.0/0
              via: %s
`, bed.CIDR(g.address), strings.ToUpper(g.mac()), bed.Gateway()),
	})
	define(t, host, fmt.Sprintf(`<domain type='%s'>
  <name>%s</name><memory unit='MiB'>128</memory><vcpu>%d</vcpu>%s
  <os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/><apic/></features>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='%s'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'/><target dev='vdb' bus='virtio'/><readonly/></disk>
    <interface type='bridge'><mac address='%s'/><source bridge='br0'/><model type='virtio'/></interface>
    <interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>
    <serial type='file'><source path='/var/log/libvirt/%s.serial'/></serial>
  </devices>
</domain>`, DomainTypeFor(t), g.name, g.vcpus, g.tuning, disk, seed, g.mac(), g.name))
	virsh(t, host, "start "+g.name)
}

// writeSeed makes a NoCloud seed on a FAT file system.
func writeSeed(t *testing.T, path string, files map[string]string) {
	t.Helper()
	if _, err := run(t.Context(), "mkfs.vfat", "-C", "-n", "CIDATA", path, "1024"); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		source := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := run(t.Context(), "mcopy", "-i", path, source, "::"+name); err != nil {
			t.Fatal(err)
		}
	}
}

// awaitBody waits until a URL answers and returns what it says.
func awaitBody(t *testing.T, host *Host, g guest, path string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // many guests may be emulated at once
	defer cancel()
	var answer string
	err := until(ctx, func(ctx context.Context) error {
		body, status, err := get(ctx, http.DefaultClient, "http://"+host.Bed().Address(g.address)+path)
		if err == nil && status != 200 {
			err = fmt.Errorf("status %d", status)
		}
		answer = string(body)
		return err
	})
	if err != nil {
		t.Fatalf("%s does not answer: %v; its console:\n%s", g.name, err, tail(host.path("log/"+g.name+".serial"), 20))
	}
	return answer
}

const userData = `#cloud-config
write_files:
  - path: /www/cgi-bin/who
    permissions: "0755"
    content: |
      #!/bin/sh
      printf 'Content-type: text/plain\n\n'
      echo "$(hostname) $(cat /run/instance-id)"

      ip -4 -o address show scope global | awk '{print $4}'
runcmd:
  - httpd -p 80 -h /www
`

func TestGuestAppliesItsSeedKeepsItsPinsMigratesAndObeysThePowerButton(t *testing.T) {
	hosts := Hosts(t, "alpha", "beta")
	host, target := hosts[0], hosts[1]
	web := guest{
		name: "web-1", vcpus: 2, address: 101, userData: userData,
		tuning: "<cputune><vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='1' cpuset='0'/><emulatorpin cpuset='0'/></cputune>",
	}
	began := time.Now()
	bootGuest(t, host, web)
	got := awaitBody(t, host, web, "/cgi-bin/who")
	t.Logf("the guest answered %s after it was started", time.Since(began))
	if want := "web-1 i-web-1\n" + host.Bed().CIDR(101) + "\n"; got != want {
		t.Errorf("the guest says %q, want %q", got, want)
	}

	wantPins(t, host, web.name, "0", "1", "0")
	process, err := host.PID(web.name)
	if err != nil {
		t.Fatal(err)
	}
	virsh(t, host, "vcpupin web-1 0 0-1 --live")
	virsh(t, host, "vcpupin web-1 1 1 --live")
	wantPins(t, host, web.name, "0", "0-1", "1")
	if now, err := host.PID(web.name); err != nil || now != process {
		t.Errorf("the machine is process %d, %v after its pins were changed, and was %d", now, err, process)
	}

	began = time.Now()
	// The disk is in a folder that both hosts see, which libvirt cannot know.
	virsh(t, host, "migrate --live --p2p --persistent --undefinesource --unsafe web-1 "+target.TCPURI())
	t.Logf("the guest migrated in %s", time.Since(began))
	wantPins(t, target, web.name, "0", "0-1", "1")
	if again := awaitBody(t, target, web, "/cgi-bin/who"); again != got {
		t.Errorf("after the migration the guest says %q, want %q", again, got)
	}

	began = time.Now()
	virsh(t, target, "shutdown web-1")
	awaitState(t, target, web.name, "shut off")
	t.Logf("the guest shut down in %s", time.Since(began))
}

func TestMadeUpHostStartsMachinesWithAnyPins(t *testing.T) {
	host, err := For(t).StartHost(t.Context(), HostOptions{Name: "big", Topology: &twoSockets})
	if err != nil {
		t.Fatal(err)
	}
	bootGuest(t, host, guest{
		name: "db", vcpus: 2, address: 102,
		tuning: "<cputune><vcpupin vcpu='0' cpuset='17'/><vcpupin vcpu='1' cpuset='49'/><emulatorpin cpuset='31,63'/></cputune>" +
			"<numatune><memory mode='strict' nodeset='1'/></numatune>",
	})
	wantPins(t, host, "db", "31,63", "17", "49")

	virsh(t, host, "vcpupin db 1 50 --live")
	wantPins(t, host, "db", "31,63", "17", "50")
	if info := virsh(t, host, "vcpupin db"); !strings.Contains(info, "17") || !strings.Contains(info, "50") {
		t.Errorf("libvirt says of the pins: %s", info)
	}
	if out, err := host.virsh(t.Context(), "vcpupin", "db", "1", "64", "--live"); err == nil {
		t.Errorf("a pin on a CPU that is not made up was taken: %q", out)
	}
}

// wantPins compares the CPUs of the main thread and of each vCPU.
func wantPins(t *testing.T, host *Host, domain string, want ...string) {
	t.Helper()
	threads, err := host.Threads(domain)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{threads[0].CPUs}
	for _, thread := range threads {
		if strings.HasPrefix(thread.Name, fmt.Sprintf("CPU %d/", len(got)-1)) {
			got = append(got, thread.CPUs)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("CPUs of the main thread and of each vCPU (-want +got):\n%s", diff)
	}
}

func awaitState(t *testing.T, host *Host, domain, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := until(ctx, func(ctx context.Context) error {
		state, err := host.virsh(ctx, "domstate", domain)
		if err == nil && strings.TrimSpace(state) != want {
			err = fmt.Errorf("it is %s", strings.TrimSpace(state))
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s is not %s: %v", domain, want, err)
	}
}
