package service

import (
	"regexp"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
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

var (
	dnsLabel  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	plainName = regexp.MustCompile(`^[^/\s]+$`)
	checkName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
	metaKey   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
)

func serviceSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "An instance of a service in Consul: registered through the agent at the provider's Consul address, " +
			"which then runs its checks, or, with `node`, in the catalog on a node that runs no agent. " +
			"Consul's DNS answers with the instances that pass their checks. Their health is observed, never planned: an instance that fails is not a change.",
		Attributes: map[string]schema.Attribute{
			"name":    nameAttribute(),
			"id":      idAttribute(),
			"node":    nodeAttribute(),
			"address": addressAttribute(),
			"port": schema.Int64Attribute{
				MarkdownDescription: "Port of the instance. Leave it out if the service has none.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(1, 65535)},
			},
			"tags": schema.SetAttribute{
				MarkdownDescription: "Tags of the instance. Their order means nothing. None by default.",
				ElementType:         types.StringType,
				Optional:            true,
				Computed:            true,
				Default:             setdefault.StaticValue(types.SetValueMust(types.StringType, nil)),
				Validators:          []validator.Set{setvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
			},
			"meta": schema.MapAttribute{
				MarkdownDescription: "Meta data of the instance: at most 64 entries, with keys of at most 128 letters, digits, `-` and `_`, and values of at most 512 characters. None by default.",
				ElementType:         types.StringType,
				Optional:            true,
				Computed:            true,
				Default:             mapdefault.StaticValue(types.MapValueMust(types.StringType, nil)),
				Validators: []validator.Map{
					mapvalidator.SizeAtMost(64),
					mapvalidator.KeysAre(stringvalidator.RegexMatches(metaKey, "must have at most 128 letters, digits, dashes and underscores")),
					mapvalidator.ValueStringsAre(stringvalidator.UTF8LengthAtMost(512)),
				},
			},
			"checks": checksAttribute(),
			"wait_for_passing": schema.StringAttribute{
				MarkdownDescription: "How long the creation waits for the instance to pass all its checks, such as `30s`. It fails if the time is over. " +
					"Only through an agent, and only with `checks`. Does not wait by default.",
				CustomType:    tf.DurationType(),
				Optional:      true,
				Validators:    []validator.String{atLeast(time.Millisecond)},
				PlanModifiers: []planmodifier.String{tf.KeepEqual{}},
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
		MarkdownDescription: "Node of the catalog to register the instance on. It is made, with the meta data that makes `consul-esm` run the checks, if it does not exist, " +
			"and removed with its last service. It must not run a Consul agent, which would remove the registration. " +
			"Defaults to a registration through the agent at the provider's Consul address. A change replaces the instance.",
		Optional:      true,
		Validators:    []validator.String{stringvalidator.RegexMatches(plainName, "must not be empty and must have neither slashes nor spaces")},
		PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
}

func addressAttribute() schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: "Address of the instance, which Consul's DNS answers with. Required with `node`; defaults to the agent's address otherwise.",
		Optional:            true,
		Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
	}
}

func checksAttribute() schema.MapNestedAttribute {
	check := schema.NestedAttributeObject{Attributes: checkAttributes()}

	return schema.MapNestedAttribute{
		MarkdownDescription: "Health checks of the instance, by names of your own. It is in Consul's DNS unless one of them is critical. None by default.",
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

func checkAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"http": schema.StringAttribute{
			MarkdownDescription: "URL that must answer with a status of 200 to 299. Exactly one of `http` and `tcp` is given. Everybody who may read the service sees it, so it must not hold a password.",
			Optional:            true,
			Validators:          []validator.String{webAddress{}},
		},
		"tcp": schema.StringAttribute{
			MarkdownDescription: "Host and port that must accept a connection, such as `10.0.0.101:80`.",
			Optional:            true,
			Validators:          []validator.String{hostAndPort{}},
		},
		"interval": durationAttribute("Time between two runs, at least `1s`.", defaultInterval, leastInterval),
		"timeout":  durationAttribute("How long a run may take before it fails.", defaultTimeout, time.Millisecond),
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
			Validators:          []validator.String{atLeast(leastDeregisterAfter)},
			PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
		},
	}
}

func durationAttribute(description string, preset, least time.Duration) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description + " Defaults to `" + preset.String() + "`.",
		CustomType:          tf.DurationType(),
		Optional:            true,
		Computed:            true,
		Default:             stringdefault.StaticString(preset.String()),
		Validators:          []validator.String{atLeast(least)},
		PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
	}
}
