package pool

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	ID        types.String   `tfsdk:"id"`
	Host      types.String   `tfsdk:"host"`
	Name      types.String   `tfsdk:"name"`
	Type      types.String   `tfsdk:"type"`
	Path      types.String   `tfsdk:"path"`
	Source    *source        `tfsdk:"source"`
	Autostart types.Bool     `tfsdk:"autostart"`
	Running   types.Bool     `tfsdk:"running"`
	Timeouts  timeouts.Value `tfsdk:"timeouts"`
}

type source struct {
	Host    types.String `tfsdk:"host"`
	Dir     types.String `tfsdk:"dir"`
	Format  types.String `tfsdk:"format"`
	Name    types.String `tfsdk:"name"`
	Devices []string     `tfsdk:"devices"`
}

// Key is where the pool is and what it is called.
func (m *model) Key() (host, name types.String) { return m.Host, m.Name }

// Bounds are the user's limits.
func (m *model) Bounds() timeouts.Value { return m.Timeouts }

func (m model) spec() libvirt.PoolSpec {
	spec := libvirt.PoolSpec{Name: m.Name.ValueString(), Type: m.Type.ValueString(), Path: m.Path.ValueString()}

	if m.Source != nil {
		spec.Host, spec.Dir, spec.Format = m.Source.Host.ValueString(), m.Source.Dir.ValueString(), m.Source.Format.ValueString()
		spec.Group, spec.Devices = m.Source.Name.ValueString(), m.Source.Devices
	}

	return spec
}

// set takes over what the host says.
func (m *model) set(found libvirt.Pool) {
	m.ID = object.ID(m.Host.ValueString(), m.Name.ValueString())
	m.Type = types.StringValue(found.Type)
	m.Path = types.StringValue(found.Path)
	m.Autostart = types.BoolValue(found.Autostart)
	m.Running = types.BoolValue(found.Active)

	if found.Type == libvirt.DirPool {
		m.Source = nil

		return
	}

	m.Source = &source{
		Host: optional(found.Host), Dir: optional(found.Dir), Format: optional(found.Format),
		Name: optional(found.Group), Devices: found.Devices,
	}
}

func optional(text string) types.String {
	if text == "" {
		return types.StringNull()
	}

	return types.StringValue(text)
}
