package host

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const description = `What a libvirt host is and what is in use of it.

` + "`facts`" + ` do not change by what is declared here: the hardware, and the CPUs that machines of others are pinned to.
` + "`usage`" + ` does: free memory, and the pins of machines that this provider made. Whatever decides where machines go reads
` + "`facts`" + ` only, or its plan would never be empty.`

func hostSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: description,
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the host in the provider block.",
				Required:            true,
			},
			"facts": factsAttribute(),
			"usage": usageAttribute(),
		},
	}
}

func factsAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "The host's hardware and hypervisors, and the CPUs that machines of others are pinned to.",
		Computed:            true,
		Attributes: map[string]schema.Attribute{
			"arch":         computed("Architecture, such as `x86_64`."),
			"memory":       size("Memory of all nodes."),
			"cpus":         cpuSet("All CPUs, such as `0-63`."),
			"domain_types": list("Hypervisors that machines of the host's architecture may use, such as `kvm` and `qemu`.", types.StringType),
			"nodes": schema.ListNestedAttribute{
				MarkdownDescription: "NUMA nodes by id.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":     schema.Int64Attribute{MarkdownDescription: "Number of the node.", Computed: true},
					"memory": size("Memory of the node."),
					"cpus":   cpuSet("CPUs of the node."),
					"cores":  list("Cores of the node, each as the set of its sibling threads, such as `0,32`.", tf.CPUSetType()),
					"pages":  pages("Huge pages that the node has, by their size, such as `2MiB`."),
				}},
			},
			"pins": pins("CPUs that machines not made by this provider are pinned to, by machine."),
		},
	}
}

func usageAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "What is in use at the moment of reading.",
		Computed:            true,
		Attributes: map[string]schema.Attribute{
			"nodes": schema.ListNestedAttribute{
				MarkdownDescription: "NUMA nodes, in the order of `facts.nodes`.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":          schema.Int64Attribute{MarkdownDescription: "Number of the node.", Computed: true},
					"free_memory": size("Memory that is free on the node."),
					"free_pages":  pages("Huge pages that are free on the node, by their size."),
				}},
			},
			"pins": pins("CPUs that machines made by this provider are pinned to, by machine."),
		},
	}
}

func pins(description string) schema.Attribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: description,
		Computed:            true,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"vcpus":     cpuSet("CPUs that its vCPUs are pinned to; null if they are not."),
			"emulator":  cpuSet("CPUs that its emulator is pinned to; null if it is not."),
			"exclusive": schema.BoolAttribute{MarkdownDescription: "Whether no other machine may use the CPUs of its vCPUs.", Computed: true},
		}},
	}
}

func computed(description string) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Computed: true}
}

func size(description string) schema.Attribute {
	attribute := computed(description)
	attribute.CustomType = tf.SizeType()

	return attribute
}

func cpuSet(description string) schema.Attribute {
	attribute := computed(description)
	attribute.CustomType = tf.CPUSetType()

	return attribute
}

func list(description string, element attr.Type) schema.Attribute {
	return schema.ListAttribute{MarkdownDescription: description, Computed: true, ElementType: element}
}

func pages(description string) schema.Attribute {
	return schema.MapAttribute{MarkdownDescription: description, Computed: true, ElementType: types.Int64Type}
}
