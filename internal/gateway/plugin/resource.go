// Package plugin is the gateway_plugin resource type.
package plugin

import (
	"context"
	"errors"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const thing = "gateway plugin"

// New makes the resource type.
func New() resource.Resource { return object.New[model](kind()) }

// NewList makes the list of the gateway's plugins.
func NewList() list.ListResource { return object.NewList[model](kind()) }

func kind() object.Kind[described] {
	return object.Kind[described]{
		Type: "gateway_plugin", Thing: thing, Schema: pluginSchema,
		Put: func(ctx context.Context, engine gateway.Engine, value described) error {
			return engine.PutPlugin(ctx, value.Plugin)
		},
		Get: func(ctx context.Context, engine gateway.Engine, name string) (described, error) {
			plugin, err := engine.Plugin(ctx, name)

			return describe(engine, plugin), err
		},
		List: func(ctx context.Context, engine gateway.Engine) ([]described, error) {
			plugins, err := engine.Plugins(ctx)

			values := make([]described, 0, len(plugins))
			for _, plugin := range plugins {
				values = append(values, describe(engine, plugin))
			}

			return values, err
		},
		Delete: func(ctx context.Context, engine gateway.Engine, of gateway.Record) error {
			return engine.DeletePlugin(ctx, of)
		},
		Record: func(value *described) *gateway.Record { return &value.Record },
		Same:   same,
		Plan:   plan,
	}
}

func describe(engine gateway.Engine, plugin gateway.Plugin) described {
	return described{plugin, func(ctx context.Context) map[string]gateway.Setting {
		settings, err := engine.PluginSettings(ctx, plugin.Type)
		if err != nil {
			return nil // the defaults are not known, and stand in the state as if they had been declared
		}

		return settings
	}}
}

// same compares what was declared with what there is.
func same(existing, wanted described) bool {
	return existing.Type == wanted.Type && existing.Upstream == wanted.Upstream && existing.Route == wanted.Route &&
		existing.Consumer == wanted.Consumer && existing.Disabled == wanted.Disabled && holds(any(wanted.Config), any(existing.Config))
}

// plan keeps the state's notation of a configuration that the gateway has already, and has the gateway check a new one.
func plan(ctx context.Context, engine gateway.Engine, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var declared, secret types.Dynamic
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("config"), &declared)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("config_wo"), &secret)...)

	if resp.Diagnostics.HasError() {
		return
	}

	if !req.State.Raw.IsNull() {
		keep(ctx, engine, declared, req, resp)
	}

	if !resp.Plan.Raw.Equal(req.State.Raw) { // what stays as it is was judged before
		check(ctx, engine, declared, secret, req, resp)
	}
}

// keep plans no change for settings that an import did not know to be declared, as long as the gateway has them so.
func keep(ctx context.Context, engine gateway.Engine, declared types.Dynamic, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var stored types.Dynamic
	var name types.String
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("config"), &stored)...)
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("name"), &name)...)

	if stored.Equal(declared) || stored.IsNull() || declared.IsNull() || resp.Diagnostics.HasError() {
		return
	}

	wanted, complete := plain(declared)
	had, _ := plain(stored)
	if !complete || !covers(wanted, had) {
		return
	}

	if plugin, err := engine.Plugin(ctx, name.ValueString()); err == nil && holds(wanted, any(plugin.Config)) {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("config"), stored)...)
	}
}

// check has the gateway judge the plugin by its own schema. One that cannot be reached judges when it is applied.
func check(ctx context.Context, engine gateway.Engine, declared, secret types.Dynamic, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var name, kind, upstream, route, consumer types.String
	for attribute, into := range map[string]*types.String{"name": &name, "type": &kind, "upstream": &upstream, "route": &route, "consumer": &consumer} {
		resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root(attribute), into)...)
	}

	if resp.Diagnostics.HasError() || kind.IsUnknown() {
		return
	}

	open, known := plain(declared)
	hidden, alsoKnown := plain(secret)
	config, _ := merge(open, hidden).(map[string]any)

	found, err := engine.CheckPlugin(ctx, gateway.Plugin{
		Record: gateway.Record{Name: name.ValueString()}, Type: kind.ValueString(), Config: config,
		Upstream: upstream.ValueString(), Route: route.ValueString(), Consumer: consumer.ValueString(),
	}, known && alsoKnown)

	if err != nil && !errors.Is(err, gateway.ErrAway) {
		resp.Diagnostics.Append(tf.Failed("plan", thing, name.ValueString(), err))
	}

	for _, refused := range found {
		root, inside, _ := strings.Cut(refused.Attribute, ".")
		reason := refused.Reason

		if root == "config" && inside != "" {
			if names(hidden, strings.Split(inside, ".")) {
				root, reason = "config_wo", "The gateway does not take this secret setting, whose value is not repeated here." // nor are words about it
			}

			reason = "Setting " + inside + ": " + reason
		}

		resp.Diagnostics.Append(tf.FailedAt(path.Root(root), "plan", thing, name.ValueString(), errors.New(reason)))
	}
}

// names says whether settings name one by its path.
func names(settings any, at []string) bool {
	for _, name := range at {
		inside, isMap := settings.(map[string]any)
		if !isMap {
			return settings != nil
		}
		if settings = inside[name]; settings == nil {
			return false
		}
	}

	return true
}
