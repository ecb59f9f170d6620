package volume

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// A ground is what a volume stands in, as far as a plan can know: it decides about the format, the allocation and the size of a
// volume that does not say them.
type ground int

const (
	files   ground = iota // its volumes are files; also of a pool that cannot be asked for, since most are
	devices               // a volume group
	later                 // a pool that is not there yet: the same apply may make it
)

// ground asks the host for the pool.
func (p planned) ground(ctx context.Context, clients *backend.Backend) ground {
	if p.Host.IsUnknown() || p.Pool.IsUnknown() {
		return later
	}

	if clients == nil {
		return files
	}

	host, err := clients.Host(p.Host.ValueString())
	if err != nil || !host.Known() {
		return files
	}

	group, err := host.InVolumeGroup(ctx, p.Pool.ValueString())

	switch {
	case errors.Is(err, libvirt.ErrNotFound):
		return later
	case group:
		return devices
	default:
		return files
	}
}

// settle fills in what the plan left open until the pool is there, and refuses what a volume group cannot have.
func (m *model) settle(ctx context.Context, host *libvirt.Host) error {
	group, err := host.InVolumeGroup(ctx, m.Pool.ValueString())
	if err != nil {
		return err
	}

	if group {
		err = checkGroup(m.Pool.ValueString(), m.Format, m.Allocation, m.Backing)
	}

	if m.Format.IsUnknown() && m.Source == nil {
		m.Format = formatIn(group)
	}

	if m.Allocation.IsUnknown() {
		m.Allocation = allocationIn(group)
	}

	return err
}

func formatIn(group bool) types.String {
	if group {
		return types.StringValue(rawFormat)
	}

	return types.StringValue("qcow2")
}

func allocationIn(group bool) types.String {
	if group {
		return types.StringValue(full)
	}

	return types.StringValue(thin)
}

// checkGroup refuses what a volume of a volume group cannot be, by what is declared of it.
func checkGroup(pool string, format, allocation, backing types.String) error {
	switch {
	case format.ValueString() == "qcow2":
		return fmt.Errorf("pool %q is a volume group, whose volumes are devices, and format is qcow2. Write format = \"raw\" or leave it out; an image is converted by: qemu-img convert -O raw FROM TO", pool)
	case allocation.ValueString() == thin:
		return fmt.Errorf("pool %q is a volume group, which sets all of a volume aside. Write allocation = \"full\" or leave it out", pool)
	case backing.ValueString() != "":
		return fmt.Errorf("pool %q is a volume group, whose volumes are no overlays. Leave backing out, or choose a pool of type dir or netfs", pool)
	default:
		return nil
	}
}

// growGroup is why a volume of a volume group does not grow.
func growGroup(path string, size uint64) error {
	return fmt.Errorf("it is in a volume group, whose volumes libvirt cannot grow. Grow it on its host, after which this is no change: lvextend -L %db %s. A machine that runs sees it by: virsh blockresize MACHINE %s %dB",
		size, path, path, size)
}

// whole refuses a size that the volume group has rounded up to whole extents, and takes the volume away again: the state
// would hold another size than the configuration.
func whole(ctx context.Context, host *libvirt.Host, spec libvirt.VolumeSpec) error {
	group, err := host.InVolumeGroup(ctx, spec.Pool)
	if err != nil || !group {
		return err
	}

	made, err := host.Volume(ctx, spec.Pool, spec.Name)
	if err != nil || made.Capacity == spec.Capacity {
		return err
	}

	return errors.Join(
		fmt.Errorf("pool %q is a volume group, which rounds sizes up to whole extents: %s became %s. Write size = %q", spec.Pool, tf.FormatSize(spec.Capacity), tf.FormatSize(made.Capacity), tf.FormatSize(made.Capacity)),
		host.DeleteVolume(ctx, spec.Pool, spec.Name))
}
