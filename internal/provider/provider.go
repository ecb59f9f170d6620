// Package provider is the provider block: its schema, what it configures, and the lists of types.
package provider

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	consulnode "github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/node"
	consulservice "github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/service"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/certificate"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/consumer"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/plugin"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/route"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/upstream"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/host"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/network"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/placement"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/pool"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/snapshot"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/vm"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/volume"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// Address is the provider's address on the default registry.
const Address = "registry.terraform.io/baiyi-infra/hypervisor"

type hypervisorProvider struct {
	version string
	clients *sharedClients
}

var (
	_ provider.Provider                  = hypervisorProvider{}
	_ provider.ProviderWithListResources = hypervisorProvider{}
)

// New makes the provider's factory; version is the release's number, "dev" for a local build.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return hypervisorProvider{version: version, clients: &sharedClients{}} }
}

func (p hypervisorProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "hypervisor"
	resp.Version = p.version
}

func (p hypervisorProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = providerSchema()
}

func (p hypervisorProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	resp.Diagnostics.Append(refuseUnknown(req.Config.Raw)...)

	if resp.Diagnostics.HasError() {
		return
	}

	var config model
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)

	if resp.Diagnostics.HasError() {
		return
	}

	clients := backend.New(config.backend())
	p.clients.Store(clients)

	resp.ResourceData = clients
	resp.DataSourceData = clients
	resp.ListResourceData = clients
}

func (p hypervisorProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		vm.New,
		placement.New,
		volume.New,
		network.New,
		pool.New,
		snapshot.New,
		consulservice.New,
		consulnode.New,
		upstream.New,
		route.New,
		plugin.New,
		consumer.New,
		certificate.New,
	}
}

func (p hypervisorProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		host.New,
	}
}

// ListResources lists what `terraform query` can find on a host, in Consul or in a gateway.
func (p hypervisorProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{
		vm.NewList,
		volume.NewList,
		network.NewList,
		pool.NewList,
		consulservice.NewList,
		consulnode.NewList,
		upstream.NewList,
		route.NewList,
		plugin.NewList,
		consumer.NewList,
		certificate.NewList,
	}
}
