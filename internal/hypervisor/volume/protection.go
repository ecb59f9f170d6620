package volume

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
)

// The values of allocation.
const (
	thin = "thin"
	full = "full"
)

// allocation is how a volume that is found was made, as far as can be told: one that was filled looks like one that was
// set aside.
func allocation(volume libvirt.Volume) string {
	if volume.Allocation >= volume.Capacity && volume.BackingPath == "" {
		return full
	}

	return thin
}

// spared returns why the volume must not be deleted, if it holds data that may be nowhere else.
func (m *model) spared(volume libvirt.Volume) error {
	guarded := m.Protected.ValueBool()
	if m.Protected.IsNull() {
		guarded = m.Source == nil && m.Backing.IsNull() // what images and overlays hold can be made again
	}

	if !guarded || !written(volume) {
		return nil
	}

	return fmt.Errorf("it holds data (%s on host %q), which would be lost. If nobody needs it any more, set protected = false, apply, and then delete or replace it",
		tf.FormatSize(volume.Allocation), m.Host.ValueString())
}

// written reports whether the volume occupies more than an empty one does, so something wrote to it, or nobody can tell.
func written(volume libvirt.Volume) bool {
	const cluster = 64 << 10

	empty := uint64(cluster)
	if volume.Format == "qcow2" { // its header, its references and the table of its parts: 8 bytes for each 512 MiB
		empty = 4*cluster + volume.Capacity>>26
	}

	return volume.Allocation > empty
}

// checkLoss refuses to plan the loss of data. A host that does not answer is no reason: it is asked again before
// anything is deleted.
func checkLoss(ctx context.Context, clients *backend.Backend, state tfsdk.State, verb string, diags *diag.Diagnostics) {
	var m model
	diags.Append(state.Get(ctx, &m)...)

	if clients == nil || diags.HasError() {
		return
	}

	host, err := clients.Host(m.Host.ValueString())
	if err != nil {
		return
	}

	volume, err := host.Volume(ctx, m.Pool.ValueString(), m.Name.ValueString())

	switch {
	case errors.Is(err, libvirt.ErrNotFound), errors.Is(err, libvirt.ErrUnreachable):
	case err != nil:
		diags.Append(tf.Failed(verb, "volume", m.Name.ValueString(), err))
	default:
		if err := m.spared(volume); err != nil {
			diags.Append(tf.FailedAt(path.Root("protected"), verb, "volume", m.Name.ValueString(), err))
		}
	}
}
