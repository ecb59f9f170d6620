package host

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	Name  types.String `tfsdk:"name"`
	Facts *facts       `tfsdk:"facts"`
	Usage *usage       `tfsdk:"usage"`
}

type facts struct {
	Arch        types.String   `tfsdk:"arch"`
	Memory      tf.Notation    `tfsdk:"memory"`
	CPUs        tf.Notation    `tfsdk:"cpus"`
	DomainTypes []string       `tfsdk:"domain_types"`
	Nodes       []node         `tfsdk:"nodes"`
	Pins        map[string]pin `tfsdk:"pins"`
}

type node struct {
	ID     types.Int64       `tfsdk:"id"`
	Memory tf.Notation       `tfsdk:"memory"`
	CPUs   tf.Notation       `tfsdk:"cpus"`
	Cores  []tf.Notation     `tfsdk:"cores"`
	Pages  map[string]uint64 `tfsdk:"pages"`
}

type usage struct {
	Nodes []nodeUsage    `tfsdk:"nodes"`
	Pins  map[string]pin `tfsdk:"pins"`
}

type nodeUsage struct {
	ID         types.Int64       `tfsdk:"id"`
	FreeMemory tf.Notation       `tfsdk:"free_memory"`
	FreePages  map[string]uint64 `tfsdk:"free_pages"`
}

type pin struct {
	VCPUs     tf.Notation `tfsdk:"vcpus"`
	Emulator  tf.Notation `tfsdk:"emulator"`
	Exclusive types.Bool  `tfsdk:"exclusive"`
}

func newFacts(hardware topology.Host, foreign map[string]pin) *facts {
	f := &facts{
		Arch:        types.StringValue(hardware.Arch),
		Memory:      tf.Size(hardware.Memory()),
		CPUs:        tf.CPUSet(hardware.CPUs()),
		DomainTypes: hardware.DomainTypes,
		Pins:        foreign,
	}

	for _, n := range hardware.Nodes {
		described := node{
			ID: types.Int64Value(int64(n.ID)), Memory: tf.Size(n.Memory), CPUs: set(n.CPUs()), Pages: map[string]uint64{},
		}

		for _, core := range n.Cores {
			described.Cores = append(described.Cores, tf.CPUSet(core.Threads))
		}

		for _, page := range n.Pages {
			described.Pages[tf.FormatSize(page.Size)] = page.Count
		}

		f.Nodes = append(f.Nodes, described)
	}

	return f
}

func newUsage(hardware topology.Host, free []libvirt.Free, own map[string]pin) *usage {
	u := &usage{Pins: own}

	for i, n := range hardware.Nodes {
		described := nodeUsage{
			ID: types.Int64Value(int64(n.ID)), FreeMemory: tf.Size(free[i].Memory), FreePages: map[string]uint64{},
		}

		for size, count := range free[i].Pages {
			described.FreePages[tf.FormatSize(size)] = count
		}

		u.Nodes = append(u.Nodes, described)
	}

	return u
}

// pinsOf tells the pins of our machines from those of others. Machines that are pinned nowhere are left out.
func pinsOf(domains []libvirt.Domain) (own, foreign map[string]pin, err error) {
	own, foreign = map[string]pin{}, map[string]pin{}

	for _, domain := range domains {
		spec, err := domainxml.Parse(domain.XML)
		if err != nil {
			return nil, nil, err
		}

		vcpus := spec.PinnedCPUs()
		if vcpus.IsEmpty() && spec.Emulator.IsEmpty() {
			continue
		}

		described := pin{VCPUs: set(vcpus), Emulator: set(spec.Emulator), Exclusive: types.BoolValue(spec.Mark.Exclusive)}

		if spec.Mark.Managed {
			own[spec.Name] = described
		} else {
			foreign[spec.Name] = described
		}
	}

	return own, foreign, nil
}

func set(cpus topology.CPUSet) tf.Notation {
	if cpus.IsEmpty() {
		return tf.NullCPUSet()
	}

	return tf.CPUSet(cpus)
}
