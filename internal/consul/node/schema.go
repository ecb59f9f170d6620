package node

import (
	"regexp"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/check"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var nodeName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

func nodeSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A machine without a Consul agent, as a node of Consul's catalog: something to register services on (`node` of `consul_service`), " +
			"with checks of its own that `consul-esm` runs. Its health is observed, never planned.\n\n" +
			"Nodes carry the state that made them in their meta data, under `managed-by`. What another state or somebody else registered is not touched without `force`.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the node. Consul's DNS resolves `<name>.node.consul`, so it must be a DNS label. A machine that runs an agent is refused. A change replaces the node.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(nodeName, "must be a DNS label: at most 63 letters, digits and dashes, with a letter or digit at both ends")},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"partition": schema.StringAttribute{
				MarkdownDescription: "Admin partition of the node. Only Consul Enterprise has any but `default`. A change replaces the node.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(nodeName, "must be the name of a partition: letters, digits and dashes")},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"address": schema.StringAttribute{
				MarkdownDescription: "Address of the machine.",
				Required:            true,
				Validators:          check.Address(),
			},
			"tagged_addresses": schema.MapAttribute{
				MarkdownDescription: "Further addresses of the machine by their names, such as `lan` and `wan`. None by default.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators:          []validator.Map{mapvalidator.SizeAtLeast(1), mapvalidator.ValueStringsAre(check.Address()...)},
			},
			"meta": schema.MapAttribute{
				MarkdownDescription: "Meta data of the node: at most 61 entries, with keys of at most 128 letters, digits, `-` and `_`, and values of at most 512 characters. " +
					"`managed-by`, `external-node` and `external-probe` are the provider's. None by default.",
				ElementType: types.StringType,
				Optional:    true,
				Computed:    true,
				Default:     mapdefault.StaticValue(types.MapValueMust(types.StringType, nil)),
				Validators: append(check.Meta(), mapvalidator.SizeAtMost(61), mapvalidator.KeysAre(
					stringvalidator.NoneOf("external-node", "external-probe"))),
			},
			"probe": schema.BoolAttribute{
				MarkdownDescription: "Whether `consul-esm` pings the address (`external-probe`) and takes all services of the node down if it does not answer. Defaults to `true`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"checks": check.Attribute("Health checks of the node, of the kinds `http` and `tcp`. All services on it are out of Consul's DNS while one of them is critical."),
			"force": schema.BoolAttribute{
				MarkdownDescription: "Whether a node of this name that another state or somebody else registered is taken over, changed and removed. Defaults to `false`: that is an error.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
			"owner": tf.OwnerAttribute(),
		},
	}
}
