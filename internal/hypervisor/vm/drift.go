package vm

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// notThere is what drift says of what the running machine does not have.
const notThere = "none"

// drift says in which attributes the running machine is not what its stored definition says, with what it has. Pins and texts are
// not among them: libvirt changes both at once, and they are repaired as they are read, see either. host is the set of the host's
// CPUs.
func (o observed) drift(host topology.CPUSet) types.Map {
	if !o.domain.Active {
		return types.MapNull(types.StringType)
	}

	if o.stored.Container != nil {
		return driftMap(o.containerDrift(host))
	}

	all := map[string]attr.Value{}

	for _, d := range domainxml.Compare(o.live, o.stored) {
		all[strings.TrimSuffix(d.Attribute+"."+d.Name, ".")] = types.StringValue(running(o.live, d))
	}

	return driftMap(all)
}

func driftMap(all map[string]attr.Value) types.Map {
	if len(all) == 0 {
		return types.MapNull(types.StringType)
	}

	return types.MapValueMust(types.StringType, all)
}

// containerDrift is drift of a container.
func (o observed) containerDrift(host topology.CPUSet) map[string]attr.Value {
	all := map[string]attr.Value{}
	note := func(attribute string, same bool, running string) {
		if !same {
			all[attribute] = types.StringValue(running)
		}
	}

	live, stored := o.live, o.stored
	note("memory", live.Memory == stored.Memory, tf.FormatSize(live.Memory))
	note("cpu.count", live.VCPUs == stored.VCPUs, fmt.Sprint(live.VCPUs))
	note("cpu.emulator", whole(live.Emulator, host).Equal(whole(stored.Emulator, host)), whole(live.Emulator, host).String())
	note("container.init", slices.Equal(live.Container.Init, stored.Container.Init), strings.Join(live.Container.Init, " "))
	note("cloud_init.network", maps.EqualFunc(live.Container.Networks, stored.Container.Networks, sameNetwork), "as it was started")

	for _, d := range domainxml.Compare(live, stored) {
		if d.Attribute == "interfaces" {
			note(d.Attribute+"."+d.Name, false, running(live, d))
		}
	}

	return all
}

// running is what the running machine has where it differs.
func running(live domainxml.Spec, d domainxml.Difference) string {
	switch d.Attribute {
	case "memory", "memory_maximum":
		return tf.FormatSize(live.TopMemory())
	case "cpu.count":
		return fmt.Sprint(live.VCPUs)
	case "cpu.maximum":
		return fmt.Sprint(live.TopVCPUs())
	case "disks":
		disk, there := live.Disks[d.Name]
		if !there {
			return notThere
		}

		return strings.TrimPrefix(fmt.Sprintf("%s/%s%s", disk.Volume.Pool, disk.Volume.Name, disk.File), "/")
	case "interfaces":
		nic, there := live.Interfaces[d.Name]
		if !there {
			return notThere
		}

		return nic.Bridge + nic.Network + " " + nic.MAC
	default:
		return "as it was started"
	}
}
