package vm

import (
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// diskNamePattern is what a disk may be called: its name is its serial number, of which virtio has 20 characters.
// "cidata" is the seed's.
var diskNamePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,20}$`)

// interfaceNamePattern is what Linux takes as an interface's name.
var interfaceNamePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,14}$`)

func disksAttribute() schema.Attribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: "Disks by name. The machine boots from `root`, or from the first by name if there is none of that name. The guest finds a disk at `/dev/disk/by-id/virtio-<name>`. A container has none.",
		Optional:            true,
		Validators: []validator.Map{
			mapvalidator.SizeBetween(1, 25),
			mapvalidator.KeysAre(stringvalidator.RegexMatches(diskNamePattern, "must be 1 to 20 letters, digits, underscores and hyphens"),
				stringvalidator.NoneOf("cidata")),
		},
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"volume": schema.StringAttribute{
				MarkdownDescription: "Id of the volume, on the same host.",
				Required:            true,
			},
			"read_only": schema.BoolAttribute{
				MarkdownDescription: "Whether the guest may only read. Defaults to `false`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
		}},
	}
}

func interfacesAttribute() schema.Attribute {
	one := stringvalidator.ExactlyOneOf(path.MatchRelative().AtParent().AtName("bridge"), path.MatchRelative().AtParent().AtName("network"))

	return schema.MapNestedAttribute{
		MarkdownDescription: "Network interfaces by name, which is also their name in the guest.",
		Optional:            true,
		Validators: []validator.Map{mapvalidator.SizeAtLeast(1), mapvalidator.KeysAre(
			stringvalidator.RegexMatches(interfaceNamePattern, "must begin with a letter and consist of at most 15 letters, digits, underscores and hyphens"))},
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"bridge": schema.StringAttribute{
				MarkdownDescription: "Bridge of the host that the interface is on, such as `br0`. One of Open vSwitch, and VLANs, are said by a `hypervisor_network`.",
				Optional:            true,
				Validators:          []validator.String{one, stringvalidator.LengthBetween(1, 15)},
			},
			"network": schema.StringAttribute{
				MarkdownDescription: "Libvirt network that the interface is on, such as `default`.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"mac": schema.StringAttribute{
				MarkdownDescription: "MAC address, in lower case with colons. Defaults to one that is derived from the machine's and the interface's names, so it stays when the machine is replaced; machines of one name on the same network need different ones.",
				Optional:            true,
				Computed:            true,
				Validators: []validator.String{stringvalidator.RegexMatches(regexp.MustCompile(`^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$`),
					"must be the MAC address of one machine, such as 52:54:00:12:34:56, in lower case")},
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseNonNullStateForUnknown()},
			},
		}},
	}
}

func cloudInitAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "What cloud-init is told, as a NoCloud seed: a small read-only disk labelled `cidata`. What is written in it reaches the disk of the running machine; cloud-init reads it at the next boot, and does not repeat what it does once for each machine. A container has it in its root file system. The state holds these values, but for `user_data_wo`.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"user_data": schema.StringAttribute{
				MarkdownDescription: "User data: a script that begins with `#!`, or YAML that begins with `#cloud-config`.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"user_data_wo": schema.StringAttribute{
				MarkdownDescription: "User data that holds secrets, instead of `user_data` or beside it: it reaches the seed and is stored neither in the state nor in the plan. Beside `user_data` it is a second part: its lists (such as `write_files` and `runcmd`) are appended to those of `user_data`, maps are merged, of two values for one key that of `user_data` stays, and a script runs after the commands of the first part. Needs Terraform 1.11 or OpenTofu 1.11.",
				Optional:            true,
				WriteOnly:           true,
				Validators: []validator.String{
					stringvalidator.LengthAtLeast(1),
					partValidator{},
					stringvalidator.AlsoRequires(path.MatchRelative().AtParent().AtName("user_data_wo_version")),
				},
			},
			"user_data_wo_version": schema.Int64Attribute{
				MarkdownDescription: "Number that says that `user_data_wo` changed, which Terraform cannot see by itself.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AlsoRequires(path.MatchRelative().AtParent().AtName("user_data_wo"))},
			},
			"meta_data": schema.MapAttribute{
				MarkdownDescription: "Further keys of the meta data. `instance-id` and `local-hostname` are set already.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators:          []validator.Map{mapvalidator.SizeAtLeast(1), mapvalidator.KeysAre(stringvalidator.NoneOf("instance-id", "local-hostname"))},
			},
			"network": networkAttribute(),
			"network_config": schema.StringAttribute{
				MarkdownDescription: "Network configuration as YAML (version 1 or 2), instead of `network`.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1), stringvalidator.ConflictsWith(path.MatchRelative().AtParent().AtName("network"))},
			},
		},
	}
}

func networkAttribute() schema.Attribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: "Network configuration by interface. Without it and without `network_config`, cloud-init asks DHCP on the first interface.",
		Optional:            true,
		Validators:          []validator.Map{mapvalidator.SizeAtLeast(1)},
		NestedObject: schema.NestedAttributeObject{
			Validators: []validator.Object{objectvalidator.AtLeastOneOf(
				path.MatchRelative().AtName("addresses"), path.MatchRelative().AtName("dhcp"))},
			Attributes: map[string]schema.Attribute{
				"addresses": schema.ListAttribute{
					MarkdownDescription: "Addresses with their prefix length, such as `10.0.0.101/24`.",
					ElementType:         types.StringType,
					Optional:            true,
					Validators:          addressValidators(),
				},
				"gateway": schema.StringAttribute{
					MarkdownDescription: "Default gateway for IPv4.",
					Optional:            true,
					Validators:          []validator.String{ipValidator{version: 4}},
				},
				"gateway6": schema.StringAttribute{
					MarkdownDescription: "Default gateway for IPv6.",
					Optional:            true,
					Validators:          []validator.String{ipValidator{version: 6}},
				},
				"nameservers": schema.ListAttribute{
					MarkdownDescription: "Name servers.",
					ElementType:         types.StringType,
					Optional:            true,
					Validators:          nameserverValidators(),
				},
				"dhcp": schema.BoolAttribute{
					MarkdownDescription: "Whether the interface asks DHCP for an IPv4 address.",
					Optional:            true,
				},
			},
		},
	}
}

func waitForAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "What must be true before the machine counts as created or started.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"tcp": schema.StringAttribute{
				MarkdownDescription: "An `address:port` that accepts connections from where Terraform runs.",
				Optional:            true,
				Validators: []validator.String{
					hostPortValidator{},
					stringvalidator.AtLeastOneOf(path.MatchRelative().AtParent().AtName("tcp"), path.MatchRelative().AtParent().AtName("address")),
				},
			},
			"address": schema.StringAttribute{
				MarkdownDescription: "Name of an interface that has an address, by `cloud_init` or from the host's DHCP server.",
				Optional:            true,
			},
		},
	}
}
