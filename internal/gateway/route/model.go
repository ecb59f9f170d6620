package route

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	ID       types.String `tfsdk:"id"`
	Name     types.String `tfsdk:"name"`
	Hosts    []string     `tfsdk:"hosts"`
	Paths    []string     `tfsdk:"paths"`
	Upstream types.String `tfsdk:"upstream"`
}

func (m *model) route() gateway.Route {
	return gateway.Route{
		Name:     m.Name.ValueString(),
		Hosts:    m.Hosts,
		Paths:    m.Paths,
		Upstream: m.Upstream.ValueString(),
	}
}

func (m *model) set(route gateway.Route) {
	m.ID = types.StringValue(route.Name)
	m.Name = types.StringValue(route.Name)
	m.Hosts = nullIfEmpty(route.Hosts)
	m.Paths = nullIfEmpty(route.Paths)
	m.Upstream = types.StringValue(route.Upstream)
}

// nullIfEmpty keeps a list that asks nothing null, as it is when the configuration leaves it out.
func nullIfEmpty(values []string) []string {
	if len(values) == 0 {
		return nil
	}

	return values
}
