// Package upstream is the gateway_upstream resource type.
package upstream

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

// NewList makes the list of a gateway's upstreams.
func NewList() list.ListResource { return object.NewList[model](kind) }

var kind = object.Kind[gateway.Upstream]{
	Type:   "gateway_upstream",
	Thing:  "gateway upstream",
	Schema: upstreamSchema,
	Check: func(engine gateway.Engine, upstream gateway.Upstream) []gateway.Unsupported {
		if found := upstream.Check(); found != nil {
			return found
		}

		return engine.CheckUpstream(upstream)
	},
	Put: func(ctx context.Context, engine gateway.Engine, upstream gateway.Upstream) error {
		return engine.PutUpstream(ctx, upstream)
	},
	Get: func(ctx context.Context, engine gateway.Engine, name string) (gateway.Upstream, error) {
		return engine.Upstream(ctx, name)
	},
	List: func(ctx context.Context, engine gateway.Engine) ([]gateway.Upstream, error) {
		return engine.Upstreams(ctx)
	},
	Delete: func(ctx context.Context, engine gateway.Engine, of gateway.Record) error {
		return engine.DeleteUpstream(ctx, of)
	},
	Record: func(upstream *gateway.Upstream) *gateway.Record { return &upstream.Record },
	Same:   same,
}

// same compares what two upstreams mean: what one of them leaves to the gateway's default is equal to that.
func same(a, b gateway.Upstream) bool {
	meaning := func(upstream gateway.Upstream) model {
		var m model
		m.Set(context.Background(), upstream)

		return m
	}

	return reflect.DeepEqual(meaning(a).plain(), meaning(b).plain())
}
