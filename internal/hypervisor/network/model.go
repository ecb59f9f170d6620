package network

import (
	"net/netip"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/networkxml"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	ID        types.String   `tfsdk:"id"`
	Host      types.String   `tfsdk:"host"`
	Name      types.String   `tfsdk:"name"`
	Mode      types.String   `tfsdk:"mode"`
	Bridge    types.String   `tfsdk:"bridge"`
	Domain    types.String   `tfsdk:"domain"`
	Addresses []string       `tfsdk:"addresses"`
	VLANs     []uint         `tfsdk:"vlans"`
	DHCP      *dhcp          `tfsdk:"dhcp"`
	Autostart types.Bool     `tfsdk:"autostart"`
	Running   types.Bool     `tfsdk:"running"`
	Timeouts  timeouts.Value `tfsdk:"timeouts"`
}

type dhcp struct {
	Ranges []leased               `tfsdk:"ranges"`
	Hosts  map[string]reservation `tfsdk:"hosts"`
}

type leased struct {
	Start types.String `tfsdk:"start"`
	End   types.String `tfsdk:"end"`
}

type reservation struct {
	MAC     types.String `tfsdk:"mac"`
	Address types.String `tfsdk:"address"`
}

// Key is where the network is and what it is called.
func (m *model) Key() (host, name types.String) { return m.Host, m.Name }

// Bounds are the user's limits.
func (m *model) Bounds() timeouts.Value { return m.Timeouts }

// spec is the network that is declared. What is malformed is left out: the schema refuses it.
func (m model) spec() networkxml.Spec {
	spec := networkxml.Spec{
		Name: m.Name.ValueString(), Mode: m.Mode.ValueString(), Bridge: m.Bridge.ValueString(), Domain: m.Domain.ValueString(), VLANs: m.VLANs,
	}

	for _, text := range m.Addresses {
		if address, err := netip.ParsePrefix(text); err == nil {
			spec.Addresses = append(spec.Addresses, address)
		}
	}

	if m.DHCP != nil {
		spec.DHCP = m.DHCP.spec()
	}

	return spec
}

func (d dhcp) spec() networkxml.DHCP {
	spec := networkxml.DHCP{Hosts: map[string]networkxml.Host{}}

	for _, between := range d.Ranges {
		start, startErr := netip.ParseAddr(between.Start.ValueString())
		end, endErr := netip.ParseAddr(between.End.ValueString())

		if startErr == nil && endErr == nil {
			spec.Ranges = append(spec.Ranges, networkxml.Range{Start: start, End: end})
		}
	}

	for name, host := range d.Hosts {
		if address, err := netip.ParseAddr(host.Address.ValueString()); err == nil {
			spec.Hosts[name] = networkxml.Host{MAC: host.MAC.ValueString(), Address: address}
		}
	}

	return spec
}

// set takes over what the host says.
func (m *model) set(found libvirt.Network, spec networkxml.Spec) {
	m.ID = object.ID(m.Host.ValueString(), m.Name.ValueString())
	m.Mode = types.StringValue(spec.Mode)
	m.Bridge = types.StringValue(spec.Bridge)
	m.Domain = types.StringNull()
	m.Autostart = types.BoolValue(found.Autostart)
	m.Running = types.BoolValue(found.Active)

	if spec.Domain != "" {
		m.Domain = types.StringValue(spec.Domain)
	}

	var addresses []string
	if m.Addresses != nil { // an empty set stays one, and so does an absent one
		addresses = []string{}
	}

	for _, address := range spec.Addresses {
		addresses = append(addresses, address.String())
	}

	m.Addresses = addresses
	m.VLANs = spec.VLANs
	m.DHCP = m.DHCP.observed(spec.DHCP)
}

// observed is what the host serves; what is empty is absent, unless it was there and empty before.
func (d *dhcp) observed(spec networkxml.DHCP) *dhcp {
	if d == nil {
		if len(spec.Ranges)+len(spec.Hosts) == 0 {
			return nil
		}

		d = &dhcp{}
	}

	var served dhcp
	if d.Ranges != nil {
		served.Ranges = []leased{}
	}

	for _, between := range spec.Ranges {
		served.Ranges = append(served.Ranges, leased{Start: types.StringValue(between.Start.String()), End: types.StringValue(between.End.String())})
	}

	if d.Hosts != nil || len(spec.Hosts) > 0 {
		served.Hosts = make(map[string]reservation, len(spec.Hosts))
	}

	for name, host := range spec.Hosts {
		served.Hosts[name] = reservation{MAC: types.StringValue(host.MAC), Address: types.StringValue(host.Address.String())}
	}

	return &served
}
