package placement

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func assignmentsAttribute() schema.MapNestedAttribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: "Where each machine runs, by its name: `placement = hypervisor_placement.shop.assignments[\"web-1\"]`.",
		Computed:            true,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"host":        computed("Name of the host."),
			"pins":        schema.ListAttribute{MarkdownDescription: "For each vCPU in order, the CPU that is its own.", Computed: true, ElementType: tf.CPUSetType()},
			"emulator":    computedAs("CPUs for QEMU's own threads: the host's shared pool. Null if it has none.", tf.CPUSetType()),
			"memory":      computedAs("Memory of the machine.", tf.SizeType()),
			"page_size":   computedAs("Size of the huge pages that back its memory; null for ordinary memory.", tf.SizeType()),
			"nodes":       schema.ListAttribute{MarkdownDescription: "NUMA nodes that its CPUs and its memory are on.", Computed: true, ElementType: types.Int64Type},
			"node_memory": computedMap("Ordinary memory counted on each node; null if huge pages back it.", tf.SizeType()),
			"node_pages":  computedMap("Huge pages counted on each node; null for ordinary memory.", types.Int64Type),
		}},
	}
}

func movesAttribute() schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		MarkdownDescription: "Machines that the last change moved, by name. Another host replaces a machine; other CPUs of the same host do not disturb it.",
		Computed:            true,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"machine": computed("Name of the machine."),
			"from":    computed("Host and CPUs that it leaves, such as `alpha:1,33`."),
			"to":      computed("Host and CPUs that it goes to."),
			"reason":  computed("Why, such as `beta is draining`."),
		}},
	}
}

func computedAs(description string, as tf.NotationType) schema.Attribute {
	attribute := computed(description)
	attribute.CustomType = as

	return attribute
}

func computedMap(description string, element attr.Type) schema.Attribute {
	return schema.MapAttribute{MarkdownDescription: description, Computed: true, ElementType: element}
}
