package route

import (
	"context"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	ID            types.String        `tfsdk:"id"`
	Name          types.String        `tfsdk:"name"`
	Protocol      types.String        `tfsdk:"protocol"`
	Hosts         []string            `tfsdk:"hosts"`
	Paths         []string            `tfsdk:"paths"`
	ExactPaths    []string            `tfsdk:"exact_paths"`
	PathPatterns  []string            `tfsdk:"path_patterns"`
	Methods       []string            `tfsdk:"methods"`
	Headers       map[string][]string `tfsdk:"headers"`
	SNIs          []string            `tfsdk:"snis"`
	Ports         []int64             `tfsdk:"ports"`
	Priority      types.Int64         `tfsdk:"priority"`
	StripPath     types.Bool          `tfsdk:"strip_path"`
	PreserveHost  types.Bool          `tfsdk:"preserve_host"`
	RedirectHTTPS types.Bool          `tfsdk:"redirect_https"`
	Upstream      types.String        `tfsdk:"upstream"`
	Wait          *wait               `tfsdk:"wait_until_routed"`
	Intact        types.Bool          `tfsdk:"intact"`
	Timeouts      timeouts.Value      `tfsdk:"timeouts"`
}

// Key is the route's name.
func (m *model) Key() string { return m.Name.ValueString() }

// Bounds are what the user says of time.
func (m *model) Bounds() timeouts.Value { return m.Timeouts }

// Value is what the model asks for.
func (m *model) Value() gateway.Route {
	note := object.NewNote(m.Timeouts)
	note.Wait = m.Wait.note()

	route := gateway.Route{
		Record:        gateway.Record{Name: m.Name.ValueString(), Note: note.String()},
		Protocol:      m.Protocol.ValueString(),
		Hosts:         m.Hosts,
		Paths:         m.Paths,
		ExactPaths:    m.ExactPaths,
		PathPatterns:  m.PathPatterns,
		Methods:       m.Methods,
		Headers:       m.Headers,
		SNIs:          m.SNIs,
		Priority:      int(m.Priority.ValueInt64()),
		StripPath:     m.StripPath.ValueBool(),
		RewriteHost:   !m.PreserveHost.IsNull() && !m.PreserveHost.ValueBool(),
		RedirectHTTPS: m.RedirectHTTPS.ValueBool(),
		Upstream:      m.Upstream.ValueString(),
	}
	for _, port := range m.Ports {
		route.Ports = append(route.Ports, int(port))
	}

	return settled(route.Complete())
}

// settled puts a route's lists, which are sets, in order.
func settled(route gateway.Route) gateway.Route {
	for _, list := range []*[]string{&route.Hosts, &route.Paths, &route.ExactPaths, &route.PathPatterns, &route.Methods, &route.SNIs} {
		*list = slices.Sorted(slices.Values(*list))
	}

	route.Ports = slices.Sorted(slices.Values(route.Ports))

	var headers map[string][]string

	for name, values := range route.Headers {
		if headers == nil {
			headers = map[string][]string{}
		}

		headers[name] = slices.Sorted(slices.Values(values))
	}

	route.Headers = headers

	return route
}

// Set takes over what the gateway says.
func (m *model) Set(ctx context.Context, route gateway.Route) {
	route = settled(route)

	note := object.ReadNote(route.Note)
	if m.ID.IsNull() { // an import; otherwise what the user said of it stands in the state
		m.Wait = newWait(note.Wait)
	}

	m.Timeouts = note.Restore(ctx, m.Timeouts)

	m.ID = types.StringValue(route.Name)
	m.Name = types.StringValue(route.Name)
	m.Protocol = types.StringValue(route.Protocol)
	m.Hosts, m.Paths, m.ExactPaths, m.PathPatterns = route.Hosts, route.Paths, route.ExactPaths, route.PathPatterns
	m.Methods, m.Headers, m.SNIs = route.Methods, route.Headers, route.SNIs
	m.Priority = types.Int64Value(int64(route.Priority))
	m.StripPath = types.BoolValue(route.StripPath)
	m.PreserveHost = types.BoolValue(!route.RewriteHost)
	m.RedirectHTTPS = types.BoolValue(route.RedirectHTTPS)
	m.Upstream = types.StringValue(route.Upstream)
	m.Intact = types.BoolValue(!route.Altered)

	m.Ports = nil
	for _, port := range route.Ports {
		m.Ports = append(m.Ports, int64(port))
	}
}
