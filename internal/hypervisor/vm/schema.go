package vm

import (
	"context"
	"maps"
	"regexp"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/disruption"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const description = `A virtual machine on a libvirt host, with its vCPUs pinned to CPUs of the host.

Where it runs is said in one of two ways: by ` + "`placement`" + `, which ` + "`hypervisor_placement`" + ` decides in the plan, or by hand with
` + "`host`" + ` and ` + "`cpu`" + `.

What a change does to the running machine is its class: none, live, reboot or replace. Each plan says it, and one that needs
more than ` + "`allow_change`" + ` allows is refused; the guide *Changing a machine* lists all attributes. Volumes are resources of their
own and stay when a machine is replaced.

CPUs are exclusive unless told otherwise: a machine is refused a CPU that another one holds, with the holder's name. That
holds for applies at the same time too, from wherever they run: of two that want a CPU at once one gets it.`

const (
	defaultDomainType      = "kvm"
	defaultMachine         = "q35"
	defaultShutdownTimeout = "30s"
)

func vmSchema(ctx context.Context) schema.Schema {
	attributes := map[string]schema.Attribute{
		"id": schema.StringAttribute{
			MarkdownDescription: "The machine's UUID.",
			Computed:            true,
			PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		},
		"name": schema.StringAttribute{
			MarkdownDescription: "Name of the machine on its host, and its host name as cloud-init sets it.",
			Required:            true,
			Validators: []validator.String{stringvalidator.RegexMatches(regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`),
				"must be a host name: up to 63 letters, digits and hyphens, with a hyphen at neither end")},
		},
		"host": schema.StringAttribute{
			MarkdownDescription: "Name of the host in the provider block. To another one the machine is moved as it runs, with its disks. Left out if there is a `placement`, which says it.",
			Optional:            true,
			Computed:            true,
		},
		"placement": placementAttribute(),
		"domain_type": schema.StringAttribute{
			MarkdownDescription: "`kvm`, or `qemu` for software emulation on a host without hardware virtualisation. Defaults to `kvm`, on a host of containers to `lxc` and on Xen to `xen`, as the host's URI says.",
			Optional:            true,
			Computed:            true,
			Validators:          []validator.String{stringvalidator.OneOf(defaultDomainType, "qemu", domainxml.LXC, domainxml.Xen)},
		},
		"machine": schema.StringAttribute{
			MarkdownDescription: "QEMU's machine type, `q35` or `pc`, or one with its version such as `pc-q35-7.2`; on Xen `xenfv` or `xenpv`. Defaults to `q35`, on Xen to `xenfv`.",
			Optional:            true,
			Computed:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"memory": schema.StringAttribute{
			MarkdownDescription: "Memory of the machine, such as `4GiB`. Changed on the running machine up to `memory_maximum`.",
			CustomType:          tf.SizeType(),
			Required:            true,
			Validators:          []validator.String{atLeastOneMiB{}},
			PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
		},
		"cpu":        cpuAttribute(),
		"disks":      disksAttribute(),
		"container":  containerAttribute(),
		"interfaces": interfacesAttribute(),
		"cloud_init": cloudInitAttribute(),
		"wait_for":   waitForAttribute(),
		"drain":      drainAttribute(),
		"drained":    drainedAttribute(),
		"migration":  migrationAttribute(),
		"timeouts":   tf.Timeouts(ctx, limits),
	}
	maps.Copy(attributes, observedAttributes())
	maps.Copy(attributes, powerAttributes())
	maps.Copy(attributes, hardwareAttributes())
	maps.Copy(attributes, descriptionAttributes())

	return schema.Schema{MarkdownDescription: description, Attributes: attributes}
}

// observedAttributes are what only the host says.
func observedAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"addresses": schema.MapAttribute{
			MarkdownDescription: "IP addresses by interface: those that `cloud_init` sets, otherwise those that the host's DHCP server gave.",
			Computed:            true,
			ElementType:         types.ListType{ElemType: types.StringType},
		},
		"drift": schema.MapAttribute{
			MarkdownDescription: "What the running machine has, by attribute, where it is not what its stored definition says, such as after an update that was cut short. The next apply repairs it.",
			Computed:            true,
			ElementType:         types.StringType,
		},
	}
}

// powerAttributes say when the machine runs.
func powerAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"running": schema.BoolAttribute{
			MarkdownDescription: "Whether the machine runs. One that stopped by itself is started by the next apply. Defaults to `true`.",
			Optional:            true,
			Computed:            true,
			Default:             booldefault.StaticBool(true),
		},
		"autostart": schema.BoolAttribute{
			MarkdownDescription: "Whether the machine starts when its host does. Defaults to `true`.",
			Optional:            true,
			Computed:            true,
			Default:             booldefault.StaticBool(true),
		},
		"allow_change": schema.StringAttribute{
			MarkdownDescription: "The most that a plan may disturb the machine while it runs: `none`, `live`, `reboot` or `replace`. A plan that needs more is refused; the guide *Changing a machine* says which change is of which class. Defaults to `live`.",
			Optional:            true,
			Computed:            true,
			Default:             stringdefault.StaticString(disruption.Live.String()),
			Validators:          []validator.String{stringvalidator.OneOf(disruption.Names()...)},
		},
		"force_restart": schema.BoolAttribute{
			MarkdownDescription: "Whether an update that has to restart the machine may cut its power if the guest does not power off within `shutdown_timeout`. Otherwise the update fails and the machine runs on. Defaults to `false`.",
			Optional:            true,
			Computed:            true,
			Default:             booldefault.StaticBool(false),
		},
		"shutdown_timeout": schema.StringAttribute{
			MarkdownDescription: "How long the guest may take to power off, which it is asked to by its agent or by ACPI. When the machine is stopped or destroyed, its power is cut then; when it is restarted, only with `force_restart`. `0s` cuts it at once. Defaults to `30s`.",
			CustomType:          tf.DurationType(),
			Optional:            true,
			Computed:            true,
			Default:             stringdefault.StaticString(defaultShutdownTimeout),
			PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
		},
	}
}

func cpuAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "vCPUs, and the CPUs of the host that they run on. Beside a `placement`, which says one exclusive CPU for each vCPU, only `maximum` may be given.",
		Optional:            true,
		Computed:            true,
		Attributes: map[string]schema.Attribute{
			"count": schema.Int64Attribute{
				MarkdownDescription: "Number of vCPUs. Defaults to the number of `pins`.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.Int64{int64validator.Between(1, 4096)},
			},
			"maximum": schema.Int64Attribute{
				MarkdownDescription: "Number of vCPUs that the machine can be given while it runs: `count` grows up to it without a restart. Defaults to `count`.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(1, 4096)},
			},
			"pins": schema.ListAttribute{
				MarkdownDescription: "For each vCPU in order, the CPUs of the host that it may run on, such as `[\"2\", \"34\"]`. Changed on the running machine. Defaults to no pinning.",
				ElementType:         tf.CPUSetType(),
				Optional:            true,
				Computed:            true, // by a placement
				Validators:          []validator.List{listvalidator.ValueStringsAre(tf.Each(tf.CPUSetType()))},
				PlanModifiers:       []planmodifier.List{tf.KeepEqual{}},
			},
			"emulator": schema.StringAttribute{
				MarkdownDescription: "CPUs for QEMU's own threads, such as `0-1`. Changed on the running machine. Defaults to all CPUs.",
				CustomType:          tf.CPUSetType(),
				Optional:            true,
				Computed:            true, // by a placement
				PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
			},
			"exclusive": schema.BoolAttribute{
				MarkdownDescription: "Whether no other pinned machine may use the pinned CPUs. Machines without `pins` are not kept off them: give those pins as well, with `exclusive = false`. Defaults to `true`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
		},
	}
}
