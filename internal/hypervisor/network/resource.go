// Package network is the resource type hypervisor_network.
package network

import (
	"context"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

var limits = tf.Limits{
	Create: 2 * time.Minute, Read: 2 * time.Minute, Update: 2 * time.Minute, Delete: 2 * time.Minute, Plan: 2 * time.Minute,
}

// New makes the resource type.
func New() resource.Resource { return object.New(kind()) }

// NewList makes the list of a host's networks.
func NewList() list.ListResource { return object.NewList(kind()) }

func kind() object.Kind[model] {
	return object.Kind[model]{
		Type: "hypervisor_network", Thing: "network", Schema: networkSchema, Limits: limits,
		Identity: tf.Identity{
			{Name: "host", Description: "Name of the host in the provider block."},
			{Name: "name", Description: "Name of the network on its host."},
		},
		Create: createAndStart, Refresh: refresh, Update: update, Delete: remove, List: known, Plan: modifyPlan, Validate: validate,
	}
}

// createAndStart stores the network before it starts it: what fails to start, since its addresses are taken, is known to
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

	return apply(ctx, host, plan)
}

func update(ctx context.Context, host *libvirt.Host, _ model, plan *model) error {
	return apply(ctx, host, plan)
}
