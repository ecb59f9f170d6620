package gateway

import "context"

// Plugin changes what passes through the gateway: a Kong plugin or a Traefik middleware. It is for all requests, or only
// for those to one upstream, over one route or of one consumer.
type Plugin struct {
	Record

	Type     string // in the engine's words: "rate-limiting" in Kong, "rateLimit" in Traefik
	Upstream string
	Route    string
	Consumer string
	Disabled bool

	// Config is the configuration as JSON has it: map[string]any, []any, string, float64, bool and nil. What is read is
	// all that the gateway has, what is put is all that it shall have beside its own defaults.
	Config map[string]any
}

// Setting describes one setting of a plugin's configuration.
type Setting struct {
	Default any
	Secret  bool               // it may hold a secret, which is not to be shown
	Fields  map[string]Setting // what is inside, if it has parts with names of their own
}

// Plugins configures what happens to requests on their way.
type Plugins interface {
	// CheckPlugin tells what the gateway would refuse. It asks the gateway for its own schema, if it has one; an error says
	// that it could not be asked. Values of the configuration may be missing unless it is complete.
	CheckPlugin(ctx context.Context, plugin Plugin, complete bool) ([]Unsupported, error)
	// PluginSettings describes the configuration of a type of plugins.
	PluginSettings(ctx context.Context, kind string) (map[string]Setting, error)
	PutPlugin(ctx context.Context, plugin Plugin) error
	Plugin(ctx context.Context, name string) (Plugin, error)
	Plugins(ctx context.Context) ([]Plugin, error)
	DeletePlugin(ctx context.Context, of Record) error
}
