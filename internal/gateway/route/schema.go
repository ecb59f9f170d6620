package route

import (
	"context"
	"regexp"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	maxHosts = 100

	// maxPaths is beyond what a single route is for; Traefik's own bound may be lower (CheckRoute).
	maxPaths    = 100
	maxHeaders  = 15
	maxValues   = 20
	maxPriority = 1000
	longestDNS  = 253
	longest     = 1024 // characters of a path
)

var (
	// hostPattern is a host name as RFC 1123 writes it, in lower case: engines compare without case and answer in lower.
	hostPattern = regexp.MustCompile(`^[0-9a-z]([0-9a-z-]*[0-9a-z])?(\.[0-9a-z]([0-9a-z-]*[0-9a-z])?)*$`)
	// allBelowPattern is such a name, or all names below one.
	allBelowPattern = regexp.MustCompile(`^(\*\.)?[0-9a-z]([0-9a-z-]*[0-9a-z])?(\.[0-9a-z]([0-9a-z-]*[0-9a-z])?)*$`)
	// headerPattern is the name of a header (RFC 9110, section 5.6.2), as far as both engines give it back unchanged.
	headerPattern = regexp.MustCompile("^[0-9A-Za-z][0-9A-Za-z_-]*$")
	// valuePattern has the values of headers without what Kong takes for a regular expression.
	valuePattern  = regexp.MustCompile(`^([\x21-\x7d]|~[^*])([\x20-\x7e]*[\x21-\x7e])?$`)
	methodPattern = regexp.MustCompile(`^[A-Z]+$`)
)

func routeSchema(ctx context.Context) schema.Schema {
	attributes := map[string]schema.Attribute{
		"id":       object.IDAttribute("route"),
		"name":     object.NameAttribute("route", ""),
		"intact":   object.IntactAttribute("route"),
		"timeouts": tf.Timeouts(ctx, object.Limits),
		"protocol": schema.StringAttribute{
			MarkdownDescription: "Which traffic the route is for: `http` for requests, encrypted or not as the gateway listens; `https` for encrypted ones " +
				"only; `tcp`, `tls` (which the gateway decrypts) or `tls_passthrough` for connections. Defaults to `http`.",
			Optional:   true,
			Computed:   true,
			Default:    stringdefault.StaticString(gateway.HTTP),
			Validators: []validator.String{stringvalidator.OneOf(gateway.HTTP, gateway.HTTPS, gateway.TCP, gateway.TLS, gateway.TLSPassthrough)},
		},
		"priority": schema.Int64Attribute{
			MarkdownDescription: "Goes before everything else when several routes match: the highest wins, from 0 to 1000; on Traefik only. Defaults to `0`.",
			Optional:            true,
			Computed:            true,
			Default:             int64default.StaticInt64(0),
			Validators:          []validator.Int64{int64validator.Between(0, maxPriority)},
		},
		"strip_path":     switchAttribute("Whether what matched of `paths` is removed before a request is passed on.", false),
		"preserve_host":  switchAttribute("Whether a request's Host header is passed on; `false`, with the member's name instead, on Kong only.", true),
		"redirect_https": switchAttribute("Whether unencrypted requests are answered with the encrypted address, where `protocol` is `https`.", false),
		"upstream": schema.StringAttribute{
			MarkdownDescription: "Name of the upstream that receives the traffic.",
			Required:            true,
			Validators:          object.NameValidators(),
		},
		"wait_until_routed": waitAttribute(),
	}

	addMatchers(attributes)

	return schema.Schema{
		MarkdownDescription: "Which traffic the gateway sends to an upstream: what has one of the values of each attribute that is set, of `hosts`, `methods`, " +
			"`headers` and so on; the three kinds of paths count as one. Of several routes that match, one with more kinds of conditions goes first, then " +
			"one with more headers, one with hosts that are whole names, one with exact paths or patterns, and then the longer path.",
		Attributes: attributes,
	}
}

// addMatchers adds what traffic is told by.
func addMatchers(attributes map[string]schema.Attribute) {
	var matchers []path.Expression
	for _, name := range []string{"hosts", "paths", "exact_paths", "path_patterns", "methods", "headers", "snis", "ports"} {
		matchers = append(matchers, path.MatchRoot(name))
	}

	host := []validator.String{
		stringvalidator.RegexMatches(hostPattern, "must be a host name in lower case, such as shop.example.com"),
		stringvalidator.LengthAtMost(longestDNS),
	}

	hosts := []validator.String{
		stringvalidator.RegexMatches(allBelowPattern, "must be a host name in lower case, such as shop.example.com, or *.example.com for all below"),
		stringvalidator.LengthAtMost(longestDNS),
	}

	attributes["hosts"] = textsAttribute("Host names that requests are for, in lower case and without a port, or `*.example.com` for all hosts below one; whole names "+
		"go first. Defaults to every host; at least one of the attributes that tell traffic is needed.", maxHosts, hosts, setvalidator.AtLeastOneOf(matchers...))
	attributes["paths"] = textsAttribute("Beginnings of the requests' paths, each beginning with `/`. Defaults to every path.", maxPaths, pathValidators())
	attributes["exact_paths"] = textsAttribute("Whole paths of requests, each beginning with `/`.", maxPaths, pathValidators())
	attributes["path_patterns"] = textsAttribute("Regular expressions for the beginning of the requests' paths, each beginning with `/`, such as `/v[0-9]+/`; "+
		"with `$` at the end, for whole paths. Both RE2 (Traefik) and PCRE (Kong) must understand them.", maxPaths,
		[]validator.String{patternValidator{}, stringvalidator.LengthAtMost(longest)})
	attributes["methods"] = textsAttribute("Methods of requests, such as `GET`. Defaults to every method.", maxValues,
		[]validator.String{stringvalidator.RegexMatches(methodPattern, "must be a method in capitals, such as GET")})
	attributes["snis"] = textsAttribute("Server names that TLS connections ask for, in lower case; for requests on Kong only. Defaults to every name.", maxHosts, host)
	attributes["headers"] = schema.MapAttribute{
		MarkdownDescription: "Headers that requests have, by name, each with one of the given values, whatever their case.",
		ElementType:         types.SetType{ElemType: types.StringType},
		Optional:            true,
		Validators: []validator.Map{
			mapvalidator.SizeBetween(1, maxHeaders),
			mapvalidator.KeysAre(
				stringvalidator.RegexMatches(headerPattern, "must be the name of a header, of letters, digits, '-' and '_'"),
				stringvalidator.NoneOfCaseInsensitive("host"),
			),
			mapvalidator.ValueSetsAre(setvalidator.SizeBetween(1, maxValues), setvalidator.ValueStringsAre(
				stringvalidator.RegexMatches(valuePattern, "must be printable ASCII without spaces around it, and not begin with '~*'"),
				stringvalidator.LengthAtMost(longest),
			)),
		},
	}
	attributes["ports"] = schema.SetAttribute{
		MarkdownDescription: "Ports of the gateway on which TCP and TLS connections come in. On Traefik, `gateway.traefik.ports` in the provider block names the " +
			"entry point of each.",
		ElementType: types.Int64Type,
		Optional:    true,
		Validators:  []validator.Set{setvalidator.SizeBetween(1, maxValues), setvalidator.ValueInt64sAre(int64validator.Between(1, 65535))},
	}
}

func pathValidators() []validator.String {
	return []validator.String{pathValidator{}, stringvalidator.LengthAtMost(longest)}
}

func textsAttribute(description string, most int, each []validator.String, more ...validator.Set) schema.SetAttribute {
	return schema.SetAttribute{
		MarkdownDescription: description,
		ElementType:         types.StringType,
		Optional:            true,
		Validators:          append([]validator.Set{setvalidator.SizeBetween(1, most), setvalidator.ValueStringsAre(each...)}, more...),
	}
}

func switchAttribute(description string, standard bool) schema.BoolAttribute {
	return schema.BoolAttribute{
		MarkdownDescription: description + map[bool]string{true: " Defaults to `true`.", false: " Defaults to `false`."}[standard],
		Optional:            true,
		Computed:            true,
		Default:             booldefault.StaticBool(standard),
	}
}

func waitAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Asks the gateway's proxy itself after each change, until it serves the route: a change reaches Kong's proxies after some 5 s, and " +
			"Traefik's after `providersThrottleDuration` (2 s). Defaults to not waiting.",
		Optional: true,
		Attributes: map[string]schema.Attribute{
			"url": schema.StringAttribute{
				MarkdownDescription: "Address and path at the proxy that are asked for, such as `http://10.0.0.100:8000/health`.",
				Required:            true,
				Validators:          []validator.String{urlValidator{}},
			},
			"host": schema.StringAttribute{
				MarkdownDescription: "Host that the request is for. Defaults to the first of `hosts`, with `any` for a `*`.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(hostPattern, "must be a host name in lower case, such as shop.example.com")},
			},
			"status": schema.Int64Attribute{
				MarkdownDescription: "Status that counts as served. Defaults to any but 404, 502, 503 and 504, which gateways give by themselves.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(100, 599)},
			},
		},
	}
}
