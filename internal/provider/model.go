package provider

import (
	"os"
	"strconv"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/traefik"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const defaultConnectTimeout = 10 * time.Second

type model struct {
	Hosts   map[string]hostModel `tfsdk:"hosts"`
	Consul  *consulModel         `tfsdk:"consul"`
	Gateway *gatewayModel        `tfsdk:"gateway"`
}

type hostModel struct {
	URI            types.String `tfsdk:"uri"`
	ConnectTimeout tf.Notation  `tfsdk:"connect_timeout"`
	MigrationURI   types.String `tfsdk:"migration_uri"`
	PeerURI        types.String `tfsdk:"peer_uri"`
}

type consulModel struct {
	Address    types.String `tfsdk:"address"`
	Datacenter types.String `tfsdk:"datacenter"`
	Token      types.String `tfsdk:"token"`
	TokenFile  types.String `tfsdk:"token_file"`
	CAFile     types.String `tfsdk:"ca_file"`
	CertFile   types.String `tfsdk:"cert_file"`
	KeyFile    types.String `tfsdk:"key_file"`
	ServerName types.String `tfsdk:"server_name"`
	Timeout    tf.Notation  `tfsdk:"timeout"`
}

type gatewayModel struct {
	Kong    *kongModel    `tfsdk:"kong"`
	Traefik *traefikModel `tfsdk:"traefik"`
}

type kongModel struct {
	AdminURL  types.String `tfsdk:"admin_url"`
	Token     types.String `tfsdk:"token"`
	TokenFile types.String `tfsdk:"token_file"`
	Workspace types.String `tfsdk:"workspace"`
	CAFile    types.String `tfsdk:"ca_file"`
}

type traefikModel struct {
	KeyPrefix   types.String      `tfsdk:"key_prefix"`
	EntryPoints []string          `tfsdk:"entry_points"`
	Ports       map[string]string `tfsdk:"ports"`
}

func (m model) backend() backend.Config {
	config := backend.Config{Hosts: make(map[string]libvirt.Config, len(m.Hosts))}

	for name, host := range m.Hosts {
		config.Hosts[name] = host.libvirt()
	}

	if m.Consul != nil {
		config.Consul = m.Consul.catalog()
	}

	if m.Gateway != nil && m.Gateway.Kong != nil {
		config.Kong = m.Gateway.Kong.kong()
	}

	if m.Gateway != nil && m.Gateway.Traefik != nil {
		config.Traefik = m.Gateway.Traefik.traefik()
	}

	return config
}

func (m hostModel) libvirt() libvirt.Config {
	timeout := defaultConnectTimeout
	if !m.ConnectTimeout.IsNull() {
		timeout = m.ConnectTimeout.Duration()
	}

	return libvirt.Config{
		URI: m.URI.ValueString(), ConnectTimeout: timeout,
		MigrationURI: m.MigrationURI.ValueString(), PeerURI: m.PeerURI.ValueString(),
	}
}

func (m consulModel) catalog() catalog.Config {
	return catalog.Config{
		Address:    m.Address.ValueString(),
		Datacenter: m.Datacenter.ValueString(),
		Token:      m.Token.ValueString(),
		TokenFile:  m.TokenFile.ValueString(),
		CAFile:     m.CAFile.ValueString(),
		CertFile:   m.CertFile.ValueString(),
		KeyFile:    m.KeyFile.ValueString(),
		ServerName: m.ServerName.ValueString(),
		Timeout:    m.Timeout.Duration(),
	}
}

func (m kongModel) kong() *kong.Config {
	token, file := m.Token.ValueString(), m.TokenFile.ValueString()
	if token == "" && file == "" {
		token, file = os.Getenv("KONG_ADMIN_TOKEN"), os.Getenv("KONG_ADMIN_TOKEN_FILE")
	}

	return &kong.Config{
		AdminURL: m.AdminURL.ValueString(), Token: token, TokenFile: file,
		Workspace: m.Workspace.ValueString(), CAFile: m.CAFile.ValueString(),
	}
}

func (m traefikModel) traefik() *traefik.Config {
	prefix := m.KeyPrefix.ValueString()
	if prefix == "" {
		prefix = "traefik"
	}

	ports := make(map[int]string, len(m.Ports))

	for text, entryPoint := range m.Ports {
		if port, err := strconv.Atoi(text); err == nil { // the schema takes numbers only
			ports[port] = entryPoint
		}
	}

	return &traefik.Config{KeyPrefix: prefix, EntryPoints: m.EntryPoints, Ports: ports}
}
