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

// Key is the route's name.
func (m *model) Key() string { return m.Name.ValueString() }

// Value is what the model asks for.
func (m *model) Value() gateway.Route {
	return gateway.Route{
		Name:     m.Name.ValueString(),
		Hosts:    m.Hosts,
		Paths:    m.Paths,
		Upstream: m.Upstream.ValueString(),
	}
}

// Set takes over what the gateway says.
func (m *model) Set(route gateway.Route) {
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
