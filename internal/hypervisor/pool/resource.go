// Package pool is the resource type hypervisor_pool.
package pool

import (
	"context"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// limits leave time to mount an export over a slow line.
var limits = tf.Limits{
	Create: 5 * time.Minute, Read: 2 * time.Minute, Update: 5 * time.Minute, Delete: 2 * time.Minute, Plan: 2 * time.Minute,
}

// New makes the resource type.
func New() resource.Resource { return object.New(kind()) }

// NewList makes the list of a host's pools.
func NewList() list.ListResource { return object.NewList(kind()) }

func kind() object.Kind[model] {
	return object.Kind[model]{
		Type: "hypervisor_pool", Thing: "pool", Schema: poolSchema, Limits: limits,
		Identity: tf.Identity{
			{Name: "host", Description: "Name of the host in the provider block."},
			{Name: "name", Description: "Name of the pool on its host."},
		},
		Create: createAndStart, Refresh: refresh, Update: update, Delete: remove, List: known, Plan: modifyPlan, Validate: validate,
	}
}

// createAndStart stores the pool before it starts it: what fails to start, since its export is not there, is known to
// Terraform and can be replaced.
func createAndStart(ctx context.Context, host *libvirt.Host, plan *model, store func(model)) error {
	if err := create(ctx, host, *plan); err != nil {
		return err
	}

	made := *plan
	if err := refresh(ctx, host, &made); err != nil {
		return err
	}

	store(made)

	if err := build(ctx, host, *plan); err != nil {
		return err
	}

	return apply(ctx, host, plan)
}

func update(ctx context.Context, host *libvirt.Host, _ model, plan *model) error {
	return apply(ctx, host, plan)
}
