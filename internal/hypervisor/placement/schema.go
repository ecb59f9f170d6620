package placement

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const description = `Decides in the plan on which host, CPUs and NUMA nodes every machine of a fleet runs.

Each machine gets whole cores of its own, in as few NUMA nodes as it fits in, packed so that the largest hole stays large.
The placement is sticky: adding, removing or growing a machine moves no other. What does not fit is refused in the plan, with
a reason for every host. ` + "`core_map`" + ` draws every core with its owner, so that a plan shows line by line what moves.

Hosts are given as facts, those of ` + "`data.hypervisor_host`" + ` or written by hand for hardware that is not bought yet: deciding
needs no connection. Destroying a placement touches no machine.`

func placementSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: description,
		Attributes: map[string]schema.Attribute{
			"hosts":        hostsAttribute(),
			"host_options": hostOptionsAttribute(),
			"machines":     machinesAttribute(),
			"groups":       groupsAttribute(),
			"may_move": schema.BoolAttribute{
				MarkdownDescription: "Whether a machine whose place is no longer valid, such as one on CPUs that the host has lost, gets another one. Without it the plan is refused and names the machine. Defaults to `false`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
			"rebalance": schema.StringAttribute{
				MarkdownDescription: "Any text, such as a date. Each time it changes the fleet is placed anew as a whole, once, and `moves` says which machines that costs a move.",
				Optional:            true,
			},
			"assignments": assignmentsAttribute(),
			"moves":       movesAttribute(),
			"free":        freeAttribute(),
			"core_map":    computed("Every host, node and core with its owner, as text of which a plan shows the lines that change."),
			"core_map_svg": schema.StringAttribute{
				MarkdownDescription: "The same as a picture, for light and dark. It is no secret: it is marked as sensitive so that plans do not print its hundreds of lines. Give it out with `output \"core_map_svg\" { value = hypervisor_placement.shop.core_map_svg, sensitive = true }`, and write it to a file with `terraform output -raw core_map_svg > map.svg`.",
				Computed:            true,
				Sensitive:           true,
			},
		},
	}
}

// hostsAttribute requires nothing inside of a host: the framework takes what is required for missing as long as the facts
// around it are not known, so check asks for it instead. The same holds for machines.
func hostsAttribute() schema.Attribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: "Hosts by name, in the shape of the `facts` of `data.hypervisor_host`: `{ for name, host in data.hypervisor_host.all : name => host.facts }`. What else facts have is not looked at.",
		Required:            true,
		Validators:          []validator.Map{mapvalidator.SizeAtLeast(1)},
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"nodes": schema.ListNestedAttribute{
				MarkdownDescription: "NUMA nodes, each with memory. By hand: `[{ memory = \"128GiB\", cores = [for core in range(16) : \"${core},${core + 32}\"] }]`.",
				Optional:            true,
				Validators:          []validator.List{listvalidator.SizeAtLeast(1)},
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":     schema.Int64Attribute{MarkdownDescription: "Number of the node. Defaults to its position.", Optional: true, Validators: []validator.Int64{int64validator.AtLeast(0)}},
					"memory": size("Memory of the node."),
					"cores": schema.ListAttribute{
						MarkdownDescription: "Cores of the node, each as the set of its sibling threads, such as `0,32`. A node without cores has memory only.",
						ElementType:         tf.CPUSetType(),
						Optional:            true,
						Validators:          []validator.List{listvalidator.ValueStringsAre(tf.Each(tf.CPUSetType()))},
					},
					"pages": schema.MapAttribute{
						MarkdownDescription: "Huge pages that the node has, by their size, such as `2MiB`. They are part of its memory. Defaults to none.",
						ElementType:         types.Int64Type,
						Optional:            true,
						Validators:          []validator.Map{mapvalidator.KeysAre(tf.Each(tf.SizeType())), mapvalidator.ValueInt64sAre(int64validator.AtLeast(0))},
					},
				}},
			},
			"pins": schema.MapNestedAttribute{
				MarkdownDescription: "CPUs that machines outside of this placement are pinned to, by machine. Cores of theirs are kept clear.",
				Optional:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"vcpus":    cpuSet("CPUs of its vCPUs."),
					"emulator": cpuSet("CPUs of its emulator."),
				}},
			},
		}},
	}
}

func hostOptionsAttribute() schema.Attribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: "What you decide about a host, by the names of `hosts`.",
		Optional:            true,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"reserved_cpus": schema.StringAttribute{
				MarkdownDescription: "The shared pool, where the host itself and the emulators of all machines run, such as `0-1,32-33`; `none` for no pool. Defaults to the first core of every NUMA node with its siblings.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.Any(stringvalidator.OneOf(noPool), tf.Each(tf.CPUSetType()))},
			},
			"reserved_memory": size("Memory that is kept for the host itself, over all nodes. Defaults to `2GiB`."),
			"maintenance": schema.BoolAttribute{
				MarkdownDescription: "Whether the host takes no machine, and those that it has leave for others, which `moves` names. Defaults to `false`.",
				Optional:            true,
			},
		}},
	}
}

func machinesAttribute() schema.Attribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: "Machines by name.",
		Required:            true,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"vcpus":     schema.Int64Attribute{MarkdownDescription: "Number of vCPUs. Each gets a CPU of its own. Has to be said.", Optional: true, Validators: []validator.Int64{int64validator.Between(1, 4096)}},
			"memory":    size("Memory of the machine, such as `4GiB`. Has to be said."),
			"page_size": size("Size of the huge pages that back its memory, such as `2MiB`. Defaults to ordinary memory."),
			"threads":   schema.BoolAttribute{MarkdownDescription: "Whether single threads are enough, so that a core may be shared with other such machines. Defaults to `false`: whole cores, and siblings are shared with nobody.", Optional: true},
			"group":     schema.StringAttribute{MarkdownDescription: "Name of its group in `groups`.", Optional: true},
		}},
	}
}

func groupsAttribute() schema.Attribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: "What holds for machines together, by the names that machines use as `group`.",
		Optional:            true,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"spread": schema.StringAttribute{
				MarkdownDescription: "`hosts` for no two machines on one host, `evenly` for as far apart as possible. Defaults to no rule.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.OneOf("hosts", "evenly")},
			},
			"together": schema.BoolAttribute{MarkdownDescription: "Whether all machines are on one host. Defaults to `false`.", Optional: true},
			"avoid":    schema.SetAttribute{MarkdownDescription: "Hosts that take none of the machines.", ElementType: types.StringType, Optional: true},
			"survives": schema.StringAttribute{
				MarkdownDescription: "`host`: the plan is refused unless for each host its machines of the group would fit on the others if it was lost. Defaults to no such proof.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.OneOf("host")},
			},
		}},
	}
}

func size(description string) schema.Attribute {
	return schema.StringAttribute{MarkdownDescription: description, CustomType: tf.SizeType(), Optional: true}
}

func cpuSet(description string) schema.Attribute {
	return schema.StringAttribute{MarkdownDescription: description, CustomType: tf.CPUSetType(), Optional: true}
}

func computed(description string) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Computed: true}
}
