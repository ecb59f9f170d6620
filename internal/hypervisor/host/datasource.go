// Package host is the data source hypervisor_host.
package host

import (
	"context"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
)

// readLimit is how long a host may take to answer.
const readLimit = 2 * time.Minute

type hostDataSource struct {
	clients *backend.Backend
}

var _ datasource.DataSourceWithConfigure = (*hostDataSource)(nil)

// New makes the data source type.
func New() datasource.DataSource { return &hostDataSource{} }

func (d *hostDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "hypervisor_host"
}

func (d *hostDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = hostSchema()
}

func (d *hostDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	d.clients = backend.From(req.ProviderData)
}

func (d *hostDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config model
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)

	if resp.Diagnostics.HasError() {
		return
	}

	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()

	host, err := d.clients.Host(config.Name.ValueString())
	if err == nil {
		err = config.read(ctx, host)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("read", "host", config.Name.ValueString(), err))

		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, config)...)
}

func (m *model) read(ctx context.Context, host *libvirt.Host) error {
	hardware, err := host.Topology(ctx)
	if err != nil {
		return err
	}

	free, err := host.Free(ctx)
	if err != nil {
		return err
	}

	domains, err := host.Domains(ctx)
	if err != nil {
		return err
	}

	own, foreign, err := pinsOf(domains)
	if err != nil {
		return err
	}

	m.Facts, m.Usage = newFacts(hardware, foreign), newUsage(hardware, free, own)

	return nil
}
