package testbed

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTwoHostsServeSideBySide(t *testing.T) {
	hosts := Hosts(t, "alpha", "beta")

	uuids := map[string]bool{}
	for _, host := range hosts {
		for _, uri := range []string{host.URI(), host.TCPURI()} {
			got, err := run(t.Context(), "virsh", "--connect", uri, "hostname")
			if err != nil || strings.TrimSpace(got) != host.Name() {
				t.Errorf("the host at %s says its name is %q, %v; want %q", uri, got, err, host.Name())
			}
		}
		pools := virsh(t, host, "pool-list --name")
		if strings.TrimSpace(pools) != "default" {
			t.Errorf("the active pools of %s are %q", host.Name(), pools)
		}
		uuids[capabilitiesOf(t, host).UUID] = true
	}
	if len(uuids) != 2 {
		t.Errorf("two hosts have the UUIDs %v", uuids)
	}

	virsh(t, hosts[0], "vol-create-as default only-here 1M")
	if volumes := virsh(t, hosts[1], "vol-list default"); strings.Contains(volumes, "only-here") {
		t.Errorf("%s sees a volume of %s: %s", hosts[1].Name(), hosts[0].Name(), volumes)
	}
	if got, err := run(t.Context(), "ip", "netns", "exec", hosts[0].bed.record.netns("alpha"), "getent", "-s", "files", "hosts", "localhost"); err != nil {
		t.Errorf("the network namespace of alpha cannot be entered: %q, %v", got, err)
	}
}

func TestMadeUpHostShowsItsTopology(t *testing.T) {
	bed := For(t)
	host, err := bed.StartHost(t.Context(), HostOptions{Name: "big", Topology: &twoSockets})
	if err != nil {
		t.Fatal(err)
	}

	cells := capabilitiesOf(t, host).Cells
	if len(cells) != 2 {
		t.Fatalf("there are %d NUMA nodes, want 2", len(cells))
	}
	for node, cell := range cells {
		if len(cell.CPUs) != 32 {
			t.Errorf("node %d has %d CPUs, want 32", node, len(cell.CPUs))
		}
		if want := 128 << 20; cell.KiB != want {
			t.Errorf("node %d has %d KiB, want %d", node, cell.KiB, want)
		}
		for _, cpu := range cell.CPUs {
			core := cpu.ID % 32
			want := capabilityCPU{ID: cpu.ID, Socket: node, Core: core % 16, Siblings: fmt.Sprintf("%d,%d", core, core+32)}
			if diff := cmp.Diff(want, cpu); diff != "" {
				t.Errorf("CPU %d (-want +got):\n%s", cpu.ID, diff)
			}
		}
	}
	pages := virsh(t, host, "freepages --cellno 1 --pagesize 1G")
	if !strings.Contains(pages, "1048576KiB: 16") {
		t.Errorf("the free huge pages of node 1 are %q", pages)
	}
}

func TestHostComesBackFromPowerFailure(t *testing.T) {
	hosts := Hosts(t, "alpha")
	host := hosts[0]
	virsh(t, host, "vol-create-as default kept 1M")
	define(t, host, fmt.Sprintf(`<domain type='%s'><name>idle</name><memory unit='MiB'>32</memory><os><type>hvm</type></os></domain>`, DomainTypeFor(t)))
	virsh(t, host, "start idle")
	virsh(t, host, "autostart idle")
	pid, err := host.PID("idle")
	if err != nil {
		t.Fatal(err)
	}
	before, err := identify(pid)
	if err != nil {
		t.Fatal(err)
	}

	if err := host.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if before.alive() {
		t.Errorf("process %d of the machine survived", pid)
	}
	if out, err := host.virsh(t.Context(), "list"); err == nil {
		t.Errorf("a killed host answers %q", out)
	}

	began := time.Now()
	if err := host.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("restart took %s", time.Since(began))
	if volumes := virsh(t, host, "vol-list default"); !strings.Contains(volumes, "kept") {
		t.Errorf("after a restart the volumes are %q", volumes)
	}
	if state := virsh(t, host, "domstate idle"); strings.TrimSpace(state) != "running" {
		t.Errorf("after a restart the machine marked for autostart is %q", state)
	}

	if err := host.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := host.PID("idle"); err == nil {
		t.Error("a machine of a stopped host runs")
	}
}

func TestHostWithBadNameIsRefused(t *testing.T) {
	bed := newBed(record{}, nil, nil)
	for _, name := range []string{"", "Alpha", "a/b", "../x", "-a", strings.Repeat("a", 33)} {
		if _, err := bed.StartHost(t.Context(), HostOptions{Name: name}); err == nil {
			t.Errorf("a host named %q started", name)
		}
	}
}

// virsh runs a command of virsh(1) on a host.
func virsh(t *testing.T, host *Host, command string) string {
	t.Helper()
	out, err := host.virsh(t.Context(), strings.Fields(command)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// define defines a machine.
func define(t *testing.T, host *Host, domain string) {
	t.Helper()
	if _, err := feed(t.Context(), domain, "virsh", "--connect", host.URI(), "define", "/dev/stdin"); err != nil {
		t.Fatal(err)
	}
}

type capabilityCPU struct {
	ID       int    `xml:"id,attr"`
	Socket   int    `xml:"socket_id,attr"`
	Core     int    `xml:"core_id,attr"`
	Siblings string `xml:"siblings,attr"`
}

// capabilitiesXML is what the tests read of libvirt's capabilities.
type capabilitiesXML struct {
	UUID  string `xml:"host>uuid"`
	Cells []struct {
		KiB  int             `xml:"memory"`
		CPUs []capabilityCPU `xml:"cpus>cpu"`
	} `xml:"host>topology>cells>cell"`
}

func capabilitiesOf(t *testing.T, host *Host) capabilitiesXML {
	t.Helper()
	var parsed capabilitiesXML
	if err := xml.Unmarshal([]byte(virsh(t, host, "capabilities")), &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}
