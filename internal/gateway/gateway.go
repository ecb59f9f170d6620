// Package gateway holds the words that both gateway engines share: what a route and an upstream are, and the small
// interface that Kong and Traefik each stand behind. It knows no engine and no network.
package gateway

import (
	"context"
	"errors"
)

// ErrNotFound is what an Engine's reads return when the named object does not exist. It is the only error that may
// remove a resource from state.
var ErrNotFound = errors.New("not found")

// Upstream is where traffic goes. Either Services or Targets is set, never both.
type Upstream struct {
	Name     string
	Services map[string]Member // by the name of a Consul service
	Targets  map[string]Member // by "address:port"
	Retries  int               // further attempts after a connection that failed; 0 turns them off, -1 (read only): the setting is missing
}

// Member is one receiver of an upstream's traffic.
type Member struct {
	Weight int // share of the traffic relative to the other members; 0 receives nothing
}

// Route sends the requests that match it to an upstream. A request matches if it matches one of Hosts (or Hosts is
// empty) and one of Paths (or Paths is empty).
type Route struct {
	Name     string
	Hosts    []string // host names, without a port
	Paths    []string // path prefixes, each beginning with "/"
	Upstream string   // an Upstream's name
}

// Engine is a gateway that can be configured. A put creates or replaces as a whole and is atomic for the reader of
// the gateway's configuration; a delete of something that is not there succeeds. Reads are served from one bulk read
// that is shared until the first write.
type Engine interface {
	// Name is the engine's name as it stands in the provider block: "kong" or "traefik".
	Name() string

	PutUpstream(ctx context.Context, upstream Upstream) error
	Upstream(ctx context.Context, name string) (Upstream, error)
	DeleteUpstream(ctx context.Context, name string) error

	PutRoute(ctx context.Context, route Route) error
	Route(ctx context.Context, name string) (Route, error)
	DeleteRoute(ctx context.Context, name string) error
}
