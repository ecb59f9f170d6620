package route

import (
	"regexp"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	maxHosts = 100

	// maxPaths keeps a route within one transaction of Consul even if each path needs a router of its own.
	maxPaths   = 16
	longestDNS = 253
	longest    = 1024 // characters of a path
)

// hostPattern is a host name as RFC 1123 writes it, in lower case: engines compare without case and answer in lower.
var hostPattern = regexp.MustCompile(`^[0-9a-z]([0-9a-z-]*[0-9a-z])?(\.[0-9a-z]([0-9a-z-]*[0-9a-z])?)*$`)

func routeSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Which requests the gateway sends to an upstream: those for one of `hosts` and with one of `paths`. Of several " +
			"routes that match, one with hosts goes before one without, and then the one with the longer path.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "The route's name.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the route, unique in the gateway; changing it replaces the route.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(gateway.NamePattern, gateway.NameRule), stringvalidator.LengthAtMost(gateway.MaxName)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"hosts": schema.SetAttribute{
				MarkdownDescription: "Host names that requests are for, in lower case and without a port. Defaults to every host; at least one of `hosts` and `paths` is needed.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators: []validator.Set{
					setvalidator.AtLeastOneOf(path.MatchRoot("hosts"), path.MatchRoot("paths")),
					setvalidator.SizeBetween(1, maxHosts),
					setvalidator.ValueStringsAre(
						stringvalidator.RegexMatches(hostPattern, "must be a host name in lower case, such as shop.example.com"),
						stringvalidator.LengthAtMost(longestDNS),
					),
				},
			},
			"paths": schema.SetAttribute{
				MarkdownDescription: "Beginnings of the requests' paths, each beginning with `/`. The path is passed on unchanged. Defaults to every path.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators: []validator.Set{
					setvalidator.SizeBetween(1, maxPaths),
					setvalidator.ValueStringsAre(pathValidator{}, stringvalidator.LengthAtMost(longest)),
				},
			},
			"upstream": schema.StringAttribute{
				MarkdownDescription: "Name of the upstream that receives the requests.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(gateway.NamePattern, gateway.NameRule), stringvalidator.LengthAtMost(gateway.MaxName)},
			},
		},
	}
}
