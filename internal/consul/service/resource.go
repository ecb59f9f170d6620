// Package service is the resource consul_service: one instance of a service in Consul, with its health checks.
package service

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/object"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

const thing = "Consul service"

var kind = object.Kind[model, catalog.Service]{
	Type:     "consul_service",
	Thing:    thing,
	Schema:   serviceSchema,
	Identity: identity,

	Register: func(ctx context.Context, consul *catalog.Client, plan model) error {
		return consul.Register(ctx, plan.service())
	},
	Await: func(ctx context.Context, consul *catalog.Client, plan model) error {
		if wait := plan.WaitForPassing.Duration(); wait > 0 {
			return consul.AwaitPassing(ctx, plan.identity(), wait)
		}

		return nil
	},
	Get: func(ctx context.Context, consul *catalog.Client, state model) (catalog.Service, error) {
		return consul.Instance(ctx, state.identity())
	},
	Update: func(ctx context.Context, consul *catalog.Client, plan model) error {
		return consul.Update(ctx, plan.service())
	},
	Deregister: func(ctx context.Context, consul *catalog.Client, state model) error {
		return consul.Deregister(ctx, state.identity(), state.Mark())
	},
	Describe: describe,

	Plan:     plan,
	Validate: validate,
	Parse:    parse,
	Refuse:   refuse,

	Listed: listed,
	List:   instances,
	Title:  describe,
}

func describe(service catalog.Service) string { return service.Identity.String() }

// New makes the resource consul_service.
func New() resource.Resource { return object.New[model, catalog.Service, *model](kind) }

// NewList makes the list of instances, with which `terraform query` (Terraform 1.14) finds those of a node or the agent.
func NewList() list.ListResource { return object.NewList[model, catalog.Service, *model](kind) }
