package snapshot

import (
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	ID       types.String   `tfsdk:"id"`
	Host     types.String   `tfsdk:"host"`
	VM       types.String   `tfsdk:"vm"`
	Name     types.String   `tfsdk:"name"`
	Revert   types.String   `tfsdk:"revert"`
	Memory   types.Bool     `tfsdk:"memory"`
	TakenAt  types.String   `tfsdk:"taken_at"`
	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

// Key is where the snapshot is and what it is called.
func (m *model) Key() (host, name types.String) { return m.Host, m.Name }

// Bounds are the user's limits.
func (m *model) Bounds() timeouts.Value { return m.Timeouts }

// set takes over what the host says.
func (m *model) set(found libvirt.Snapshot) {
	m.ID = object.ID(m.Host.ValueString(), m.VM.ValueString(), m.Name.ValueString())
	m.Memory = types.BoolValue(found.Memory)
	m.TakenAt = types.StringValue(found.Taken.Format(time.RFC3339))
}

// reverts reports whether the plan takes the machine back.
func (m *model) reverts(state model) bool {
	return !m.Revert.IsNull() && !m.Revert.Equal(state.Revert)
}
