package upstream

import (
	"regexp"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

const (
	defaultRetries = 2
	maxRetries     = 10
	defaultWeight  = 100
	maxWeight      = 65535 // Kong's bound

	// maxMembers keeps an upstream, with two keys for each member, within one transaction of Consul, which holds 128.
	maxMembers = 50
)

// servicePattern is what Traefik leaves of a Consul service's name unchanged, and what Consul's DNS can answer.
var servicePattern = regexp.MustCompile(`^[0-9A-Za-z]+(-[0-9A-Za-z]+)*$`)

func upstreamSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Where the gateway sends traffic: services of Consul, or fixed targets, each with a weight. " +
			"Weights change in place, and no request is lost while they do.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "The upstream's name.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the upstream, unique in the gateway; changing it replaces the upstream, which needs " +
					"`create_before_destroy` while routes lead to it.",
				Required:      true,
				Validators:    []validator.String{stringvalidator.RegexMatches(gateway.NamePattern, gateway.NameRule), stringvalidator.LengthAtMost(gateway.MaxName)},
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"services": membersAttribute(
				"Consul services that receive the traffic, by name; either these or `targets`. While one of them has no healthy "+
					"instance, Traefik sends all traffic to the heaviest other one, or the second heaviest.",
				stringvalidator.RegexMatches(servicePattern, "must consist of letters and digits, with single '-' between them"),
				mapvalidator.ExactlyOneOf(path.MatchRoot("services"), path.MatchRoot("targets")),
			),
			"targets": membersAttribute("Fixed receivers of the traffic, by `address:port`; either these or `services`.", targetValidator{}),
			"retries": schema.Int64Attribute{
				MarkdownDescription: "Number of further attempts after a connection that failed, from 0 (none) to 10. Defaults to `2`.",
				Optional:            true,
				Computed:            true,
				Default:             int64default.StaticInt64(defaultRetries),
				Validators:          []validator.Int64{int64validator.Between(0, maxRetries)},
			},
		},
	}
}

func membersAttribute(description string, key validator.String, more ...validator.Map) schema.MapNestedAttribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: description,
		Optional:            true,
		Validators:          append([]validator.Map{mapvalidator.SizeBetween(1, maxMembers), mapvalidator.KeysAre(key)}, more...),
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"weight": schema.Int64Attribute{
				MarkdownDescription: "Share of the traffic relative to the other members, from 0 (none) to 65535. Defaults to `100`.",
				Optional:            true,
				Computed:            true,
				Default:             int64default.StaticInt64(defaultWeight),
				Validators:          []validator.Int64{int64validator.Between(0, maxWeight)},
			},
		}},
	}
}
