// Package volume is the resource type hypervisor_volume.
package volume

import (
	"context"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// limits leave time for a large image over a slow line, which planning hashes, importing compares and moving copies.
var limits = tf.Limits{
	Create: 30 * time.Minute, Read: 2 * time.Minute, Update: 30 * time.Minute, Delete: 2 * time.Minute, Plan: 30 * time.Minute,
}

// New makes the resource type.
func New() resource.Resource { return object.New(kind()) }

// NewList makes the list of a host's volumes.
func NewList() list.ListResource { return object.NewList(kind()) }

func kind() object.Kind[model] {
	return object.Kind[model]{
		Type: "hypervisor_volume", Thing: "volume", Schema: volumeSchema, Limits: limits, Contents: true,
		Identity: tf.Identity{
			{Name: "host", Description: "Name of the host in the provider block."},
			{Name: "pool", Description: "Storage pool of the host."},
			{Name: "name", Description: "Name of the volume in its pool."},
		},
		Create: create, Refresh: refresh, Update: update, Delete: remove, List: known,
		Move: move, Locate: locate,
		Plan: modifyPlan, Validate: validate, Import: importImage,
	}
}

// update grows the volume; nothing else that may change needs the host.
func update(ctx context.Context, host *libvirt.Host, _ model, plan *model) error {
	return grow(ctx, host, plan.ref(), plan.Size.Bytes())
}
