package upstream

import (
	"net/http"
	"regexp"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

const (
	defaultPath   = "/"
	defaultStatus = http.StatusOK
)

var (
	checkedPath = regexp.MustCompile(`^/[0-9A-Za-z._~!$&'()*+,;=:@/?%-]*$`)
	// tokenPattern is what names of headers and cookies are (RFC 9110, section 5.6.2).
	tokenPattern = regexp.MustCompile("^[0-9A-Za-z!#$%&'*+.^_`|~-]+$")
)

func balanceAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "How the traffic is spread over the members, beside their weights. Defaults to round robin.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"algorithm": schema.StringAttribute{
				MarkdownDescription: "`round_robin`; `least_connections`; `latency`, which prefers members that answer fast; or `consistent_hashing`, by which " +
					"requests with the same header, cookie, address or path go to the same member.",
				Required: true,
				Validators: []validator.String{
					stringvalidator.OneOf(gateway.RoundRobin, gateway.LeastConnections, gateway.ConsistentHashing, gateway.Latency),
				},
			},
			"hash_on": schema.StringAttribute{
				MarkdownDescription: "What consistent hashing is by: `header`, `cookie`, `address` (the client's) or `path`. Traefik knows `cookie` and `address` only.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.OneOf(gateway.ByHeader, gateway.ByCookie, gateway.ByAddress, gateway.ByPath)},
			},
			"hash_name": schema.StringAttribute{
				MarkdownDescription: "Name of the header or cookie that is hashed. The gateway gives the cookie to clients that have none.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(tokenPattern, "must be the name of a header or cookie")},
			},
		},
	}
}

func healthAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Asks every member by itself, and sends nothing to those that fail: by a request, or by a connection where `protocol` " +
			"is `tcp` or `tls`. Defaults to no checks; the services of Consul have their own.",
		Optional: true,
		Attributes: map[string]schema.Attribute{
			"path": schema.StringAttribute{
				MarkdownDescription: "Path that is asked for. Defaults to `/`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(defaultPath),
				Validators:          []validator.String{stringvalidator.RegexMatches(checkedPath, "must be a path such as /health")},
			},
			"status": schema.Int64Attribute{
				MarkdownDescription: "The one status that healthy members answer with. Defaults to `200`.",
				Optional:            true,
				Computed:            true,
				Default:             int64default.StaticInt64(defaultStatus),
				Validators:          []validator.Int64{int64validator.Between(200, 599)},
			},
			"interval": durationAttribute("Time between two checks of a member. Defaults to `5s`; Kong's own default is no checks, and Traefik's `30s`.", "5s"),
			"timeout":  durationAttribute("How long a check may take. Defaults to `1s`, as Kong's own does; Traefik's own is `5s`.", "1s"),
			"healthy_after": thresholdAttribute(
				"Number of answers in a row after which a member receives traffic again, from 1 to 255; on Kong only. Defaults to `1`."),
			"unhealthy_after": thresholdAttribute(
				"Number of failures in a row after which a member receives nothing more, from 1 to 255; on Kong only. Defaults to `1`."),
		},
	}
}

func passiveAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Watches the traffic itself: a member whose connections fail or that answers with a status from 500 receives nothing for " +
			"a while. Kong takes it back when `health_check` finds it healthy, Traefik after `window`. Defaults to off.",
		Optional: true,
		Attributes: map[string]schema.Attribute{
			"failures": schema.Int64Attribute{
				MarkdownDescription: "Number of failures in a row, from 1 to 255.",
				Required:            true,
				Validators:          []validator.Int64{int64validator.Between(1, 255)},
			},
			"window": schema.StringAttribute{
				MarkdownDescription: "Time within which the failures count, and for which the member then receives nothing; on Traefik only. Defaults to `10s`.",
				CustomType:          tf.DurationType(),
				Optional:            true,
				Validators:          []validator.String{object.Between(time.Millisecond, longestTimeout)},
				PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
			},
		},
	}
}

func durationAttribute(description, standard string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		CustomType:          tf.DurationType(),
		Optional:            true,
		Computed:            true,
		Default:             stringdefault.StaticString(standard),
		Validators:          []validator.String{object.Between(100*time.Millisecond, longestTimeout)},
		PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
	}
}

func thresholdAttribute(description string) schema.Int64Attribute {
	return schema.Int64Attribute{
		MarkdownDescription: description,
		Optional:            true,
		Validators:          []validator.Int64{int64validator.Between(1, 255)},
	}
}
