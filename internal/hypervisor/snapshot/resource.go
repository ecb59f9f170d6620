// Package snapshot is the resource type hypervisor_snapshot.
package snapshot

import (
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// limits leave time to write and to read the memory of a large machine.
var limits = tf.Limits{
	Create: 30 * time.Minute, Read: 2 * time.Minute, Update: 30 * time.Minute, Delete: 10 * time.Minute, Plan: 2 * time.Minute,
}

// New makes the resource type.
func New() resource.Resource {
	return object.New(object.Kind[model]{
		Type: "hypervisor_snapshot", Thing: "snapshot", Schema: snapshotSchema, Limits: limits,
		Identity: tf.Identity{
			{Name: "host", Description: "Name of the host in the provider block."},
			{Name: "vm", Description: "UUID of the machine."},
			{Name: "name", Description: "Name of the snapshot."},
		},
		Create: create, Refresh: refresh, Update: update, Delete: remove, Plan: modifyPlan, Import: byName,
	})
}
