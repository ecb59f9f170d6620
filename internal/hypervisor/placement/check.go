package placement

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// check refuses what is missing, and of the function what the schema refuses of the resource.
func (f fleet) check() error {
	if len(f.Hosts) == 0 {
		return errors.New("the fleet has no hosts. Add hosts = { for name, host in data.hypervisor_host.all : name => host.facts }")
	}

	for _, name := range slices.Sorted(maps.Keys(f.Hosts)) {
		if err := f.Hosts[name].check(); err != nil {
			return fmt.Errorf("host %q %w", name, err)
		}
	}

	for _, name := range slices.Sorted(maps.Keys(f.HostOptions)) {
		reserved := f.HostOptions[name].ReservedCPUs
		if _, err := topology.ParseCPUSet(reserved.ValueString()); err != nil && !reserved.IsNull() && reserved.ValueString() != noPool {
			return fmt.Errorf("the reserved_cpus %q of host %q are neither a CPU set nor %q", reserved.ValueString(), name, noPool)
		}
	}

	for _, name := range slices.Sorted(maps.Keys(f.Machines)) {
		if machine := f.Machines[name]; machine.VCPUs.IsNull() || machine.Memory.IsNull() {
			return fmt.Errorf("machine %q lacks vcpus or memory. Say both", name)
		}
	}

	for _, name := range slices.Sorted(maps.Keys(f.Groups)) {
		if survives := f.Groups[name].Survives; !survives.IsNull() && survives.ValueString() != "host" {
			return fmt.Errorf("group %q survives %q. Write \"host\", or leave it out", name, survives.ValueString())
		}
	}

	return nil
}

func (h host) check() error {
	if len(h.Nodes) == 0 {
		return errors.New("has no nodes. Give it at least one, with cores and memory")
	}

	for _, node := range h.Nodes {
		if node.Memory.IsNull() {
			return errors.New("has a node without memory. Say how much it has")
		}

		for size, count := range node.Pages {
			if _, err := tf.ParseSize(size); err != nil || count < 0 {
				return fmt.Errorf("has %d pages of %q. Write a size such as 2MiB and how many there are", count, size)
			}
		}
	}

	return nil
}
