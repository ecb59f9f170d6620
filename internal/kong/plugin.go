package kong

import (
	"context"
	"fmt"
	"net/http"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// pluginRow is a Kong plugin. Its instance name is the name that it has here.
type pluginRow struct {
	ID           string         `json:"id,omitempty"`
	InstanceName *string        `json:"instance_name,omitempty"`
	Name         string         `json:"name"`
	Enabled      *bool          `json:"enabled,omitempty"`
	Service      *reference     `json:"service"`
	Route        *reference     `json:"route"`
	Consumer     *reference     `json:"consumer"`
	Config       map[string]any `json:"config"`
	Protocols    []string       `json:"protocols,omitempty"`
	Tags         []*string      `json:"tags"`
}

// reference points to a row of another collection: by id in what Kong answers, by name in what is sent.
type reference struct {
	ID       string `json:"id,omitempty"`
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"`
}

func byName(name string) *reference {
	if name == "" {
		return nil
	}

	return &reference{Name: name}
}

// PutPlugin creates or replaces a plugin in one request, keeping tags and protocols that others have set.
func (e *Engine) PutPlugin(ctx context.Context, plugin gateway.Plugin) error {
	current, err := get[pluginRow](ctx, e, at("plugins", plugin.Name))
	if err != nil {
		return err
	}

	wanted := pluginRow{
		Name: plugin.Type, Enabled: new(!plugin.Disabled), Config: settingsOf(plugin),
		Service: byName(plugin.Upstream), Route: byName(plugin.Route), Tags: withRecord(nil, plugin.Record),
	}
	if plugin.Consumer != "" {
		wanted.Consumer = &reference{Username: plugin.Consumer}
	}
	if current != nil {
		if err := refuseForeign("plugin", plugin.Record, current.Tags); err != nil {
			return err
		}
		wanted.Tags = withRecord(current.Tags, plugin.Record)
		if current.Name == plugin.Type {
			wanted.Protocols = current.Protocols
		}
	}

	_, err = e.plugins.write(ctx, http.MethodPut, at("plugins", plugin.Name), wanted)

	return e.explainPlugin(plugin, err)
}

// settingsOf are a plugin's settings; Kong takes none for a mistake if they are null.
func settingsOf(plugin gateway.Plugin) map[string]any {
	if plugin.Config == nil {
		return map[string]any{}
	}

	return plugin.Config
}

// explainPlugin words what Kong has against a plugin, without the values that its own words may hold.
func (e *Engine) explainPlugin(plugin gateway.Plugin, err error) error {
	switch {
	case err == nil:
		return nil
	case hasCode(err, codeUnique):
		return fmt.Errorf("Kong has a %s plugin for the same upstream, route and consumer already, and would run one of them only. "+
			"Import that one after giving it a name (PATCH /plugins/<id> with instance_name), remove it, or choose another upstream, route or consumer", plugin.Type)
	case hasCode(err, codeUnresolved):
		return fmt.Errorf("the gateway has no %s. Create it first; a reference to the resource tells Terraform the order", scopeOf(plugin))
	case hasCode(err, codeSchema):
		return gateway.Refusal("Kong", violations(err, nil))
	default:
		return fmt.Errorf("put Kong plugin %q: %w", plugin.Name, err)
	}
}

func scopeOf(plugin gateway.Plugin) string {
	text := ""
	for _, part := range [][2]string{{"upstream", plugin.Upstream}, {"route", plugin.Route}, {"consumer", plugin.Consumer}} {
		if part[1] != "" && text != "" {
			text += " or no "
		}
		if part[1] != "" {
			text += fmt.Sprintf("%s %q", part[0], part[1])
		}
	}

	return text
}

// Plugin reads a plugin.
func (e *Engine) Plugin(ctx context.Context, name string) (gateway.Plugin, error) {
	row, err := e.plugins.one(ctx, func(row *pluginRow) bool { return is(row.InstanceName, name) })
	if err != nil {
		return gateway.Plugin{}, err
	}
	if row == nil {
		return gateway.Plugin{}, fmt.Errorf("plugin %q in Kong: %w", name, gateway.ErrNotFound)
	}

	return e.pluginOf(ctx, row)
}

// Plugins reads all plugins that have a name.
func (e *Engine) Plugins(ctx context.Context) ([]gateway.Plugin, error) {
	rows, err := e.plugins.find(ctx, func(row *pluginRow) bool { return row.InstanceName != nil })

	return inOrder(rows, err, func(row *pluginRow) (gateway.Plugin, error) { return e.pluginOf(ctx, row) },
		func(plugin gateway.Plugin) string { return plugin.Name })
}

func (e *Engine) pluginOf(ctx context.Context, row *pluginRow) (plugin gateway.Plugin, err error) {
	plugin = gateway.Plugin{
		Record: recordOf(or(row.InstanceName, ""), row.Tags),
		Type:   row.Name, Config: row.Config, Disabled: !or(row.Enabled, true),
	}

	if row.Service != nil {
		service, err := e.reader().service(ctx, row.Service.ID)
		if err != nil {
			return plugin, err
		}
		if service != nil {
			plugin.Upstream = or(service.Name, row.Service.ID)
		}
	}
	if row.Route != nil {
		route, err := e.reader().route(ctx, row.Route.ID)
		if err != nil {
			return plugin, err
		}
		if route != nil {
			plugin.Route = or(route.Name, row.Route.ID)
		}
	}
	if row.Consumer != nil {
		consumer, err := e.consumers.one(ctx, func(consumer *consumerRow) bool { return consumer.ID == row.Consumer.ID })
		if err != nil {
			return plugin, err
		}
		if consumer != nil {
			plugin.Consumer = or(consumer.Username, consumer.ID)
		}
	}

	return plugin, nil
}

// DeletePlugin removes a plugin.
func (e *Engine) DeletePlugin(ctx context.Context, of gateway.Record) error {
	current, err := get[pluginRow](ctx, e, at("plugins", of.Name))
	if err != nil || current == nil {
		return err
	}
	if err := refuseForeign("plugin", of, current.Tags); err != nil {
		return err
	}

	if err := e.plugins.remove(ctx, "/plugins", current.ID); err != nil {
		return fmt.Errorf("delete Kong plugin %q: %w", of.Name, err)
	}

	return nil
}
