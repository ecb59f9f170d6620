// Package route is the gateway_route resource type.
package route

import (
	"context"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// New makes the resource type.
func New() resource.Resource {
	return object.New[model](object.Kind[gateway.Route]{
		Type:   "gateway_route",
		Thing:  "gateway route",
		Schema: routeSchema(),
		Put: func(ctx context.Context, engine gateway.Engine, route gateway.Route) error {
			return engine.PutRoute(ctx, route)
		},
		Get: func(ctx context.Context, engine gateway.Engine, name string) (gateway.Route, error) {
			return engine.Route(ctx, name)
		},
		Delete: func(ctx context.Context, engine gateway.Engine, name string) error {
			return engine.DeleteRoute(ctx, name)
		},
		Same: same,
	})
}

// same compares what routes match and where they lead; hosts and paths are sets.
func same(a, b gateway.Route) bool {
	return a.Name == b.Name && a.Upstream == b.Upstream && sameSet(a.Hosts, b.Hosts) && sameSet(a.Paths, b.Paths)
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
