package kong

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/google/uuid"
)

// broken are rules between fields in Kong's answers. They are told only of a whole configuration.
const broken = "@entity"

// missingField is Kong's word for what must be there and is not.
const missingField = "required field missing"

// CheckPlugin has Kong check the plugin by its own schema; nothing is stored.
func (e *Engine) CheckPlugin(ctx context.Context, plugin gateway.Plugin, complete bool) ([]gateway.Unsupported, error) {
	if err := e.supported(ctx); err != nil {
		return nil, err
	}

	some := func(name string) *reference {
		if name == "" {
			return nil
		}

		return &reference{ID: uuid.Nil.String()} // Kong looks no further than at whether there is one
	}
	asked := pluginRow{
		Name: plugin.Type, InstanceName: &plugin.Name, Config: settingsOf(plugin),
		Service: some(plugin.Upstream), Route: some(plugin.Route), Consumer: some(plugin.Consumer),
	}

	err := e.send(ctx, http.MethodPost, "/schemas/plugins/validate", asked, nil)
	if !hasCode(err, codeSchema) {
		return nil, err
	}

	return slices.DeleteFunc(violations(err, nil), func(found gateway.Unsupported) bool {
		return !complete && (found.Attribute == "config" || strings.HasPrefix(found.Reason, missingField))
	}), nil
}

// violations lists what is wrong by Kong's schema, by attribute. Rules between fields are about the configuration.
func violations(err error, at []string) []gateway.Unsupported {
	var refused *refusal
	if !errors.As(err, &refused) {
		return nil
	}

	attributes := map[string]string{"name": "type", "instance_name": "name", "service": "upstream"}

	var found []gateway.Unsupported
	for _, field := range slices.Sorted(maps.Keys(refused.Fields)) {
		found = append(found, violation(append(slices.Clone(at), cmp.Or(attributes[field], field)), refused.Fields[field])...)
	}

	return found
}

func violation(path []string, problem any) []gateway.Unsupported {
	switch problem := problem.(type) {
	case map[string]any:
		var found []gateway.Unsupported
		for _, field := range slices.Sorted(maps.Keys(problem)) {
			found = append(found, violation(append(slices.Clone(path), field), problem[field])...)
		}

		return found
	case []any:
		var found []gateway.Unsupported
		for _, element := range problem {
			if element != nil {
				found = append(found, violation(path, element)...)
			}
		}

		return found
	case nil:
		return nil
	}

	if path[len(path)-1] == broken {
		path = append(path[:len(path)-1], "config")[:1]
	}

	return []gateway.Unsupported{{Attribute: strings.Join(path, "."), Reason: fmt.Sprintf("%v.", problem)}}
}

// PluginSettings reads the schema of a type of plugins from Kong.
func (e *Engine) PluginSettings(ctx context.Context, kind string) (map[string]gateway.Setting, error) {
	schema, err := get[struct {
		Fields []map[string]fieldSchema `json:"fields"`
	}](ctx, e, at("schemas", "plugins", kind))
	if err != nil || schema == nil {
		return nil, err
	}

	return settings(schema.Fields)["config"].Fields, nil
}

// fieldSchema is a field as Kong's schemas describe it.
type fieldSchema struct {
	Default       any                      `json:"default"`
	Encrypted     bool                     `json:"encrypted"`
	Referenceable bool                     `json:"referenceable"`
	Fields        []map[string]fieldSchema `json:"fields"`
	Elements      *fieldSchema             `json:"elements"`
	Values        *fieldSchema             `json:"values"`
}

// secret says whether a field may hold a secret: what an Enterprise edition encrypts, and what may stand in a vault.
func (f fieldSchema) secret() bool {
	return f.Encrypted || f.Referenceable || (f.Elements != nil && f.Elements.secret()) || (f.Values != nil && f.Values.secret())
}

func settings(fields []map[string]fieldSchema) map[string]gateway.Setting {
	found := map[string]gateway.Setting{}
	for _, field := range fields {
		for name, schema := range field {
			setting := gateway.Setting{Default: schema.Default, Secret: schema.secret()}
			if len(schema.Fields) > 0 {
				setting.Fields = settings(schema.Fields)
			}
			found[name] = setting
		}
	}

	return found
}
