package upstream

import (
	"context"
	"regexp"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

const (
	maxRetries = 10
	maxWeight  = 65535 // Kong's bound

	// maxMembers is beyond what a single upstream is for; Traefik's own bound is lower (CheckUpstream).
	maxMembers = 1000

	longestTimeout = time.Hour
)

// servicePattern is what Traefik leaves of a Consul service's name unchanged, and what Consul's DNS can answer.
var servicePattern = regexp.MustCompile(`^[0-9A-Za-z]+(-[0-9A-Za-z]+)*$`)

func upstreamSchema(ctx context.Context) schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Where the gateway sends traffic: services of Consul, or fixed targets, each with a weight. " +
			"Weights and all other settings change in place, and no request is lost while they do.",
		Attributes: map[string]schema.Attribute{
			"id":   object.IDAttribute("upstream"),
			"name": object.NameAttribute("upstream", ", which needs `create_before_destroy` while routes lead to it"),
			"services": membersAttribute(
				"Consul services that receive the traffic, by name; either these or `targets`. While one of them has no healthy "+
					"instance, Traefik sends all traffic to the heaviest other one, or the second heaviest.",
				stringvalidator.RegexMatches(servicePattern, "must consist of letters and digits, with single '-' between them"),
				mapvalidator.ExactlyOneOf(path.MatchRoot("services"), path.MatchRoot("targets")),
			),
			"targets": membersAttribute("Fixed receivers of the traffic, by `address:port`; either these or `services`.", targetValidator{}),
			"protocol": schema.StringAttribute{
				MarkdownDescription: "What is spoken to the members: `http`, `https`, `tcp` or `tls`. Defaults to `http`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(gateway.HTTP),
				Validators:          []validator.String{stringvalidator.OneOf(gateway.HTTP, gateway.HTTPS, gateway.TCP, gateway.TLS)},
			},
			"balance":        balanceAttribute(),
			"health_check":   healthAttribute(),
			"passive_health": passiveAttribute(),
			"connect_timeout": timeoutAttribute("How long connecting to a member may take. Defaults to `2s`, so that another one is tried soon; " +
				"Kong's own default is `60s`, and Traefik's `30s`."),
			"read_timeout": timeoutAttribute("How long a member may take to begin its answer, and on Kong also to go on with it. Defaults to `60s`, " +
				"as Kong's own does; Traefik's own is no limit."),
			"write_timeout": timeoutAttribute("How long a member may take between two reads of a request; on Kong only. Defaults to `60s`, as Kong's own does."),
			"retries": schema.Int64Attribute{
				MarkdownDescription: "Number of further attempts after a connection that failed, from 0 (none) to 10. Defaults to `2`; Kong's own " +
					"default is 5, and Traefik's none.",
				Optional:   true,
				Validators: []validator.Int64{int64validator.Between(0, maxRetries)},
			},
			"tls":      tlsAttribute(),
			"intact":   object.IntactAttribute("upstream"),
			"timeouts": tf.Timeouts(ctx, object.Limits),
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
				Default:             int64default.StaticInt64(gateway.DefaultWeight),
				Validators:          []validator.Int64{int64validator.Between(0, maxWeight)},
			},
		}},
	}
}

func timeoutAttribute(description string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		CustomType:          tf.DurationType(),
		Optional:            true,
		Validators:          []validator.String{object.Between(time.Millisecond, longestTimeout)},
		PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
	}
}

func tlsAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "How members are recognised where `protocol` is `https` or `tls`. By default their certificates are verified by the gateway's own authorities.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"verify": schema.BoolAttribute{
				MarkdownDescription: "Whether the members' certificates are verified. Defaults to `true`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"server_name": schema.StringAttribute{
				MarkdownDescription: "Name that members are asked for and must have in their certificates; on Traefik only. Defaults to the member's host.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(hostPattern, "must be a host name in lower case")},
			},
			"ca": schema.StringAttribute{
				MarkdownDescription: "Certificates of the authorities that members' certificates are verified against, in PEM. Defaults to those that the gateway trusts. " +
					"In Kong they stand in its `ca_certificates`, each once, as long as an upstream names them; its active checks do not verify then.",
				Optional:      true,
				Validators:    []validator.String{certificateValidator{}},
				PlanModifiers: []planmodifier.String{keepSame{}},
			},
		},
	}
}
