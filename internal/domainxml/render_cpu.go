package domainxml

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"libvirt.org/go/libvirtxml"
)

// HostPassthrough is the CPU model that is the host's own.
const HostPassthrough = "host-passthrough"

// emulated is a plain model that any QEMU can emulate.
const emulated = "qemu64"

// DefaultModel is the CPU model of a machine that names none: the host's own under KVM, since pinned machines want all of
// it, and a plain one under emulation.
func DefaultModel(domainType string) string {
	if domainType == "kvm" {
		return HostPassthrough
	}

	return emulated
}

// cpu is the guest's processor.
func cpu(spec Spec) *libvirtxml.DomainCPU {
	rendered := cpuModel(spec)
	rendered.Topology = cpuTopology(spec.CPU)
	rendered.Numa = guestNodes(spec.Nodes)

	return rendered
}

func cpuModel(spec Spec) *libvirtxml.DomainCPU {
	model := spec.CPU.Model
	if model == "" {
		model = DefaultModel(spec.Type)
	}

	if model == HostPassthrough {
		return &libvirtxml.DomainCPU{Mode: HostPassthrough, Check: "none", Migratable: "on"}
	}

	return &libvirtxml.DomainCPU{
		Mode: "custom", Match: "exact", Check: "none",
		Model: &libvirtxml.DomainCPUModel{Fallback: "forbid", Value: model},
	}
}

func cpuTopology(cpu CPU) *libvirtxml.DomainCPUTopology {
	if cpu.Sockets == 0 {
		return nil
	}

	return &libvirtxml.DomainCPUTopology{Sockets: cpu.Sockets, Cores: cpu.Cores, Threads: cpu.Threads}
}

func guestNodes(nodes []Node) *libvirtxml.DomainNuma {
	if len(nodes) == 0 {
		return nil
	}

	numa := &libvirtxml.DomainNuma{}

	for id, node := range nodes {
		number := uint(id)
		numa.Cell = append(numa.Cell, libvirtxml.DomainCell{ID: &number, CPUs: node.CPUs.String(), Memory: uint(node.Memory / 1024), Unit: "KiB"})
	}

	return numa
}

func vcpus(spec Spec) *libvirtxml.DomainVCPU {
	rendered := &libvirtxml.DomainVCPU{Placement: "static", Value: uint(spec.TopVCPUs())}
	if spec.VCPUs < spec.TopVCPUs() {
		rendered.Current = uint(spec.VCPUs)
	}

	return rendered
}

func currentMemory(spec Spec) *libvirtxml.DomainCurrentMemory {
	if spec.Memory == spec.TopMemory() {
		return nil
	}

	return &libvirtxml.DomainCurrentMemory{Value: uint(spec.Memory / 1024), Unit: "KiB"}
}

func cpuTune(spec Spec) *libvirtxml.DomainCPUTune {
	tune := &libvirtxml.DomainCPUTune{}
	pinned := len(spec.Pins) > 0 || !spec.Emulator.IsEmpty()

	for vcpu, pin := range spec.Pins {
		if pin.IsEmpty() {
			continue
		}

		tune.VCPUPin = append(tune.VCPUPin, libvirtxml.DomainCPUTuneVCPUPin{VCPU: uint(vcpu), CPUSet: pin.String()})
	}

	if !spec.Emulator.IsEmpty() {
		tune.EmulatorPin = &libvirtxml.DomainCPUTuneEmulatorPin{CPUSet: spec.Emulator.String()}
	}

	tune.IOThreadPin = ioThreadPins(spec.IOThreads)
	if !pinned && len(tune.IOThreadPin) == 0 {
		return nil
	}

	return tune
}

func ioThreadPins(threads []topology.CPUSet) (pins []libvirtxml.DomainCPUTuneIOThreadPin) {
	for position, cpus := range threads {
		if !cpus.IsEmpty() {
			pins = append(pins, libvirtxml.DomainCPUTuneIOThreadPin{IOThread: uint(position + 1), CPUSet: cpus.String()})
		}
	}

	return pins
}

func memoryBacking(spec Spec) *libvirtxml.DomainMemoryBacking {
	backing := &libvirtxml.DomainMemoryBacking{}

	if spec.Pages.Size != 0 {
		backing.MemoryHugePages = &libvirtxml.DomainMemoryHugepages{
			Hugepages: []libvirtxml.DomainMemoryHugepage{{Size: uint(spec.Pages.Size / 1024), Unit: "KiB"}},
		}
	}

	if spec.Locked {
		backing.MemoryLocked = &libvirtxml.DomainMemoryLocked{}
	}

	if spec.Preallocated {
		backing.MemoryAllocation = &libvirtxml.DomainMemoryAllocation{Mode: "immediate"}
	}

	if *backing == (libvirtxml.DomainMemoryBacking{}) {
		return nil
	}

	return backing
}

// numaTune holds the memory to its nodes. QEMU takes huge pages all at its start, by threads that run anywhere in the
// emulator's set, so they would come from wherever these threads happen to be. Ordinary memory needs no such rule: the
// kernel takes a page from the node of the vCPU that first writes to it.
func numaTune(spec Spec) *libvirtxml.DomainNUMATune {
	tune := &libvirtxml.DomainNUMATune{}

	if spec.Pages.Size != 0 && !spec.Pages.Nodes.IsEmpty() {
		tune.Memory = &libvirtxml.DomainNUMATuneMemory{Mode: "strict", Nodeset: spec.Pages.Nodes.String()}
	}

	for id, node := range spec.Nodes {
		if node.Host >= 0 {
			tune.MemNodes = append(tune.MemNodes, libvirtxml.DomainNUMATuneMemNode{
				CellID: uint(id), Mode: "strict", Nodeset: topology.NewCPUSet(node.Host).String(),
			})
		}
	}

	if tune.Memory == nil && len(tune.MemNodes) == 0 {
		return nil
	}

	return tune
}
