package volume

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	ID         types.String   `tfsdk:"id"`
	Host       types.String   `tfsdk:"host"`
	Pool       types.String   `tfsdk:"pool"`
	Name       types.String   `tfsdk:"name"`
	Format     types.String   `tfsdk:"format"`
	Size       tf.Notation    `tfsdk:"size"`
	Source     *source        `tfsdk:"source"`
	Backing    types.String   `tfsdk:"backing"`
	SHA256     types.String   `tfsdk:"sha256"`
	Path       types.String   `tfsdk:"path"`
	Allocation types.String   `tfsdk:"allocation"`
	Protected  types.Bool     `tfsdk:"protected"`
	Timeouts   timeouts.Value `tfsdk:"timeouts"`
}

type source struct {
	File     types.String `tfsdk:"file"`
	URL      types.String `tfsdk:"url"`
	Checksum types.String `tfsdk:"checksum"`
}

// Key is where the volume is and what it is called.
func (m *model) Key() (host, name types.String) { return m.Host, m.Name }

// Bounds are the user's limits.
func (m *model) Bounds() timeouts.Value { return m.Timeouts }

func (m model) ref() libvirt.VolumeRef {
	return libvirt.VolumeRef{Host: m.Host.ValueString(), Pool: m.Pool.ValueString(), Name: m.Name.ValueString()}
}

// begun is the volume with nothing of what is known only when it is complete. It is stored before an upload begins, so
// that Terraform knows of an upload that fails.
func (m model) begun() model {
	m.ID = types.StringValue(m.ref().String())
	m.Path = types.StringNull()

	if m.Size.IsUnknown() {
		m.Size = tf.NullSize()
	}

	for _, text := range []*types.String{&m.Format, &m.SHA256} {
		if text.IsUnknown() {
			*text = types.StringNull()
		}
	}

	return m
}

// set takes over what the host says. below is the volume that this one is an overlay on, if that is known.
func (m *model) set(volume libvirt.Volume, below *libvirt.Volume) {
	m.ID = types.StringValue(m.ref().String())
	m.Format = types.StringValue(volume.Format)
	m.Path = types.StringValue(volume.Path)

	if size := tf.Size(volume.Capacity); !m.Size.Means(size) {
		m.Size = size
	}

	if below != nil {
		m.Backing = types.StringValue(libvirt.VolumeRef{Host: m.Host.ValueString(), Pool: below.Pool, Name: below.Name}.String())
	} else {
		m.Backing = types.StringNull()
	}

	if m.SHA256.IsUnknown() {
		m.SHA256 = types.StringNull()
	}

	if m.Allocation.IsNull() || m.Allocation.IsUnknown() {
		m.Allocation = types.StringValue(allocation(volume))
	}
}
