package service

import (
	"regexp"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/check"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	dnsLabel  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	plainName = regexp.MustCompile(`^[^/\s]+$`)
)

func serviceSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "An instance of a service in Consul: registered through the agent at the provider's Consul address, " +
			"which then runs its checks, or, with `node`, in the catalog on a node that runs no agent. " +
			"Consul's DNS answers with the instances that pass their checks. Their health is observed, never planned: an instance that fails is not a change.\n\n" +
			"Instances carry the state that made them in their meta data, under `managed-by`. What another state or somebody else registered is not touched without `force`.",
		Attributes: map[string]schema.Attribute{
			"name":                nameAttribute(),
			"id":                  idAttribute(),
			"node":                nodeAttribute(),
			"namespace":           tenancyAttribute("Namespace", "namespace"),
			"partition":           tenancyAttribute("Admin partition", "partition"),
			"address":             addressAttribute(),
			"port":                portAttribute("Port of the instance. Leave it out if the service has none."),
			"tagged_addresses":    taggedAttribute(),
			"tags":                tagsAttribute(),
			"enable_tag_override": switchAttribute("Whether others may change the tags in the catalog. Their changes are then no longer shown as changes. Defaults to `false`."),
			"meta":                metaAttribute(),
			"weights":             weightsAttribute(),
			"checks":              check.Attribute("Health checks of the instance. It is in Consul's DNS unless one of them is critical."),
			"wait_for_passing": durationAttribute("How long the creation waits for the instance to pass all its checks, such as `30s`. It fails if the time is over. " +
				"Only with `checks`; with `node`, something such as `consul-esm` must run them. Does not wait by default."),
			"drain": durationAttribute("How long the instance is in maintenance mode before it is deregistered, such as `10s`: time for DNS answers and gateways to forget it. By default it is deregistered at once."),
			"force": switchAttribute("Whether an instance of this id that another state or somebody else registered is taken over, changed and deregistered. Defaults to `false`: that is an error."),
			"owner": tf.OwnerAttribute(),
			"draining": schema.BoolAttribute{
				MarkdownDescription: "Whether an interrupted deletion left the instance in maintenance mode. The plan always says `false`, so the next apply puts it back into service.",
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
		},
	}
}

func nameAttribute() schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: "Name of the service, shared by all its instances. Consul's DNS resolves `<name>.service.consul`, so it must be a DNS label. A change replaces the instance.",
		Required:            true,
		Validators: []validator.String{stringvalidator.RegexMatches(dnsLabel,
			"must be a DNS label, as Consul's DNS answers for it: at most 63 letters, digits and dashes, with a letter or digit at both ends")},
		PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
}

func idAttribute() schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: "Id of the instance, unique on its node or agent. Defaults to `name`. A change replaces the instance.",
		Optional:            true,
		Computed:            true,
		Validators:          []validator.String{stringvalidator.RegexMatches(plainName, "must not be empty and must have neither slashes nor spaces")},
		PlanModifiers:       []planmodifier.String{defaultToName{}, stringplanmodifier.RequiresReplace()},
	}
}

func nodeAttribute() schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: "Node of the catalog to register the instance on: one that `consul_node` makes, or any other that runs no Consul agent, which would remove the registration. " +
			"If there is none of the name, it is made, with the meta data that makes `consul-esm` run the checks, and removed with its last service. " +
			"Defaults to a registration through the agent at the provider's Consul address. A change replaces the instance.",
		Optional:      true,
		Validators:    []validator.String{stringvalidator.RegexMatches(plainName, "must not be empty and must have neither slashes nor spaces")},
		PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
}

func tenancyAttribute(what, name string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: what + " of the instance. Only Consul Enterprise has any but `default`. A change replaces the instance.",
		Optional:            true,
		Validators:          []validator.String{stringvalidator.RegexMatches(dnsLabel, "must be the name of a "+name+": letters, digits and dashes")},
		PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
}

func addressAttribute() schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: "Address of the instance, which Consul's DNS answers with. Required with `node`; defaults to the agent's address otherwise.",
		Optional:            true,
		Validators:          check.Address(),
	}
}

func portAttribute(description string) schema.Int64Attribute {
	return schema.Int64Attribute{
		MarkdownDescription: description,
		Optional:            true,
		Validators:          []validator.Int64{int64validator.Between(1, 65535)},
	}
}

func taggedAttribute() schema.Attribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: "Further addresses of the instance by their names, such as `lan` and `wan`. Those that an agent fills in by itself (`lan_ipv4` and so on) are not shown. None by default.",
		Optional:            true,
		Validators:          []validator.Map{mapvalidator.SizeAtLeast(1)},
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"address": schema.StringAttribute{
				MarkdownDescription: "Address.",
				Required:            true,
				Validators:          check.Address(),
			},
			"port": portAttribute("Port at this address. None by default."),
		}},
	}
}

func tagsAttribute() schema.Attribute {
	return schema.SetAttribute{
		MarkdownDescription: "Tags of the instance. Their order means nothing. None by default.",
		ElementType:         types.StringType,
		Optional:            true,
		Computed:            true,
		Default:             setdefault.StaticValue(types.SetValueMust(types.StringType, nil)),
		Validators:          []validator.Set{setvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
	}
}

func metaAttribute() schema.Attribute {
	return schema.MapAttribute{
		MarkdownDescription: "Meta data of the instance: at most 63 entries, with keys of at most 128 letters, digits, `-` and `_`, and values of at most 512 characters. `managed-by` is the provider's. None by default.",
		ElementType:         types.StringType,
		Optional:            true,
		Computed:            true,
		Default:             mapdefault.StaticValue(types.MapValueMust(types.StringType, nil)),
		Validators:          check.Meta(),
	}
}

func weightsAttribute() schema.Attribute {
	share := func(health string, least int64) schema.Attribute {
		return schema.Int64Attribute{
			MarkdownDescription: "Weight while the instance is " + health + ", up to 65535. Defaults to `1`.",
			Optional:            true,
			Computed:            true,
			Default:             int64default.StaticInt64(1),
			Validators:          []validator.Int64{int64validator.Between(least, 65535)},
		}
	}

	return schema.SingleNestedAttribute{
		MarkdownDescription: "Share of the requests that SRV answers of Consul's DNS send to the instance.",
		Optional:            true,
		Computed:            true,
		Default: objectdefault.StaticValue(types.ObjectValueMust(
			map[string]attr.Type{"passing": types.Int64Type, "warning": types.Int64Type},
			map[string]attr.Value{"passing": types.Int64Value(1), "warning": types.Int64Value(1)},
		)),
		Attributes: map[string]schema.Attribute{"passing": share("passing", 1), "warning": share("warning", 0)},
	}
}

func switchAttribute(description string) schema.BoolAttribute {
	return schema.BoolAttribute{MarkdownDescription: description, Optional: true, Computed: true, Default: booldefault.StaticBool(false)}
}

func durationAttribute(description string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		CustomType:          tf.DurationType(),
		Optional:            true,
		Validators:          []validator.String{check.AtLeast(time.Millisecond)},
		PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
	}
}
