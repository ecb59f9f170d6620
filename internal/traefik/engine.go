package traefik

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// Engine configures every Traefik that follows the same keys in Consul. It is safe for concurrent use.
//
// A key that Traefik does not know makes it refuse its whole configuration, so nothing but Traefik's own settings is
// ever written. Traefik has no service for a Consul service without a healthy instance: the routes to an upstream of
// such services alone answer 404 until there is one. If others are left, one of the two heaviest takes all traffic.
type Engine struct {
	consul      *catalog.Client
	prefix      string // of the keys of Traefik's HTTP configuration
	entryPoints []string
}

var _ gateway.Engine = (*Engine)(nil)

// New makes an engine that writes through the given client. It sends nothing.
func New(config Config, consul *catalog.Client) *Engine {
	return &Engine{
		consul:      consul,
		prefix:      strings.Trim(config.KeyPrefix, "/") + "/http/",
		entryPoints: config.EntryPoints,
	}
}

// Name is "traefik".
func (e *Engine) Name() string { return "traefik" }

// PutUpstream creates or replaces an upstream and its retry middleware in one transaction.
func (e *Engine) PutUpstream(ctx context.Context, upstream gateway.Upstream) error {
	stored, err := e.stored(ctx)
	if err != nil {
		return err
	}

	return e.write(ctx, transaction(stored, e.prefix, ownsUpstream(upstream.Name), renderUpstream(upstream)))
}

// Upstream reads an upstream. Its Retries are -1 if its retry middleware is missing.
func (e *Engine) Upstream(ctx context.Context, name string) (gateway.Upstream, error) {
	stored, err := e.stored(ctx)
	if err != nil {
		return gateway.Upstream{}, err
	}

	upstream, err := parseUpstream(name, relative(stored, e.prefix, ownsUpstream(name)))
	if err != nil {
		return gateway.Upstream{}, e.unreadable(err, serviceFolder(name))
	}

	return upstream, nil
}

// DeleteUpstream removes an upstream and its retry middleware. It refuses while routes lead to it.
func (e *Engine) DeleteUpstream(ctx context.Context, name string) error {
	stored, err := e.stored(ctx)
	if err != nil {
		return err
	}

	if routes := routesTo(name, relative(stored, e.prefix, isRouter)); len(routes) > 0 {
		return fmt.Errorf("it still receives the traffic of the gateway route %s. Delete the route or send it to another "+
			"upstream first; upstream = gateway_upstream.<label>.name tells Terraform the order, and lifecycle { create_before_destroy = true } "+
			"in the upstream lets it be renamed", strings.Join(routes, ", "))
	}

	return e.write(ctx, transaction(stored, e.prefix, ownsUpstream(name), nil))
}

// PutRoute creates or replaces a route in one transaction. Its upstream must exist.
func (e *Engine) PutRoute(ctx context.Context, route gateway.Route) error {
	stored, err := e.stored(ctx)
	if err != nil {
		return err
	}

	if _, err := parseUpstream(route.Upstream, relative(stored, e.prefix, ownsUpstream(route.Upstream))); errors.Is(err, gateway.ErrNotFound) {
		return fmt.Errorf("the gateway has no upstream %q. Create it first; upstream = gateway_upstream.<label>.name tells "+
			"Terraform the order", route.Upstream)
	}

	return e.write(ctx, transaction(stored, e.prefix, ownsRoute(route.Name), renderRoute(route, e.entryPoints)))
}

// Route reads a route.
func (e *Engine) Route(ctx context.Context, name string) (gateway.Route, error) {
	stored, err := e.stored(ctx)
	if err != nil {
		return gateway.Route{}, err
	}

	route, err := parseRoute(name, relative(stored, e.prefix, ownsRoute(name)))
	if err != nil {
		return gateway.Route{}, e.unreadable(err, routerFolder(name))
	}

	return route, nil
}

// DeleteRoute removes a route.
func (e *Engine) DeleteRoute(ctx context.Context, name string) error {
	stored, err := e.stored(ctx)
	if err != nil {
		return err
	}

	return e.write(ctx, transaction(stored, e.prefix, ownsRoute(name), nil))
}

func isRouter(path string) bool { return strings.HasPrefix(path, "routers/") }

// stored returns the keys of Traefik's HTTP configuration.
func (e *Engine) stored(ctx context.Context) (map[string]catalog.Key, error) {
	keys, err := e.consul.Keys(ctx, e.prefix)
	if err != nil {
		return nil, fmt.Errorf("%w. Check consul.address in the provider block, that Consul runs there, and that its token may read these keys", err)
	}

	return keys, nil
}

func (e *Engine) write(ctx context.Context, changes []catalog.KeyChange) error {
	if len(changes) > maxChanges {
		return fmt.Errorf("this takes %d changes in Consul, and at most %d can be made at once. Make it in several applies, "+
			"removing members or paths first", len(changes), maxChanges)
	}

	err := e.consul.WriteKeys(ctx, changes)

	switch {
	case err == nil:
		return nil
	case errors.Is(err, catalog.ErrConflict):
		return fmt.Errorf("%w. Nothing was written: plan again to see what they did", err)
	default:
		return fmt.Errorf("%w. Nothing was written: check that Consul runs there and that its token may write keys below %q", err, e.prefix)
	}
}

// unreadable says where something stands that somebody else wrote and that no resource can express.
func (e *Engine) unreadable(err error, folder string) error {
	if errors.Is(err, gateway.ErrNotFound) {
		return err
	}

	return fmt.Errorf("%w. Correct or delete the keys below %q in Consul", err, e.prefix+folder)
}
