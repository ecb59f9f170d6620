package vm

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// hardwareAttributes are what the guest sees of its processor and memory, beyond their amounts.
func hardwareAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"memory_maximum": schema.StringAttribute{
			MarkdownDescription: "Memory that the machine can be given while it runs, such as `8GiB`: `memory` changes up to it without a restart, by the guest's balloon driver. The guest starts with it and gives back what is above `memory`. Not on huge, locked or preallocated memory. Defaults to `memory`.",
			CustomType:          tf.SizeType(),
			Optional:            true,
			Validators:          []validator.String{atLeastOneMiB{}},
			PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
		},
		"memory_backing": memoryBackingAttribute(),
		"cpu_model": schema.StringAttribute{
			MarkdownDescription: "Processor that the guest sees: `host-passthrough` for the host's own, or a model that the host knows such as `EPYC`, for guests that migrate between unlike hosts. Defaults to `host-passthrough`, and to `qemu64` under emulation.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"xml": schema.StringAttribute{
			MarkdownDescription: "What the machine shall have and no other attribute says, as elements of libvirt's [domain XML](https://libvirt.org/formatdomain.html) below `<domain>`, such as `<devices><watchdog model='i6300esb'/></devices>`. Elements of `devices`, `features`, `os`, `cpu`, `cputune` and `memoryBacking` are added to those that are there; of what there can be only one, such as `clock`, yours is taken. What other attributes say is refused. No secrets: the state has it. Only on QEMU.",
			CustomType:          tf.XMLType(),
			Optional:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
		},
		"cpu_topology": cpuTopologyAttribute(),
		"numa_nodes":   numaNodesAttribute(),
		"io_threads": schema.ListAttribute{
			MarkdownDescription: "A thread of QEMU's for each entry, over which the disks are spread, with the CPUs of the host that it runs on, such as `[\"0\", \"1\"]`. The CPUs change on the running machine, the number does not. Defaults to none: the emulator does the work.",
			ElementType:         tf.CPUSetType(),
			Optional:            true,
			Validators:          []validator.List{listvalidator.SizeBetween(1, 16), listvalidator.ValueStringsAre(tf.Each(tf.CPUSetType()))},
			PlanModifiers:       []planmodifier.List{tf.KeepEqual{}},
		},
	}
}

func memoryBackingAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Where the memory comes from. Defaults to ordinary memory, taken as the guest writes to it.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"page_size": schema.StringAttribute{
				MarkdownDescription: "Size of the huge pages that back the memory, `2MiB` or `1GiB`. A placed machine has it in its `placement`.",
				CustomType:          tf.SizeType(),
				Optional:            true,
				PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
			},
			"nodes": schema.ListAttribute{
				MarkdownDescription: "NUMA nodes of the host that the huge pages are taken from, and from no other. Defaults to any.",
				ElementType:         types.Int64Type,
				Optional:            true,
				Validators:          []validator.List{listvalidator.SizeAtLeast(1)},
			},
			"locked": schema.BoolAttribute{
				MarkdownDescription: "Whether the memory is never swapped out. Defaults to `false`.",
				Optional:            true,
			},
			"preallocated": schema.BoolAttribute{
				MarkdownDescription: "Whether all memory is taken when the machine starts, so that it cannot be missing later. Defaults to `false`.",
				Optional:            true,
			},
		},
	}
}

func cpuTopologyAttribute() schema.Attribute {
	number := func(description string) schema.Attribute {
		return schema.Int64Attribute{MarkdownDescription: description, Required: true, Validators: []validator.Int64{int64validator.Between(1, 4096)}}
	}

	return schema.SingleNestedAttribute{
		MarkdownDescription: "How the guest sees its vCPUs laid out. Sockets, cores and threads multiply to their largest number; with two threads each pair of vCPUs that follow each other is pinned to the threads of one core of the host, which is checked. Defaults to a socket for each vCPU.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"sockets": number("Number of sockets."),
			"cores":   number("Number of cores of a socket."),
			"threads": number("Number of threads of a core."),
		},
	}
}

func numaNodesAttribute() schema.Attribute {
	return schema.ListNestedAttribute{
		MarkdownDescription: "NUMA nodes that the guest sees, by number. Together they have all vCPUs and all memory. Defaults to none.",
		Optional:            true,
		Validators:          []validator.List{listvalidator.SizeAtLeast(1)},
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"cpus": schema.StringAttribute{
				MarkdownDescription: "Numbers of the vCPUs on the node, such as `0-1`.",
				CustomType:          tf.CPUSetType(),
				Required:            true,
			},
			"memory": schema.StringAttribute{
				MarkdownDescription: "Memory of the node, such as `2GiB`.",
				CustomType:          tf.SizeType(),
				Required:            true,
				Validators:          []validator.String{atLeastOneMiB{}},
			},
			"host_node": schema.Int64Attribute{
				MarkdownDescription: "NUMA node of the host that its memory is taken from. Defaults to any.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(0)},
			},
		}},
	}
}

// descriptionAttributes are for people.
func descriptionAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"title": schema.StringAttribute{
			MarkdownDescription: "A line about the machine, which tools such as virsh and virt-manager show.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1), oneLine()},
		},
		"description": schema.StringAttribute{
			MarkdownDescription: "What people should know of the machine, on any number of lines.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
	}
}
