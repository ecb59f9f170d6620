package vm

import (
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const defaultMigrationTimeout = time.Hour

// migration is how the machine is moved to another host.
type migration struct {
	Timeout      tf.Notation `tfsdk:"timeout"`
	Bandwidth    tf.Notation `tfsdk:"bandwidth"`
	AutoConverge types.Bool  `tfsdk:"auto_converge"`
	PostCopy     types.Bool  `tfsdk:"post_copy"`
	TLS          types.Bool  `tfsdk:"tls"`
}

// carried is migration as it is kept in the mark, for an import.
type carried struct {
	Timeout      string `json:"timeout,omitempty"`
	Bandwidth    string `json:"bandwidth,omitempty"`
	AutoConverge *bool  `json:"auto_converge,omitempty"`
	PostCopy     *bool  `json:"post_copy,omitempty"`
	TLS          *bool  `json:"tls,omitempty"`
}

func (m *migration) carried() *carried {
	if m == nil {
		return nil
	}

	return &carried{
		Timeout: m.Timeout.ValueString(), Bandwidth: m.Bandwidth.ValueString(),
		AutoConverge: m.AutoConverge.ValueBoolPointer(), PostCopy: m.PostCopy.ValueBoolPointer(), TLS: m.TLS.ValueBoolPointer(),
	}
}

func (c *carried) migration() *migration {
	if c == nil {
		return nil
	}

	restored := &migration{
		Timeout: tf.NullDuration(), Bandwidth: sizeOf(c.Bandwidth),
		AutoConverge: types.BoolPointerValue(c.AutoConverge), PostCopy: types.BoolPointerValue(c.PostCopy), TLS: types.BoolPointerValue(c.TLS),
	}
	if c.Timeout != "" {
		restored.Timeout = tf.DurationText(c.Timeout)
	}

	return restored
}

func (m *migration) timeout() time.Duration {
	if m == nil || m.Timeout.IsNull() {
		return defaultMigrationTimeout
	}

	return m.Timeout.Duration()
}

// order is what libvirt is told of it.
func (m *migration) order() libvirt.Migration {
	if m == nil {
		return libvirt.Migration{}
	}

	return libvirt.Migration{
		Bandwidth: m.Bandwidth.Bytes(), AutoConverge: m.AutoConverge.ValueBool(), PostCopy: m.PostCopy.ValueBool(), TLS: m.TLS.ValueBool(),
	}
}

func migrationAttribute() schema.Attribute {
	flag := func(description string) schema.Attribute {
		return schema.BoolAttribute{MarkdownDescription: description + " Defaults to `false`.", Optional: true}
	}

	return schema.SingleNestedAttribute{
		MarkdownDescription: "How the running machine is moved when its host changes; see the guide *Moving machines between hosts*.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"timeout": schema.StringAttribute{
				MarkdownDescription: "How long copying memory and disks may take; then the move is given up, and the machine stays where it is. Defaults to `1h`.",
				CustomType:          tf.DurationType(),
				Optional:            true,
				PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
			},
			"bandwidth": schema.StringAttribute{
				MarkdownDescription: "The most that is sent in a second, in whole MiB, such as `200MiB`. Defaults to no limit.",
				CustomType:          tf.SizeType(),
				Optional:            true,
				PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
			},
			"auto_converge": flag("Whether a guest that writes to its memory faster than it is copied is slowed down until it is not."),
			"post_copy":     flag("Whether the machine goes on at the new host after the first round of copying and fetches the rest of its memory from the old one. It always comes to an end, but a network that fails meanwhile ends the machine."),
			"tls":           flag("Whether memory and disks are encrypted on their way, with the certificates that QEMU has on both hosts."),
		},
	}
}
