package traefik

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// Engine configures every Traefik that follows the same keys in Consul. It is safe for concurrent use.
//
// Traefik has no service for a Consul service without a healthy instance: the routes to an upstream of such services
// alone answer 404 until there is one. If others are left, one of the two heaviest takes all traffic.
type Engine struct {
	store       *store
	entryPoints []string
	ports       map[int]string
}

var _ gateway.Engine = (*Engine)(nil)

// New makes an engine that writes through the given client. It sends nothing.
func New(config Config, consul *catalog.Client) *Engine {
	return &Engine{store: newStore(consul, config.KeyPrefix), entryPoints: config.EntryPoints, ports: config.Ports}
}

// Name is "traefik".
func (e *Engine) Name() string { return "traefik" }

// PutUpstream creates or replaces an upstream with all that belongs to it in one transaction.
func (e *Engine) PutUpstream(ctx context.Context, upstream gateway.Upstream) error {
	upstream = upstream.Complete()

	if err := gateway.Refusal("Traefik", e.CheckUpstream(upstream)); err != nil {
		return err
	}

	return e.put(ctx, upstreamKind, upstream.Record, func(contents) (map[string]string, error) { return renderUpstream(upstream), nil })
}

// Upstream reads an upstream.
func (e *Engine) Upstream(ctx context.Context, name string) (upstream gateway.Upstream, err error) {
	viewing := e.store.view(ctx, func(held contents) { upstream, err = e.readUpstream(name, held) })

	return upstream, errors.Join(viewing, err)
}

func (e *Engine) readUpstream(name string, held contents) (gateway.Upstream, error) {
	upstream, err := parseUpstream(name, held.keys(upstreamKind+"/"+name))

	return upstream, e.unreadable(err, "services/"+name)
}

// Upstreams reads all upstreams in the order of their names. What no resource can express is left out.
func (e *Engine) Upstreams(ctx context.Context) ([]gateway.Upstream, error) {
	return all(ctx, e, upstreamKind, e.readUpstream)
}

// DeleteUpstream removes an upstream with all that belongs to it. It refuses while routes lead to it.
func (e *Engine) DeleteUpstream(ctx context.Context, of gateway.Record) error {
	return e.remove(ctx, upstreamKind, of, func(held contents) error {
		routes := routesTo(of.Name, held)
		if len(routes) == 0 {
			return nil
		}

		return fmt.Errorf("it still receives the traffic of the gateway route %s. Delete the route or send it to another "+
			"upstream first; upstream = gateway_upstream.<label>.name tells Terraform the order, and lifecycle { create_before_destroy = true } "+
			"in the upstream lets it be renamed", strings.Join(routes, ", "))
	})
}

// PutRoute creates or replaces a route in one transaction. Its upstream must exist.
func (e *Engine) PutRoute(ctx context.Context, route gateway.Route) error {
	route = route.Complete()

	if err := gateway.Refusal("Traefik", e.CheckRoute(route)); err != nil {
		return err
	}

	return e.put(ctx, routeKind, route.Record, func(held contents) (map[string]string, error) {
		_, err := parseUpstream(route.Upstream, held.keys(upstreamKind+"/"+route.Upstream))
		if errors.Is(err, gateway.ErrNotFound) {
			return nil, fmt.Errorf("the gateway has no upstream %q. Create it first; upstream = gateway_upstream.<label>.name tells "+
				"Terraform the order", route.Upstream)
		}

		return renderRoute(route, e.routing(held)), nil
	})
}

func (e *Engine) routing(held contents) routing {
	return routing{entryPoints: e.entryPoints, ports: e.ports, attached: func(route gateway.Route) []string {
		return attached(route.Name, route.Upstream, held)
	}}
}

// Route reads a route.
func (e *Engine) Route(ctx context.Context, name string) (route gateway.Route, err error) {
	viewing := e.store.view(ctx, func(held contents) { route, err = e.readRoute(name, held) })

	return route, errors.Join(viewing, err)
}

func (e *Engine) readRoute(name string, held contents) (gateway.Route, error) {
	route, err := parseRoute(name, held.keys(routeKind+"/"+name), e.routing(held))

	return route, e.unreadable(err, "routers/"+name)
}

// Routes reads all routes in the order of their names. What no resource can express is left out.
func (e *Engine) Routes(ctx context.Context) ([]gateway.Route, error) {
	return all(ctx, e, routeKind, e.readRoute)
}

// DeleteRoute removes a route.
func (e *Engine) DeleteRoute(ctx context.Context, of gateway.Record) error {
	return e.remove(ctx, routeKind, of, func(contents) error { return nil })
}

// put makes an object consist of what render returns, unless somebody else made it.
func (e *Engine) put(ctx context.Context, kind string, record gateway.Record, render func(contents) (map[string]string, error)) error {
	object := kind + "/" + record.Name

	return e.store.change(ctx, edit{object: object, decide: func(held contents) (map[string]string, error) {
		if err := refuseForeign(held.keys(object), kind, record); err != nil {
			return nil, err
		}

		return render(held)
	}})
}

// remove deletes an object unless somebody else made it or check, by keys that are new, forbids it.
func (e *Engine) remove(ctx context.Context, kind string, record gateway.Record, check func(contents) error) error {
	object := kind + "/" + record.Name

	return e.store.change(ctx, edit{object: object, fresh: true, decide: func(held contents) (map[string]string, error) {
		if err := refuseForeign(held.keys(object), kind, record); err != nil {
			return nil, err
		}

		return nil, check(held)
	}})
}

func refuseForeign(keys map[string]string, kind string, record gateway.Record) error {
	if len(keys) > 0 && !record.Foreign && recordOf(keys, kind, record.Name).Foreign {
		return &gateway.ForeignError{What: fmt.Sprintf("Traefik's %s %q", map[string]string{upstreamKind: "service", routeKind: "router", pluginKind: "middleware"}[kind], record.Name)}
	}

	return nil
}

// all reads every object of a kind.
func all[T any](ctx context.Context, e *Engine, kind string, read func(string, contents) (T, error)) ([]T, error) {
	var found []T

	err := e.store.view(ctx, func(held contents) {
		var names []string

		for object := range held {
			if name, isKind := strings.CutPrefix(object, kind+"/"); isKind {
				names = append(names, name)
			}
		}

		slices.Sort(names)

		for _, name := range names {
			if value, err := read(name, held); err == nil {
				found = append(found, value)
			}
		}
	})

	return found, err
}

// unreadable says where something stands that somebody else wrote and that no resource can express.
func (e *Engine) unreadable(err error, folder string) error {
	if err == nil || errors.Is(err, gateway.ErrNotFound) {
		return err
	}

	return fmt.Errorf("%w. Correct or delete the keys below %q in Consul", err, e.store.root+"http/"+folder)
}
