package consumer

import (
	"context"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	ID        types.String             `tfsdk:"id"`
	Name      types.String             `tfsdk:"name"`
	CustomID  types.String             `tfsdk:"custom_id"`
	Groups    []string                 `tfsdk:"groups"`
	Keys      map[string]keyModel      `tfsdk:"keys"`
	BasicAuth map[string]passwordModel `tfsdk:"basic_auth"`
	HMACAuth  map[string]hmacModel     `tfsdk:"hmac_auth"`
	JWT       map[string]jwtModel      `tfsdk:"jwt"`
	Timeouts  timeouts.Value           `tfsdk:"timeouts"`
}

type keyModel struct {
	KeyWO        types.String `tfsdk:"key_wo"`
	KeyWOVersion types.Int64  `tfsdk:"key_wo_version"`
}

type passwordModel struct {
	PasswordWO        types.String `tfsdk:"password_wo"`
	PasswordWOVersion types.Int64  `tfsdk:"password_wo_version"`
}

type hmacModel struct {
	SecretWO        types.String `tfsdk:"secret_wo"`
	SecretWOVersion types.Int64  `tfsdk:"secret_wo_version"`
}

type jwtModel struct {
	Algorithm       types.String `tfsdk:"algorithm"`
	PublicKey       types.String `tfsdk:"public_key"`
	SecretWO        types.String `tfsdk:"secret_wo"`
	SecretWOVersion types.Int64  `tfsdk:"secret_wo_version"`
}

// Key is the consumer's name.
func (m *model) Key() string { return m.Name.ValueString() }

// Bounds are the user's timeouts.
func (m *model) Bounds() timeouts.Value { return m.Timeouts }

// Reveal reads the write-only attributes, which are in the configuration alone.
func (m *model) Reveal(ctx context.Context, config tfsdk.Config) diag.Diagnostics {
	var given model
	diags := config.Get(ctx, &given)

	for label, key := range given.Keys {
		planned := m.Keys[label]
		planned.KeyWO = key.KeyWO
		m.Keys[label] = planned
	}

	for name, password := range given.BasicAuth {
		planned := m.BasicAuth[name]
		planned.PasswordWO = password.PasswordWO
		m.BasicAuth[name] = planned
	}

	for name, hmac := range given.HMACAuth {
		planned := m.HMACAuth[name]
		planned.SecretWO = hmac.SecretWO
		m.HMACAuth[name] = planned
	}

	for issuer, token := range given.JWT {
		planned := m.JWT[issuer]
		planned.SecretWO = token.SecretWO
		m.JWT[issuer] = planned
	}

	return diags
}

// Value is what the model asks for.
func (m *model) Value() gateway.Consumer {
	consumer := gateway.Consumer{
		Record:   gateway.Record{Name: m.Name.ValueString(), Note: object.NewNote(m.Timeouts).String()},
		CustomID: m.CustomID.ValueString(),
		Groups:   m.Groups,
	}

	add := func(kind, name string, secret types.String, version types.Int64) {
		consumer.Credentials = append(consumer.Credentials, gateway.Credential{
			Kind: kind, Name: name, Secret: secret.ValueString(), Version: version.ValueInt64(),
		})
	}
	for label, key := range m.Keys {
		add(gateway.KeyAuth, label, key.KeyWO, key.KeyWOVersion)
	}
	for name, password := range m.BasicAuth {
		add(gateway.BasicAuth, name, password.PasswordWO, password.PasswordWOVersion)
	}
	for name, hmac := range m.HMACAuth {
		add(gateway.HMACAuth, name, hmac.SecretWO, hmac.SecretWOVersion)
	}
	for issuer, token := range m.JWT {
		consumer.Credentials = append(consumer.Credentials, gateway.Credential{
			Kind: gateway.JWT, Name: issuer, Secret: token.SecretWO.ValueString(), Version: token.SecretWOVersion.ValueInt64(),
			Algorithm: token.Algorithm.ValueString(), PublicKey: token.PublicKey.ValueString(),
		})
	}

	slices.SortFunc(consumer.Credentials, func(a, b gateway.Credential) int { return strings.Compare(a.Kind+a.Name, b.Kind+b.Name) })

	return consumer
}

// Set takes over what the gateway says.
func (m *model) Set(ctx context.Context, consumer gateway.Consumer) {
	m.ID, m.Name = types.StringValue(consumer.Name), types.StringValue(consumer.Name)
	m.CustomID = object.Text(consumer.CustomID)
	m.Groups = consumer.Groups
	m.Timeouts = object.ReadNote(consumer.Note).Restore(ctx, m.Timeouts)
	m.Keys, m.BasicAuth, m.HMACAuth, m.JWT = nil, nil, nil, nil

	for _, credential := range consumer.Credentials {
		version := types.Int64Value(credential.Version)
		if credential.Version == 0 {
			version = types.Int64Null()
		}

		switch credential.Kind {
		case gateway.KeyAuth:
			put(&m.Keys, credential.Name, keyModel{types.StringNull(), version})
		case gateway.BasicAuth:
			put(&m.BasicAuth, credential.Name, passwordModel{types.StringNull(), version})
		case gateway.HMACAuth:
			put(&m.HMACAuth, credential.Name, hmacModel{types.StringNull(), version})
		case gateway.JWT:
			put(&m.JWT, credential.Name, jwtModel{
				types.StringValue(credential.Algorithm), object.Text(credential.PublicKey), types.StringNull(), version,
			})
		}
	}
}

// put adds to a map that is null until there is something in it.
func put[T any](into *map[string]T, name string, value T) {
	if *into == nil {
		*into = map[string]T{}
	}

	(*into)[name] = value
}
