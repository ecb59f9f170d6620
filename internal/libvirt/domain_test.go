//go:build cgo

package libvirt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestMachineLivesAndEnds(t *testing.T) {
	_, host := alpha(t)
	ctx := t.Context()

	if _, err := host.Domain(ctx, idleUUID); !errors.Is(err, ErrNotFound) {
		t.Fatalf("a machine that nobody defined: %v", err)
	}

	must(t, host.Define(ctx, idle(t, 1)))

	defined := machine(t, host)
	if defined.Name != "idle" || defined.Running || defined.Active || defined.Autostart || defined.LiveXML != "" || defined.XML == "" {
		t.Errorf("a defined machine is %+v", defined)
	}

	must(t, host.SetAutostart(ctx, idleUUID, true))
	must(t, host.Start(ctx, idleUUID))

	running := machine(t, host)
	if !running.Running || !running.Active || !running.Autostart || running.LiveXML == "" {
		t.Errorf("a running machine is %+v", running)
	}

	must(t, host.Start(ctx, idleUUID)) // once more changes nothing

	again, err := host.DomainByName(ctx, "idle")
	must(t, err)

	if diff := cmp.Diff(running, again, cmp.AllowUnexported(Domain{})); diff != "" {
		t.Errorf("a second start made a difference (-before +after):\n%s", diff)
	}

	must(t, host.Destroy(ctx, idleUUID))
	must(t, host.Destroy(ctx, idleUUID)) // there is no process left to end

	active, err := host.Active(ctx, idleUUID)
	must(t, err)

	if off := machine(t, host); off.Running || off.Active || active {
		t.Errorf("a machine without power is %+v, active: %t", off, active)
	}

	must(t, host.Undefine(ctx, idleUUID))
	must(t, host.Undefine(ctx, idleUUID))

	for what, err := range map[string]error{
		"find":     func() error { _, err := host.Domain(ctx, idleUUID); return err }(),
		"look at":  func() error { _, err := host.Active(ctx, idleUUID); return err }(),
		"start":    host.Start(ctx, idleUUID),
		"shut":     host.Shutdown(ctx, idleUUID),
		"destroy":  host.Destroy(ctx, idleUUID),
		"pin":      host.PinVCPU(ctx, idleUUID, 0, topology.NewCPUSet(0), topology.NewCPUSet(0, 1)),
		"mark":     host.SetMetadata(ctx, idleUUID, "<a/>", "a", "urn:a"),
		"autostat": host.SetAutostart(ctx, idleUUID, true),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s a machine that is gone: %v, want ErrNotFound", what, err)
		}
	}
}

func TestPausedMachineIsActiveAndGoesOn(t *testing.T) {
	bed, host := alpha(t)
	started(t, host, 1)
	virsh(t, bed, "suspend", "idle")
	host.forget(machines) // virsh is somebody else

	if paused := machine(t, host); paused.Running || !paused.Active || paused.LiveXML == "" {
		t.Errorf("a paused machine is running: %t, active: %t", paused.Running, paused.Active)
	}

	must(t, host.Start(t.Context(), idleUUID))

	if domain := machine(t, host); !domain.Running {
		t.Error("the machine did not go on")
	}
}

func TestMachineAskedForAloneIsAsItIsInTheList(t *testing.T) {
	bed, host := alpha(t)
	must(t, host.Define(t.Context(), idle(t, 1)))

	for state, reach := range map[string]func(){
		"autostarted": func() { must(t, host.SetAutostart(t.Context(), idleUUID, true)) },
		"running":     func() { must(t, host.Start(t.Context(), idleUUID)) },
		"paused":      func() { must(t, host.Start(t.Context(), idleUUID)); virsh(t, bed, "suspend", "idle") },
		"off":         func() { must(t, host.Destroy(t.Context(), idleUUID)) },
	} {
		reach()

		listed, err := client(bed).Domains(t.Context())
		must(t, err)

		if diff := cmp.Diff(listed, []Domain{machine(t, host)}, cmp.AllowUnexported(Domain{})); diff != "" {
			t.Errorf("a machine that is %s (-listed +alone):\n%s", state, diff)
		}

		named, err := host.DomainByName(t.Context(), "idle")
		must(t, err)

		if diff := cmp.Diff(listed[0], named, cmp.AllowUnexported(Domain{})); diff != "" {
			t.Errorf("a machine that is %s (-listed +by its name):\n%s", state, diff)
		}
	}
}

func TestRedefinitionIsForTheNextStart(t *testing.T) {
	_, host := alpha(t)
	started(t, host, 1)
	must(t, host.Define(t.Context(), idle(t, 2)))

	domain := machine(t, host)
	stored, live := spec(t, domain.XML), spec(t, domain.LiveXML)

	if stored.VCPUs != 2 || live.VCPUs != 1 {
		t.Errorf("%d vCPUs are stored and %d live, want 2 and 1", stored.VCPUs, live.VCPUs)
	}
}

func TestMachinesAreListedOnceForAllUntilOneWrites(t *testing.T) {
	_, host := alpha(t)
	must(t, host.Define(t.Context(), idle(t, 1)))

	counts := counting(t, host)

	for range 3 {
		if _, err := host.Domains(t.Context()); err != nil {
			t.Fatal(err)
		}

		machine(t, host)

		if _, err := host.DomainByName(t.Context(), "idle"); err != nil {
			t.Fatal(err)
		}
	}

	if calls := counts.counted("domains"); calls != 1 {
		t.Errorf("nine reads made %d calls, want 1", calls)
	}

	must(t, host.SetAutostart(t.Context(), idleUUID, true))

	if !machine(t, host).Autostart || counts.counted("domains") != 1 {
		t.Errorf("after a write the machine is as before it, or all were listed again (%d times)", counts.counted("domains"))
	}

	if domains, err := host.Domains(t.Context()); err != nil || !domains[0].Autostart {
		t.Errorf("after a write the list is of before it: %+v, %v", domains, err)
	}
}

func TestPinMovesTheThreadOfTheRunningMachine(t *testing.T) {
	bed, host := alpha(t)
	started(t, host, 2)

	hardware, err := host.Topology(t.Context())
	must(t, err)

	all := hardware.CPUs()
	first, last := topology.NewCPUSet(all.CPUs()[0]), topology.NewCPUSet(all.CPUs()[all.Len()-1])

	before, err := bed.PID("idle")
	must(t, err)

	for _, want := range []topology.CPUSet{first, last, all} {
		must(t, host.PinVCPU(t.Context(), idleUUID, 1, want, all))
		must(t, host.PinEmulator(t.Context(), idleUUID, want, all))

		threads, err := bed.Threads("idle")
		must(t, err)

		if got := threads[0].CPUs; got != want.String() {
			t.Errorf("the emulator runs on CPUs %s, want %s", got, want)
		}

		if got := vcpuThread(t, threads, 1).CPUs; got != want.String() {
			t.Errorf("vCPU 1 runs on CPUs %s, want %s", got, want)
		}

		if got := vcpuThread(t, threads, 0).CPUs; got != all.String() {
			t.Errorf("vCPU 0, which nobody pinned, runs on CPUs %s", got)
		}

		domain := machine(t, host)
		for _, text := range []string{domain.XML, domain.LiveXML} {
			if got := spec(t, text); !whole(got.Pins, 1, all).Equal(want) || !got.Emulator.Equal(want) {
				t.Errorf("the pins are written as %v and %s, want %s for both", got.Pins, got.Emulator, want)
			}
		}
	}

	after, err := bed.PID("idle")
	must(t, err)

	if before != after {
		t.Errorf("the machine's process was %d and is %d: it was restarted", before, after)
	}
}

func whole(pins []topology.CPUSet, vcpu int, all topology.CPUSet) topology.CPUSet {
	if vcpu >= len(pins) || pins[vcpu].IsEmpty() {
		return all
	}

	return pins[vcpu]
}

func TestPinOfAStoppedMachineIsForItsNextStart(t *testing.T) {
	bed, host := alpha(t)
	must(t, host.Define(t.Context(), idle(t, 1)))

	hardware, err := host.Topology(t.Context())
	must(t, err)

	all := hardware.CPUs()
	pin := topology.NewCPUSet(all.CPUs()[all.Len()-1])

	must(t, host.PinVCPU(t.Context(), idleUUID, 0, pin, all))
	must(t, host.Start(t.Context(), idleUUID))

	threads, err := bed.Threads("idle")
	must(t, err)

	if got := vcpuThread(t, threads, 0).CPUs; got != pin.String() {
		t.Errorf("vCPU 0 runs on CPUs %s, want %s", got, pin)
	}
}

func TestMarkReachesTheRunningAndTheStoredMachineAndLeavesOthersAlone(t *testing.T) {
	_, host := alpha(t)
	started(t, host, 1)

	for _, settings := range []string{"first", `second "]]>&<`} {
		want := domainxml.Mark{Managed: true, Exclusive: true, Complete: true, Digest: "d", Settings: settings}

		mark, err := domainxml.RenderMark(domainxml.Spec{Mark: want})
		must(t, err)
		must(t, host.SetMetadata(t.Context(), idleUUID, mark, domainxml.MarkKey, domainxml.MarkURI))

		domain := machine(t, host)
		for which, text := range map[string]string{"stored": domain.XML, "live": domain.LiveXML} {
			if diff := cmp.Diff(want, spec(t, text).Mark); diff != "" {
				t.Errorf("the %s mark (-want +got):\n%s", which, diff)
			}

			if !strings.Contains(text, ">kept<") || strings.Count(text, domainxml.MarkURI) > 2 {
				t.Errorf("the %s metadata are not what was there and one mark:\n%s", which, text)
			}
		}
	}
}

// The pure package's files say what one libvirt printed; this asks the one that is here.
func TestRenderedMachineReadsTheSameFromLibvirt(t *testing.T) {
	_, host := alpha(t)
	readsTheSame(t, host)
}

func readsTheSame(t *testing.T, host *Host) {
	t.Helper()

	ctx := t.Context()

	must(t, host.CreateVolume(ctx, VolumeSpec{Pool: "default", Name: "root", Format: "qcow2", Capacity: 1 << 20}))
	must(t, host.CreateVolume(ctx, VolumeSpec{Pool: "default", Name: "data", Format: "raw", Capacity: 1 << 20}))
	must(t, host.CreateVolume(ctx, VolumeSpec{Pool: "default", Name: "seed", Format: "raw", Capacity: 1 << 20, Private: true}))

	want := domainxml.Spec{
		Name: "web-1", UUID: idleUUID, Type: testbed.DomainTypeFor(t), Machine: "q35", Memory: 64 << 20, VCPUs: 2,
		Pins:     []topology.CPUSet{topology.NewCPUSet(0), topology.NewCPUSet(0, 1)},
		Emulator: topology.NewCPUSet(1),
		Disks: map[string]domainxml.Disk{
			"root": {Volume: domainxml.Volume{Pool: "default", Name: "root"}, Format: "qcow2"},
			"data": {Volume: domainxml.Volume{Pool: "default", Name: "data"}, Format: "raw", ReadOnly: true},
		},
		Interfaces: map[string]domainxml.Interface{"eth0": {Bridge: "br0", MAC: domainxml.MAC("web-1", "eth0")}},
		Seed:       &domainxml.Volume{Pool: "default", Name: "seed"},
		Mark:       domainxml.Mark{Managed: true, Exclusive: true, Digest: `"]]>&'`, Settings: `{"a":"<b>"}`},
	}

	text, err := domainxml.Render(want)
	must(t, err)
	must(t, host.Define(ctx, text))
	must(t, host.Start(ctx, idleUUID))

	domain := machine(t, host)
	for which, text := range map[string]string{"stored": domain.XML, "live": domain.LiveXML} {
		if diff := cmp.Diff(want, spec(t, text), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the %s machine (-want +got):\n%s", which, diff)
		}
	}

	must(t, host.ResizeDisk(ctx, idleUUID, "/var/lib/libvirt/images/root", 3<<20))

	grown, err := host.Volume(ctx, "default", "root")
	must(t, err)

	if grown.Capacity != 3<<20 {
		t.Errorf("the grown disk has %d bytes, want %d", grown.Capacity, 3<<20)
	}
}

func TestMachineThatLibvirtRefusesIsAnErrorInItsWords(t *testing.T) {
	_, host := alpha(t)

	err := host.Define(t.Context(), strings.Replace(idle(t, 1), "x86_64", "vax", 1))
	if err == nil || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), `define the machine on host "alpha": `) || !strings.Contains(err.Error(), "vax") {
		t.Errorf("define a machine of a strange architecture: %v", err)
	}
}

// What a DHCP server gave is read from where libvirt's own helper of dnsmasq writes it down.
func TestLeasesOfAMachineAreThoseOfItsInterfaces(t *testing.T) {
	bed, host := alpha(t)
	definition := filepath.Join(t.TempDir(), "network.xml")

	must(t, os.WriteFile(definition, []byte(`<network><name>lan</name><bridge name='lan0'/>
<ip address='10.78.0.1' netmask='255.255.255.0'><dhcp><range start='10.78.0.2' end='10.78.0.9'/></dhcp></ip></network>`), 0o600))
	virsh(t, bed, "net-create", definition)
	t.Cleanup(func() { virsh(t, bed, "net-destroy", "lan") })

	nic := `<devices><interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/></interface></devices></domain>`
	must(t, host.Define(t.Context(), strings.Replace(idle(t, 1), "</domain>", nic, 1)))
	must(t, host.Start(t.Context(), idleUUID))

	leases, err := host.Leases(t.Context(), idleUUID)
	if err != nil || len(leases) != 0 {
		t.Errorf("before its guest asked, the machine has the leases %v, %v", leases, err)
	}

	expiry := time.Now().Add(time.Hour).Unix()
	status := fmt.Sprintf(`[{"ip-address": "10.78.0.5", "mac-address": "52:54:00:00:00:01", "expiry-time": %d},
{"ip-address": "10.78.0.6", "mac-address": "52:54:00:00:00:02", "expiry-time": %d}]`, expiry, expiry)
	must(t, os.WriteFile(filepath.Join(bed.Folder(), "lib/dnsmasq/lan0.status"), []byte(status), 0o600))

	leases, err = host.Leases(t.Context(), idleUUID)
	must(t, err)

	if diff := cmp.Diff(map[string][]string{"52:54:00:00:00:01": {"10.78.0.5"}}, leases); diff != "" {
		t.Errorf("the leases (-want +got):\n%s", diff)
	}
}

func spec(t *testing.T, text string) domainxml.Spec {
	t.Helper()

	parsed, err := domainxml.Parse(text)
	must(t, err)

	return parsed
}

func vcpuThread(t *testing.T, threads []testbed.Thread, vcpu int) testbed.Thread {
	t.Helper()

	for _, thread := range threads {
		if strings.HasPrefix(thread.Name, fmt.Sprintf("CPU %d/", vcpu)) {
			return thread
		}
	}

	t.Fatalf("among %v there is no thread of vCPU %d", threads, vcpu)

	return testbed.Thread{}
}
