package vm

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// placementAttribute takes an entry of hypervisor_placement's assignments. What else such an entry has is dropped by
// Terraform. It requires nothing by itself: the framework takes what is required for missing as long as the whole is not
// known, so validatePlace asks for it.
func placementAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Where the machine runs, as a placement decided: `hypervisor_placement.shop.assignments[\"web-1\"]`. It stands for `host` and `cpu`, but for `cpu.maximum`. Other CPUs of the same host are changed on the running machine; to another host it is moved as it runs.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"host": schema.StringAttribute{MarkdownDescription: "Name of the host in the provider block. Has to be said.", Optional: true},
			"pins": schema.ListAttribute{
				MarkdownDescription: "For each vCPU in order, the CPU of the host that is its own. Has to be said.",
				ElementType:         tf.CPUSetType(),
				Optional:            true,
				Validators:          []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(tf.Each(tf.CPUSetType()))},
				PlanModifiers:       []planmodifier.List{tf.KeepEqual{}},
			},
			"emulator": schema.StringAttribute{
				MarkdownDescription: "CPUs for QEMU's own threads: the host's shared pool.",
				CustomType:          tf.CPUSetType(),
				Optional:            true,
				PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
			},
			"memory": schema.StringAttribute{
				MarkdownDescription: "Memory that the placement counted for the machine. That of the machine has to be the same.",
				CustomType:          tf.SizeType(),
				Optional:            true,
				PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
			},
			"page_size": schema.StringAttribute{
				MarkdownDescription: "Size of the huge pages that back its memory. Defaults to ordinary memory.",
				CustomType:          tf.SizeType(),
				Optional:            true,
				PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
			},
			"nodes": schema.ListAttribute{
				MarkdownDescription: "NUMA nodes that huge pages are taken from. Ordinary memory is taken from the nodes that the vCPUs run on.",
				ElementType:         types.Int64Type,
				Optional:            true,
			},
		},
	}
}
