// Package route is the gateway_route resource type.
package route

import (
	"context"
	"reflect"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// New makes the resource type.
func New() resource.Resource { return object.New[model](kind) }

// NewList makes the list of a gateway's routes.
func NewList() list.ListResource { return object.NewList[model](kind) }

var kind = object.Kind[gateway.Route]{
	Type:   "gateway_route",
	Thing:  "gateway route",
	Schema: routeSchema,
	Check: func(engine gateway.Engine, route gateway.Route) []gateway.Unsupported {
		if found := route.Check(); found != nil {
			return found
		}

		return engine.CheckRoute(route)
	},
	Put: func(ctx context.Context, engine gateway.Engine, route gateway.Route) error {
		return engine.PutRoute(ctx, route)
	},
	Get: func(ctx context.Context, engine gateway.Engine, name string) (gateway.Route, error) {
		return engine.Route(ctx, name)
	},
	List: func(ctx context.Context, engine gateway.Engine) ([]gateway.Route, error) {
		return engine.Routes(ctx)
	},
	Delete: func(ctx context.Context, engine gateway.Engine, of gateway.Record) error {
		return engine.DeleteRoute(ctx, of)
	},
	Record: func(route *gateway.Route) *gateway.Record { return &route.Record },
	Same: func(a, b gateway.Route) bool {
		a.Record, b.Record = gateway.Record{}, gateway.Record{}

		return reflect.DeepEqual(settled(a), settled(b))
	},
}
