package domainxml

import (
	"fmt"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"libvirt.org/go/libvirtxml"
)

// parseAmounts reads how many vCPUs and how much memory the machine has, and can have. Libvirt always prints KiB.
func (s *Spec) parseAmounts(domain *libvirtxml.Domain) {
	if domain.Memory != nil {
		s.Memory = uint64(domain.Memory.Value) * 1024
	}

	if current := domain.CurrentMemory; domain.Type != LXC && current != nil && current.Value != 0 && uint64(current.Value)*1024 < s.Memory {
		s.MaxMemory, s.Memory = s.Memory, uint64(current.Value)*1024
	}

	if domain.VCPU != nil {
		s.VCPUs = int(domain.VCPU.Value)

		if current := int(domain.VCPU.Current); current != 0 && current < s.VCPUs {
			s.MaxVCPUs, s.VCPUs = s.VCPUs, current
		}
	}

	if backing := domain.MemoryBacking; backing != nil {
		s.Locked = backing.MemoryLocked != nil
		s.Preallocated = backing.MemoryAllocation != nil && backing.MemoryAllocation.Mode == "immediate"
	}
}

// parsePages reads what numaTune and memoryBacking render. Pages of several sizes are not ours and are left out.
func (s *Spec) parsePages(backing *libvirtxml.DomainMemoryBacking, tune *libvirtxml.DomainNUMATune) error {
	if backing == nil || backing.MemoryHugePages == nil || len(backing.MemoryHugePages.Hugepages) != 1 {
		return nil
	}

	s.Pages.Size = uint64(backing.MemoryHugePages.Hugepages[0].Size) * 1024

	if tune == nil || tune.Memory == nil || tune.Memory.Nodeset == "" {
		return nil
	}

	nodes, err := topology.ParseCPUSet(tune.Memory.Nodeset)
	s.Pages.Nodes = nodes

	return err
}

func (s *Spec) parsePins(tune *libvirtxml.DomainCPUTune) error {
	if tune == nil {
		return nil
	}

	// Pins of vCPUs that may be plugged in one day say nothing about what the machine uses.
	if slices.ContainsFunc(tune.VCPUPin, func(pin libvirtxml.DomainCPUTuneVCPUPin) bool { return int(pin.VCPU) < s.VCPUs }) {
		s.Pins = make([]topology.CPUSet, s.VCPUs)
	}

	for _, pin := range tune.VCPUPin {
		set, err := topology.ParseCPUSet(pin.CPUSet)
		if err != nil {
			return fmt.Errorf("pin of vCPU %d: %w", pin.VCPU, err)
		}

		if int(pin.VCPU) < len(s.Pins) {
			s.Pins[pin.VCPU] = set
		}
	}

	if tune.EmulatorPin == nil {
		return nil
	}

	set, err := topology.ParseCPUSet(tune.EmulatorPin.CPUSet)
	if err != nil {
		return fmt.Errorf("emulator pin: %w", err)
	}

	s.Emulator = set

	return nil
}

func (s *Spec) parseIOThreads(domain *libvirtxml.Domain) error {
	if domain.IOThreads == 0 {
		return nil
	}

	s.IOThreads = make([]topology.CPUSet, domain.IOThreads)

	if domain.CPUTune == nil {
		return nil
	}

	for _, pin := range domain.CPUTune.IOThreadPin {
		set, err := topology.ParseCPUSet(pin.CPUSet)
		if err != nil {
			return fmt.Errorf("pin of I/O thread %d: %w", pin.IOThread, err)
		}

		if number := int(pin.IOThread); number >= 1 && number <= len(s.IOThreads) {
			s.IOThreads[number-1] = set
		}
	}

	return nil
}

// parseCPU reads the guest's processor. The model that a machine has by default is left out, as Render does.
func (s *Spec) parseCPU(cpu *libvirtxml.DomainCPU, tune *libvirtxml.DomainNUMATune) error {
	if cpu == nil {
		return nil
	}

	switch {
	case cpu.Mode == HostPassthrough:
		s.CPU.Model = HostPassthrough
	case cpu.Model != nil:
		s.CPU.Model = cpu.Model.Value
	}

	if s.CPU.Model == DefaultModel(s.Type) {
		s.CPU.Model = ""
	}

	if layout := cpu.Topology; layout != nil {
		s.CPU.Sockets, s.CPU.Cores, s.CPU.Threads = layout.Sockets, layout.Cores, layout.Threads
	}

	if cpu.Numa == nil {
		return nil
	}

	for id, cell := range cpu.Numa.Cell {
		cpus, err := topology.ParseCPUSet(cell.CPUs)
		if err != nil {
			return fmt.Errorf("NUMA node %d of the guest: %w", id, err)
		}

		s.Nodes = append(s.Nodes, Node{CPUs: cpus, Memory: uint64(cell.Memory) * 1024, Host: hostNode(tune, id)})
	}

	return nil
}

// hostNode is the one node of the host that a node of the guest is bound to, or -1.
func hostNode(tune *libvirtxml.DomainNUMATune, id int) int {
	if tune == nil {
		return -1
	}

	for _, bound := range tune.MemNodes {
		nodes, err := topology.ParseCPUSet(bound.Nodeset)
		if int(bound.CellID) == id && err == nil && len(nodes.CPUs()) == 1 {
			return nodes.CPUs()[0]
		}
	}

	return -1
}
