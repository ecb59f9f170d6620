package vm

import (
	"fmt"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// notThere is what drift says of what the running machine does not have.
const notThere = "none"

// drift says in which attributes the running machine is not what its stored definition says, with what it has. Pins and texts are
// not among them: they are repaired as they are read, see either. Of containers that holds for everything.
func (o observed) drift() types.Map {
	if !o.domain.Active || o.stored.Container != nil {
		return types.MapNull(types.StringType)
	}

	all := map[string]attr.Value{}

	for _, d := range domainxml.Compare(o.live, o.stored) {
		all[strings.TrimSuffix(d.Attribute+"."+d.Name, ".")] = types.StringValue(running(o.live, d))
	}

	if len(all) == 0 {
		return types.MapNull(types.StringType)
	}

	return types.MapValueMust(types.StringType, all)
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
