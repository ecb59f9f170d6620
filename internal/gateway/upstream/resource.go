// Package upstream is the gateway_upstream resource type.
package upstream

import (
	"context"
	"maps"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// New makes the resource type.
func New() resource.Resource {
	return object.New[model](object.Kind[gateway.Upstream]{
		Type:   "gateway_upstream",
		Thing:  "gateway upstream",
		Schema: upstreamSchema(),
		Put: func(ctx context.Context, engine gateway.Engine, upstream gateway.Upstream) error {
			return engine.PutUpstream(ctx, upstream)
		},
		Get: func(ctx context.Context, engine gateway.Engine, name string) (gateway.Upstream, error) {
			return engine.Upstream(ctx, name)
		},
		Delete: func(ctx context.Context, engine gateway.Engine, name string) error {
			return engine.DeleteUpstream(ctx, name)
		},
		Same: same,
	})
}

func same(a, b gateway.Upstream) bool {
	return a.Name == b.Name && a.Retries == b.Retries && maps.Equal(a.Services, b.Services) && maps.Equal(a.Targets, b.Targets)
}
