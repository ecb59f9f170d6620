package plugin

import (
	"context"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

const longestType = 100

func pluginSchema(ctx context.Context) schema.Schema {
	only := func(what string) schema.StringAttribute {
		return schema.StringAttribute{
			MarkdownDescription: what, Optional: true, Validators: object.NameValidators(),
		}
	}

	return schema.Schema{
		MarkdownDescription: "A plugin of Kong, or a middleware of Traefik: what happens to requests on their way, for all of them or for those to one " +
			"upstream, over one route or of one consumer. Its configuration is checked in the plan, by the gateway's own schema if it can be reached.",
		Attributes: map[string]schema.Attribute{
			"id":   object.IDAttribute("plugin"),
			"name": object.NameAttribute("plugin", "; it is Kong's `instance_name`"),
			"type": schema.StringAttribute{
				MarkdownDescription: "Type of the plugin in the gateway's words: `rate-limiting` in Kong, `rateLimit` in Traefik; changing it replaces the plugin.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.LengthBetween(1, longestType)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"upstream": only("Name of the upstream whose requests the plugin is for. Defaults to all upstreams."),
			"route":    only("Name of the route whose requests the plugin is for. Defaults to all routes."),
			"consumer": schema.StringAttribute{
				MarkdownDescription: "Name of the consumer whose requests the plugin is for, on Kong. Defaults to all consumers.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"enabled": schema.BoolAttribute{
				MarkdownDescription: "Whether the plugin takes effect. Defaults to `true`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"config": schema.DynamicAttribute{
				MarkdownDescription: "Settings by the names that the gateway has for them. What is left out keeps the gateway's default and is never a change.",
				Optional:            true,
				Validators:          []validator.Dynamic{settingsValidator{}},
			},
			"config_wo": schema.DynamicAttribute{
				MarkdownDescription: "Further settings that are secret; they are laid over `config` and are in no plan and no state. Needs `config_wo_version`.",
				Optional:            true,
				WriteOnly:           true,
				Validators:          []validator.Dynamic{settingsValidator{}, withVersion{}},
			},
			"config_wo_version": schema.Int64Attribute{
				MarkdownDescription: "Number of the secret settings, from 1; raise it when `config_wo` changes, so that they are written anew.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(1), int64validator.AlsoRequires(path.MatchRoot("config_wo"))},
			},
			"intact":   object.IntactAttribute("plugin"),
			"timeouts": timeouts.AttributesAll(ctx),
		},
	}
}

// settingsValidator accepts settings in braces, and no single value.
type settingsValidator struct{}

func (settingsValidator) Description(context.Context) string { return "must be settings in braces" }

func (v settingsValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (settingsValidator) ValidateDynamic(_ context.Context, req validator.DynamicRequest, resp *validator.DynamicResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() || req.ConfigValue.IsUnderlyingValueUnknown() {
		return
	}

	if value, _ := plain(req.ConfigValue); !isSettings(value) {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed settings",
			fmt.Sprintf("The value of %s is not settings by name. Write them in braces, such as { minute = 60 }.", req.Path))
	}
}

func isSettings(value any) bool {
	_, ok := value.(map[string]any)

	return ok || value == nil
}

// withVersion wants a version beside a secret: without one, a new secret would never be written.
type withVersion struct{}

func (withVersion) Description(context.Context) string { return "needs config_wo_version" }

func (v withVersion) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (withVersion) ValidateDynamic(ctx context.Context, req validator.DynamicRequest, resp *validator.DynamicResponse) {
	resp.Diagnostics.Append(object.RequireVersion(ctx, req.Config, req.Path, path.Root("config_wo_version"), req.ConfigValue)...)
}
