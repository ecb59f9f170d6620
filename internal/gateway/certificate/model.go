package certificate

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	ID                  types.String   `tfsdk:"id"`
	Name                types.String   `tfsdk:"name"`
	Certificate         types.String   `tfsdk:"certificate"`
	PrivateKeyWO        types.String   `tfsdk:"private_key_wo"`
	PrivateKeyWOVersion types.Int64    `tfsdk:"private_key_wo_version"`
	SNIs                []string       `tfsdk:"snis"`
	Timeouts            timeouts.Value `tfsdk:"timeouts"`
}

// Key is the certificate's name.
func (m *model) Key() string { return m.Name.ValueString() }

// Bounds are the user's timeouts.
func (m *model) Bounds() timeouts.Value { return m.Timeouts }

// Reveal reads the private key, which is in the configuration alone.
func (m *model) Reveal(ctx context.Context, config tfsdk.Config) diag.Diagnostics {
	return config.GetAttribute(ctx, path.Root("private_key_wo"), &m.PrivateKeyWO)
}

// Value is what the model asks for.
func (m *model) Value() gateway.Certificate {
	return gateway.Certificate{
		Record:  gateway.Record{Name: m.Name.ValueString(), Note: object.NewNote(m.Timeouts).String()},
		Chain:   m.Certificate.ValueString(),
		Key:     m.PrivateKeyWO.ValueString(),
		Version: m.PrivateKeyWOVersion.ValueInt64(),
		SNIs:    m.SNIs,
	}
}

// Set takes over what the gateway says.
func (m *model) Set(ctx context.Context, certificate gateway.Certificate) {
	m.ID, m.Name = types.StringValue(certificate.Name), types.StringValue(certificate.Name)
	m.SNIs = certificate.SNIs
	m.PrivateKeyWO = types.StringNull()
	m.Timeouts = object.ReadNote(certificate.Note).Restore(ctx, m.Timeouts)

	if !equal(m.Certificate.ValueString(), certificate.Chain) {
		m.Certificate = types.StringValue(certificate.Chain)
	}

	m.PrivateKeyWOVersion = types.Int64Null()
	if certificate.Version != 0 {
		m.PrivateKeyWOVersion = types.Int64Value(certificate.Version)
	}
}
