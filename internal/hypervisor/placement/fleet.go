package placement

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/placement"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

const (
	// noPool is what reserved_cpus says for a host without a shared pool.
	noPool = "none"
	// defaultReservedMemory is what a host keeps for itself, in bytes, unless its options say otherwise.
	defaultReservedMemory = 2 << 30
)

// fleet converts what is asked. Names that lead nowhere are an error.
func (f fleet) fleet() (placement.Fleet, error) {
	asked := placement.Fleet{Groups: make(map[string]placement.Group, len(f.Groups))}

	for _, name := range slices.Sorted(maps.Keys(f.HostOptions)) {
		if _, found := f.Hosts[name]; !found {
			return placement.Fleet{}, fmt.Errorf("the options of %q are of no host. Remove them from host_options, or add the host", name)
		}
	}

	for _, name := range slices.Sorted(maps.Keys(f.Hosts)) {
		asked.Hosts = append(asked.Hosts, f.Hosts[name].host(name, f.HostOptions[name]))
	}

	for _, name := range slices.Sorted(maps.Keys(f.Machines)) {
		asked.Machines = append(asked.Machines, f.Machines[name].machine(name))
	}

	for name, group := range f.Groups {
		asked.Groups[name] = placement.Group{
			Spread: placement.Spread(group.Spread.ValueString()), Together: group.Together.ValueBool(),
			Avoid: slices.Sorted(slices.Values(group.Avoid)), Survives: group.Survives.ValueString() != "",
		}
	}

	return asked, nil
}

func (h host) host(name string, options hostOptions) placement.Host {
	described := placement.Host{Name: name, ReservedMemory: defaultReservedMemory, Draining: options.Maintenance.ValueBool()}

	for position, node := range h.Nodes {
		described.Nodes = append(described.Nodes, node.node(position))
	}

	for _, pin := range h.Pins {
		described.Taken = described.Taken.Union(pin.VCPUs.CPUs()).Union(pin.Emulator.CPUs())
	}

	switch reserved := options.ReservedCPUs.ValueString(); reserved {
	case "":
		described.Reserved = placement.DefaultReserved(described.Nodes)
	case noPool:
	default:
		described.Reserved, _ = topology.ParseCPUSet(reserved) // the schema has checked it
	}

	if !options.ReservedMemory.IsNull() {
		described.ReservedMemory = options.ReservedMemory.Bytes()
	}

	return described
}

// node converts a node. Facts name no socket; on common machines a node is one.
func (n node) node(position int) topology.Node {
	described := topology.Node{ID: position, Memory: n.Memory.Bytes()}

	if !n.ID.IsNull() {
		described.ID = int(n.ID.ValueInt64())
	}

	for _, threads := range n.Cores {
		described.Cores = append(described.Cores, topology.Core{Socket: described.ID, Threads: threads.CPUs()})
	}

	for size, count := range n.Pages {
		bytes, _ := tf.ParseSize(size) // the schema has checked it
		described.Pages = append(described.Pages, topology.Page{Size: bytes, Count: uint64(count)})
	}

	slices.SortFunc(described.Pages, func(a, b topology.Page) int { return int(a.Size>>10) - int(b.Size>>10) })

	return described
}

func (m machine) machine(name string) placement.Machine {
	return placement.Machine{
		Name: name, VCPUs: int(m.VCPUs.ValueInt64()), Memory: m.Memory.Bytes(), PageSize: m.PageSize.Bytes(),
		Threads: m.Threads.ValueBool(), Group: m.Group.ValueString(),
	}
}

// assignment converts a stored assignment back.
func (a assignment) assignment() placement.Assignment {
	stored := placement.Assignment{Host: a.Host.ValueString(), Emulator: a.Emulator.CPUs()}

	for _, pin := range a.Pins {
		stored.Pins = append(stored.Pins, pin.CPUs().CPUs()...)
	}

	for _, node := range a.Nodes {
		stored.Nodes = append(stored.Nodes, int(node))
	}

	for node, size := range a.NodeMemory {
		if id, err := strconv.Atoi(node); err == nil {
			stored.Memory = with(stored.Memory, id, size.Bytes())
		}
	}

	for node, count := range a.NodePages {
		if id, err := strconv.Atoi(node); err == nil {
			stored.Pages = with(stored.Pages, id, uint64(count))
		}
	}

	return stored
}

func with(all map[int]uint64, key int, value uint64) map[int]uint64 {
	if all == nil {
		all = map[int]uint64{}
	}

	all[key] = value

	return all
}
