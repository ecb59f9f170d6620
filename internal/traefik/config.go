// Package traefik configures Traefik gateways through Consul's key-value store, which any number of them follow.
package traefik

// Config says where and how Traefik's configuration stands in Consul.
type Config struct {
	KeyPrefix   string         // Traefik's providers.consul.rootKey; "traefik" is its default
	EntryPoints []string       // entry points that routes listen on; none means Traefik's default ones
	Ports       map[int]string // entry points that routes for connections listen on, by their ports
}
