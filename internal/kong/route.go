package kong

import (
	"context"
	"fmt"
	"net/http"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/kong/go-kong/kong"
)

// PutRoute creates or replaces a route in one request, keeping tags that others have set. Its upstream must exist, and
// Kong wants a host or a path.
func (e *Engine) PutRoute(ctx context.Context, route gateway.Route) error {
	current, err := direct{e}.route(ctx, route.Name)
	if err != nil {
		return err
	}

	wanted := kong.Route{
		Name:         &route.Name,
		Hosts:        kong.StringSlice(route.Hosts...),
		Paths:        kong.StringSlice(route.Paths...),
		Service:      &kong.Service{Name: &route.Upstream},
		StripPath:    new(false),
		PreserveHost: new(true),
		Protocols:    kong.StringSlice("http", "https"),
		Tags:         withMark(nil),
	}
	if current != nil {
		wanted.Tags = withMark(current.Tags)
	}

	err = e.write(ctx, http.MethodPut, at("routes", route.Name), wanted)
	if hasCode(err, codeUnresolved) {
		return fmt.Errorf("the gateway has no upstream %q. Create it first; upstream = gateway_upstream.<label>.name tells Terraform the order", route.Upstream)
	}
	if err != nil {
		return fmt.Errorf("put Kong route %q: %w", route.Name, err)
	}

	return nil
}

// Route reads a route. Its Upstream is empty if it leads nowhere.
func (e *Engine) Route(ctx context.Context, name string) (gateway.Route, error) {
	r := e.reader()
	found, err := r.route(ctx, name)
	if err != nil {
		return gateway.Route{}, err
	}
	if found == nil {
		return gateway.Route{}, fmt.Errorf("route %q in Kong: %w", name, gateway.ErrNotFound)
	}

	route := gateway.Route{Name: name, Hosts: texts(found.Hosts), Paths: texts(found.Paths)}
	if found.Service == nil {
		return route, nil
	}

	service, err := r.service(ctx, or(found.Service.ID, ""))
	if err != nil {
		return gateway.Route{}, err
	}
	if service != nil {
		route.Upstream = or(service.Name, "")
	}

	return route, nil
}

// DeleteRoute removes a route.
func (e *Engine) DeleteRoute(ctx context.Context, name string) error {
	if err := e.remove(ctx, at("routes", name)); err != nil {
		return fmt.Errorf("delete Kong route %q: %w", name, err)
	}

	return nil
}
