package topology

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// Host is what a host's hardware and hypervisor are. It holds no usage: two reads of an unchanged host are equal
// however many machines run on it.
type Host struct {
	Arch        string   // "x86_64"
	DomainTypes []string // hypervisors that the host offers for Arch, sorted: "kvm", "qemu"
	Nodes       []Node   // sorted by id
	// MaxVCPUs is how many vCPUs a machine can have, by its type ("q35", "pc-q35-7.2").
	MaxVCPUs map[string]int

	// Processor is what guests see of the processor that see all of it: maker, model and features. Guests move only between
	// hosts on which it is the same.
	Processor string
}

// Node is one NUMA node.
type Node struct {
	ID     int
	Memory uint64 // bytes
	Cores  []Core // sorted by their first thread
	Pages  []Page // pools of huge pages, sorted by size
}

// Core is one physical core: the CPUs of a Core are its sibling threads.
type Core struct {
	Socket  int
	Threads CPUSet
}

// Page is a pool of huge pages of one size on one node.
type Page struct {
	Size  uint64 // bytes
	Count uint64
}

// memoryUnits are the units that libvirt writes in capabilities; it prints KiB, and reads the others.
var memoryUnits = map[string]uint64{"": 1, "b": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

// SecurityModels are the security drivers that confine a host's machines, such as "apparmor", as libvirt's capabilities XML names
// them.
func SecurityModels(capabilities string) ([]string, error) {
	var caps libvirtxml.Caps
	if err := caps.Unmarshal(capabilities); err != nil {
		return nil, fmt.Errorf("parse the host's capabilities: %w", err)
	}

	models := make([]string, len(caps.Host.SecModel))
	for i, model := range caps.Host.SecModel {
		models[i] = model.Name
	}

	return models, nil
}

// ParseHost reads a host from libvirt's capabilities XML (virConnectGetCapabilities). It does not use virNodeGetInfo,
// whose count of NUMA cells is wrong on some machines.
func ParseHost(capabilities string) (Host, error) {
	var caps libvirtxml.Caps
	if err := caps.Unmarshal(capabilities); err != nil {
		return Host{}, fmt.Errorf("parse the host's capabilities: %w", err)
	}

	host := Host{}
	if caps.Host.CPU != nil {
		host.Arch = caps.Host.CPU.Arch
		host.Processor = processor(*caps.Host.CPU)
	}

	for _, guest := range caps.Guests {
		if guest.Arch.Name != host.Arch {
			continue
		}

		host.MaxVCPUs = maxVCPUs(guest.Arch.Machines)

		for _, domain := range guest.Arch.Domains {
			host.DomainTypes = append(host.DomainTypes, domain.Type)
		}
	}

	slices.Sort(host.DomainTypes)
	host.DomainTypes = slices.Compact(host.DomainTypes)

	if caps.Host.NUMA == nil || caps.Host.NUMA.Cells == nil {
		return Host{}, fmt.Errorf("parse the host's capabilities: they name no NUMA node")
	}

	for _, cell := range caps.Host.NUMA.Cells.Cells {
		node, err := parseNode(cell)
		if err != nil {
			return Host{}, fmt.Errorf("parse the host's capabilities: NUMA node %d: %w", cell.ID, err)
		}

		host.Nodes = append(host.Nodes, node)
	}

	slices.SortFunc(host.Nodes, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })

	return host, nil
}

func processor(cpu libvirtxml.CapsHostCPU) string {
	var features []string
	for _, feature := range cpu.FeatureFlags {
		features = append(features, feature.Name)
	}

	slices.Sort(features)

	return strings.TrimSpace(strings.Join(append([]string{cpu.Vendor, cpu.Model}, features...), " "))
}

func parseNode(cell libvirtxml.CapsHostNUMACell) (Node, error) {
	node := Node{ID: cell.ID}

	if cell.Memory != nil {
		unit, known := memoryUnits[cell.Memory.Unit]
		if !known {
			return Node{}, fmt.Errorf("memory has the unknown unit %q", cell.Memory.Unit)
		}

		node.Memory = cell.Memory.Size * unit
	}

	for _, pages := range cell.PageInfo {
		unit, known := memoryUnits[pages.Unit]
		if !known {
			return Node{}, fmt.Errorf("pages have the unknown unit %q", pages.Unit)
		}

		if size := uint64(pages.Size) * unit; size > smallPage {
			node.Pages = append(node.Pages, Page{Size: size, Count: pages.Count})
		}
	}

	slices.SortFunc(node.Pages, func(a, b Page) int { return cmp.Compare(a.Size, b.Size) })

	cores, err := parseCores(cell.CPUS)
	node.Cores = cores

	return node, err
}

// smallPage is the size of ordinary pages. Architectures with 64 KiB pages have none below, so anything above is huge.
const smallPage = 64 << 10

func parseCores(cpus *libvirtxml.CapsHostNUMACPUs) ([]Core, error) {
	if cpus == nil {
		return nil, nil // a node that has memory only, such as CXL or persistent memory
	}

	cores := map[int]Core{} // by first thread

	for _, cpu := range cpus.CPUs {
		threads := NewCPUSet(cpu.ID)

		if cpu.Siblings != "" {
			siblings, err := ParseCPUSet(cpu.Siblings)
			if err != nil {
				return nil, fmt.Errorf("siblings of CPU %d: %w", cpu.ID, err)
			}

			threads = siblings
		}

		core := Core{Threads: threads}
		if cpu.SocketID != nil {
			core.Socket = *cpu.SocketID
		}

		cores[threads.CPUs()[0]] = core
	}

	sorted := make([]Core, 0, len(cores))
	for _, first := range slices.Sorted(maps.Keys(cores)) {
		sorted = append(sorted, cores[first])
	}

	return sorted, nil
}

// CPUs returns all CPUs of the host.
func (h Host) CPUs() CPUSet {
	var all []int

	for _, node := range h.Nodes {
		all = append(all, node.CPUs().cpus...)
	}

	return NewCPUSet(all...)
}

// Memory returns the memory of all nodes in bytes.
func (h Host) Memory() uint64 {
	var total uint64

	for _, node := range h.Nodes {
		total += node.Memory
	}

	return total
}

// CPUs returns the CPUs of the node.
func (n Node) CPUs() CPUSet {
	var all []int

	for _, core := range n.Cores {
		all = append(all, core.Threads.cpus...)
	}

	return NewCPUSet(all...)
}

func maxVCPUs(machines []libvirtxml.CapsGuestMachine) map[string]int {
	all := map[string]int{}

	for _, machine := range machines {
		if machine.MaxCPUs > 0 {
			all[machine.Name] = machine.MaxCPUs
		}
	}

	return all
}
