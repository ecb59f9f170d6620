//go:build cgo

package libvirt

import (
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
)

func TestFactsOfALargeHostAreRead(t *testing.T) {
	big, err := testbed.For(t).StartHost(t.Context(), testbed.HostOptions{Name: "big", Topology: &testbed.Topology{
		Sockets: 2, CoresPerSocket: 16, ThreadsPerCore: 2, MemoryGiBPerNode: 128, HugePages2M: 1024, HugePages1G: 16,
	}})
	must(t, err)

	host := client(big)
	counts := counting(t, host)

	hardware, err := host.Topology(t.Context())
	must(t, err)

	if got := hardware.CPUs().String(); got != "0-63" || len(hardware.Nodes) != 2 || hardware.Memory() != 256<<30 {
		t.Errorf("the host has the CPUs %s, %d nodes and %d bytes", got, len(hardware.Nodes), hardware.Memory())
	}

	if diff := cmp.Diff(topology.Core{Socket: 1, Threads: topology.NewCPUSet(16, 48)}, hardware.Nodes[1].Cores[0]); diff != "" {
		t.Errorf("the first core of node 1 (-want +got):\n%s", diff)
	}

	free, err := host.Free(t.Context())
	must(t, err)

	// The made-up hosts of the test bed have a tenth of their memory in use.
	memory := uint64(128<<20-128<<20/10) << 10
	node := Free{Memory: memory, Pages: map[uint64]uint64{2 << 20: 1024, 1 << 30: 16}}

	if diff := cmp.Diff([]Free{node, node}, free); diff != "" {
		t.Errorf("what is free (-want +got):\n%s", diff)
	}

	if _, err := host.Free(t.Context()); err != nil {
		t.Fatal(err)
	}

	if calls := counts.counted("capabilities"); calls != 1 {
		t.Errorf("three reads of the hardware made %d calls, want 1", calls)
	}
}

func TestMachineOnALargeHostIsPinnedWhereItIsTold(t *testing.T) {
	big, err := testbed.For(t).StartHost(t.Context(), testbed.HostOptions{Name: "big", Topology: &testbed.Topology{
		Sockets: 2, CoresPerSocket: 16, ThreadsPerCore: 2, MemoryGiBPerNode: 128,
	}})
	must(t, err)

	host := client(big)
	started(t, host, 2)

	hardware, err := host.Topology(t.Context())
	must(t, err)

	for vcpu, pin := range []topology.CPUSet{topology.NewCPUSet(17), topology.NewCPUSet(49, 50, 51)} {
		must(t, host.PinVCPU(t.Context(), idleUUID, vcpu, pin, hardware.CPUs()))

		threads, err := big.Threads("idle")
		must(t, err)

		if got := vcpuThread(t, threads, vcpu).CPUs; got != pin.String() {
			t.Errorf("vCPU %d runs on CPUs %s, want %s", vcpu, got, pin)
		}
	}

	pins := spec(t, machine(t, host).LiveXML).Pins
	if diff := cmp.Diff([]topology.CPUSet{topology.NewCPUSet(17), topology.NewCPUSet(49, 50, 51)}, pins); diff != "" {
		t.Errorf("the written pins (-want +got):\n%s", diff)
	}
}
