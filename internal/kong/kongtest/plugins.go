package kongtest

import (
	"fmt"
	"slices"
	"strings"
)

// plugin is one of the plugins that this Kong has, as a table like a collection's.
type plugin struct {
	config    []field
	short     []shorthand
	protocols []string // that it may serve, in the order of its default; nil for those of HTTP
	anyOf     []string // further protocols that it may serve
	lonely    bool     // it cannot be for one consumer
	rules     func(values map[string]any, updating bool, found violations)
	judge     check // of the whole configuration
}

var httpProtocols = []string{"grpc", "grpcs", "http", "https"}

// allProtocols are those of plugins that see every connection; their default is HTTP's.
var allProtocols = []string{"tcp", "tls", "tls_passthrough", "udp"}

func plugins() *entity {
	return &entity{
		name:    "plugins",
		key:     "instance_name",
		unique:  [][]string{{"instance_name"}},
		scoped:  []string{"name", "service", "route", "consumer"},
		fields:  pluginFields(plugin{}),
		variant: func(values map[string]any) []field { return pluginFields(bundled[fmt.Sprint(values["name"])]) },
		refuse: func(values map[string]any) violations {
			name, given := values["name"].(string)
			switch _, known := bundled[name]; {
			case values["name"] == nil:
				return violations{"name": "required field missing"}
			case !given:
				return violations{"name": "expected a string"}
			case !known:
				return violations{"name": "plugin '" + name + "' not enabled; add it to the 'plugins' configuration property"}
			}

			return nil
		},
		inspect: func(values map[string]any, updating bool, found violations) {
			name, _ := values["name"].(string)
			if rules := bundled[name].rules; rules != nil {
				rules(values, updating, found)
			}
		},
		present: func(_ *Server, values map[string]any) map[string]any {
			shown := cloneMap(values)
			name, _ := values["name"].(string)
			config, _ := shown["config"].(map[string]any)
			for _, short := range bundled[name].short {
				if short.shown && config != nil {
					config[short.name] = dig(config, strings.Join(short.to, "."))
				}
			}

			return shown
		},
	}
}

func pluginFields(p plugin) []field {
	usual := p.protocols
	if usual == nil {
		usual = httpProtocols
	}

	protocols := list("protocols", setKind, oneOf(append(slices.Clone(usual), p.anyOf...)...)).must()
	var initial []any
	for _, protocol := range usual {
		initial = append(initial, protocol)
	}
	protocols.initial = initial

	consumer := foreign("consumer", "consumers").cascading()
	if p.lonely {
		consumer.checks = []check{func(any) string { return "value must be null" }}
	}

	config := record("config", p.config...)
	config.short = p.short
	if p.judge != nil {
		config.checks = []check{p.judge}
	}

	return common(
		text("name").must(),
		text("instance_name", utf8Name),
		foreign("service", "services").cascading(),
		foreign("route", "routes").cascading(),
		consumer,
		config,
		protocols,
		boolean("enabled", true).must(),
	)
}

// oneNeeded asks for a value in one of some fields of the configuration.
func oneNeeded(names ...string) func(map[string]any, bool, violations) {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = "config." + name
	}

	return func(values map[string]any, updating bool, found violations) {
		config, _ := found["config"].(map[string]any)
		if slices.ContainsFunc(names, func(name string) bool { return config[name] != nil }) {
			return
		}
		if _, whole := values["config"].(map[string]any); whole {
			found.atLeastOne(values, updating, paths...)
		}
	}
}

// needs asks for a field of the configuration, two levels deep, when another one has a value.
func needs(values map[string]any, found violations, given string, value any, record, name string) {
	if dig(values, "config."+given) != value || dig(values, "config."+record+"."+name) != nil {
		return
	}
	if config, _ := found["config"].(map[string]any); config[given] != nil || config[record] != nil {
		return
	}

	found.entity("failed conditional validation given value of field 'config." + given + "'")
	config, _ := found["config"].(map[string]any)
	if config == nil {
		config = map[string]any{}
		found["config"] = config
	}
	below, _ := config[record].(map[string]any)
	if below == nil {
		below = map[string]any{}
		config[record] = below
	}
	below[name] = "required field missing"
}
