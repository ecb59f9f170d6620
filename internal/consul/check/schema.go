// Package check is the attribute checks, which services and nodes of Consul have alike.
package check

import (
	"regexp"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	defaultInterval = 10 * time.Second
	defaultTimeout  = 2 * time.Second

	// Consul's agent silently raises anything less to these (agent/checks MinInterval; check_deregister_interval_min),
	// and would then run another definition than the one that it shows.
	leastInterval        = time.Second
	leastDeregisterAfter = time.Minute

	maxChecks = 64 // so that a registration fits into one transaction
)

var checkName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// Attribute is the attribute checks, with the description of what they do to whom.
func Attribute(description string) schema.MapNestedAttribute {
	check := schema.NestedAttributeObject{Attributes: attributes()}

	return schema.MapNestedAttribute{
		MarkdownDescription: description + " By names of your own; each has exactly one kind. None by default.",
		Optional:            true,
		Computed:            true,
		Default:             mapdefault.StaticValue(types.MapValueMust(check.Type(), nil)),
		Validators: []validator.Map{
			mapvalidator.SizeAtMost(maxChecks),
			mapvalidator.KeysAre(stringvalidator.RegexMatches(checkName, "must have lower-case letters, digits, dashes and underscores only")),
		},
		NestedObject: check,
	}
}

func attributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"http":    text("URL that must answer with a status of 200 to 299. Everybody who may read the service sees it, so it must not hold a password.", webAddress{}),
		"request": requestAttribute(),
		"tcp":     text("Host and port that must accept a connection, such as `10.0.0.101:80`; with `tls`, a TLS handshake too.", hostAndPort{}),
		"udp":     text("Host and port that must not refuse a datagram.", hostAndPort{}),
		"grpc":    text("Host and port, and maybe a service after a slash, that must be serving as gRPC's health protocol says, such as `10.0.0.101:9000/shop`.", hostAndPort{service: true}),
		"h2ping":  text("Host and port that must answer a ping of HTTP/2; with `tls`, over TLS.", hostAndPort{}),
		"ttl": schema.StringAttribute{
			MarkdownDescription: "How long a report of the application itself holds (`PUT /v1/agent/check/pass/...`), at least `1s`; then the check is critical.",
			CustomType:          tf.DurationType(),
			Optional:            true,
			Validators:          []validator.String{AtLeast(leastInterval)},
			PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
		},
		"script": schema.ListAttribute{
			MarkdownDescription: "Program and arguments that the agent runs: 0 is passing, 1 warning, anything else critical. The agent must have `enable_script_checks`. With `docker`, it runs in the container.",
			ElementType:         types.StringType,
			Optional:            true,
			Validators:          []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
		},
		"docker":     dockerAttribute(),
		"os_service": text("Service of Windows that must run, for an agent on Windows; others refuse it.", stringvalidator.LengthAtLeast(1)),
		"alias":      aliasAttribute(),
		"tls":        tlsAttribute(),
		"thresholds": thresholdsAttribute(),
		"interval":   durationAttribute("Time between two runs, at least `1s`.", defaultInterval, leastInterval),
		"timeout":    durationAttribute("How long a run may take before it fails.", defaultTimeout, time.Millisecond),
		"status": schema.StringAttribute{
			MarkdownDescription: "Status before the first run: `passing`, `warning` or `critical`. With `passing` the instance is in DNS at once. Defaults to `critical`.",
			Optional:            true,
			Computed:            true,
			Default:             stringdefault.StaticString("critical"),
			Validators:          []validator.String{stringvalidator.OneOf("passing", "warning", "critical")},
		},
		"deregister_critical_service_after": schema.StringAttribute{
			MarkdownDescription: "How long the check may be critical before Consul deregisters the instance, at least `1m`. The next plan would register it again. Never by default.",
			CustomType:          tf.DurationType(),
			Optional:            true,
			Validators:          []validator.String{AtLeast(leastDeregisterAfter)},
			PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
		},
	}
}

func text(description string, valid validator.String) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Optional: true, Validators: []validator.String{valid}}
}

func requestAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "What the request of an `http` check is, beyond its URL.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"method": text("Method. `GET` by default.", stringvalidator.RegexMatches(regexp.MustCompile(`^[A-Z]+$`), "must be a method of HTTP in capitals, such as HEAD")),
			"headers": schema.MapAttribute{
				MarkdownDescription: "Headers. Everybody who may read the service sees them, so those that carry secrets, such as `Authorization`, are refused.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators:          []validator.Map{mapvalidator.SizeAtLeast(1), mapvalidator.KeysAre(publicHeader{})},
			},
			"body": text("Body.", stringvalidator.LengthAtLeast(1)),
			"disable_redirects": schema.BoolAttribute{
				MarkdownDescription: "Whether an answer that redirects counts by itself and is not followed. Through an agent only. Defaults to `false`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
		},
	}
}

func dockerAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Container on the agent's machine that `script` runs in.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"container": schema.StringAttribute{
				MarkdownDescription: "Id or name of the container.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"shell": text("Shell in the container. `/bin/sh` by default.", stringvalidator.LengthAtLeast(1)),
		},
	}
}

func aliasAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Another instance, or a node, whose health this check repeats.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"service": text("Id of the instance.", stringvalidator.LengthAtLeast(1)),
			"node":    text("Node of the instance, or the node itself. The agent's own by default.", stringvalidator.LengthAtLeast(1)),
		},
	}
}

func tlsAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "How TLS is checked, of an `http` check whose URL begins with `https://`. `tcp`, `grpc` and `h2ping` use TLS only with it; `{}` is enough.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"skip_verify": schema.BoolAttribute{
				MarkdownDescription: "Whether any certificate will do. Defaults to `false`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
			"server_name": text("Name that the certificate must have, if it is not the target's.", stringvalidator.LengthAtLeast(1)),
		},
	}
}

func thresholdsAttribute() schema.Attribute {
	count := func(description string) schema.Attribute {
		return schema.Int64Attribute{
			MarkdownDescription: description + " Defaults to `0`: the first run counts.",
			Optional:            true,
			Computed:            true,
			Default:             int64default.StaticInt64(0),
			Validators:          []validator.Int64{int64validator.Between(0, 1000)},
		}
	}

	return schema.SingleNestedAttribute{
		MarkdownDescription: "How many runs in a row it takes to change the status. Through an agent only.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"passing":  count("Successes before it passes."),
			"warning":  count("Failures before it warns. At most `critical`."),
			"critical": count("Failures before it is critical."),
		},
	}
}

func durationAttribute(description string, preset, least time.Duration) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description + " Defaults to `" + preset.String() + "`; not for `ttl` and `alias`, which are not run.",
		CustomType:          tf.DurationType(),
		Optional:            true,
		Computed:            true,
		Validators:          []validator.String{AtLeast(least)},
		PlanModifiers:       []planmodifier.String{presetIfRun(preset), tf.KeepEqual{}},
	}
}
