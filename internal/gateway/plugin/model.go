package plugin

import (
	"context"
	"maps"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	ID              types.String   `tfsdk:"id"`
	Name            types.String   `tfsdk:"name"`
	Type            types.String   `tfsdk:"type"`
	Upstream        types.String   `tfsdk:"upstream"`
	Route           types.String   `tfsdk:"route"`
	Consumer        types.String   `tfsdk:"consumer"`
	Enabled         types.Bool     `tfsdk:"enabled"`
	Config          types.Dynamic  `tfsdk:"config"`
	ConfigWO        types.Dynamic  `tfsdk:"config_wo"`
	ConfigWOVersion types.Int64    `tfsdk:"config_wo_version"`
	Intact          types.Bool     `tfsdk:"intact"`
	Timeouts        timeouts.Value `tfsdk:"timeouts"`

	secret any // what ConfigWO says, which neither plan nor state have
}

// described is a plugin with the way to its type's settings, which only an import looks at.
type described struct {
	gateway.Plugin

	settings func(ctx context.Context) map[string]gateway.Setting
}

// Key is the plugin's name.
func (m *model) Key() string { return m.Name.ValueString() }

// Bounds are the user's timeouts.
func (m *model) Bounds() timeouts.Value { return m.Timeouts }

// Reveal reads the write-only attribute, which is in the configuration alone.
func (m *model) Reveal(ctx context.Context, config tfsdk.Config) diag.Diagnostics {
	var secret types.Dynamic
	diags := config.GetAttribute(ctx, path.Root("config_wo"), &secret)
	m.secret, _ = plain(secret)

	return diags
}

// Value is what the model asks for.
func (m *model) Value() described {
	config, _ := plain(m.Config)
	whole, _ := merge(config, m.secret).(map[string]any)
	if whole == nil {
		whole = map[string]any{}
	}

	note := object.NewNote(m.Timeouts)
	note.Version = m.ConfigWOVersion.ValueInt64()

	return described{Plugin: gateway.Plugin{
		Record:   gateway.Record{Name: m.Name.ValueString(), Note: note.String()},
		Type:     m.Type.ValueString(),
		Upstream: m.Upstream.ValueString(),
		Route:    m.Route.ValueString(),
		Consumer: m.Consumer.ValueString(),
		Disabled: !m.Enabled.ValueBool(),
		Config:   whole,
	}}
}

// Set takes over what the gateway says.
func (m *model) Set(ctx context.Context, value described) {
	note := object.ReadNote(value.Note)
	imported := m.Type.IsNull()

	m.ID, m.Name = types.StringValue(value.Name), types.StringValue(value.Name)
	m.Type = types.StringValue(value.Type)
	m.Upstream, m.Route, m.Consumer = object.Text(value.Upstream), object.Text(value.Route), object.Text(value.Consumer)
	m.Enabled = types.BoolValue(!value.Disabled)
	m.Intact = types.BoolValue(!value.Altered)
	m.ConfigWO = types.DynamicNull()
	m.Timeouts = note.Restore(ctx, m.Timeouts)

	m.ConfigWOVersion = types.Int64Null()
	if note.Version != 0 {
		m.ConfigWOVersion = types.Int64Value(note.Version)
	}

	if imported {
		m.Config = types.DynamicNull()
		if config := significant(value.Config, value.settings(ctx)); len(config) > 0 {
			m.Config = types.DynamicValue(dynamic(ctx, config))
		}

		return
	}

	declared, _ := plain(m.Config)
	if now := shown(declared, any(value.Config)); declared != nil && !holds(declared, any(value.Config)) {
		m.Config = types.DynamicValue(dynamic(ctx, now))
	}
}

// significant is what an import takes over of a configuration: what is not the gateway's default, and no secret. Of what
// the gateway does not describe nobody knows whether it is one.
func significant(config map[string]any, settings map[string]gateway.Setting) map[string]any {
	kept := maps.Clone(config)

	maps.DeleteFunc(kept, func(name string, value any) bool {
		setting, known := settings[name]

		return !known || setting.Secret || value == nil || setting.Fields == nil && setting.Default != nil && holds(setting.Default, value) && holds(value, setting.Default)
	})

	for name, value := range kept {
		below, isMap := value.(map[string]any)
		if !isMap || settings[name].Fields == nil {
			continue
		}

		if inside := significant(below, settings[name].Fields); len(inside) > 0 {
			kept[name] = inside
		} else {
			delete(kept, name)
		}
	}

	return kept
}
