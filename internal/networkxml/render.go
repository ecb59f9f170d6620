package networkxml

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"libvirt.org/go/libvirtxml"
)

// forwards are libvirt's words for our modes. An isolated network has none, and one of Open vSwitch that of a bridge.
var forwards = map[string]string{NAT: "nat", Routed: "route", Bridge: "bridge"}

// Render returns the network XML. The Spec must pass Check.
func Render(spec Spec) (string, error) {
	definition := libvirtxml.Network{Name: spec.Name}

	if forward := forwards[spec.Mode]; forward != "" {
		definition.Forward = &libvirtxml.NetworkForward{Mode: forward}
	}

	if spec.Mode == OpenVSwitch {
		definition.Forward = &libvirtxml.NetworkForward{Mode: forwards[Bridge]}
		definition.VirtualPort = &libvirtxml.NetworkVirtualPort{Params: &libvirtxml.NetworkVirtualPortParams{OpenVSwitch: &libvirtxml.NetworkVirtualPortParamsOpenVSwitch{}}}
		definition.VLAN = vlan(spec.VLANs)
	}

	if spec.Bridge != "" {
		definition.Bridge = &libvirtxml.NetworkBridge{Name: spec.Bridge}
	}

	if spec.Domain != "" {
		definition.Domain = &libvirtxml.NetworkDomain{Name: spec.Domain}
	}

	for _, address := range sorted(spec.Addresses) {
		definition.IPs = append(definition.IPs, ip(address, spec.DHCP))
	}

	text, err := definition.Marshal()
	if err != nil {
		return "", fmt.Errorf("render network %q: %w", spec.Name, err)
	}

	return text, nil
}

// vlan tags what guests send with one VLAN, or lets them tag it with one of several.
func vlan(ids []uint) *libvirtxml.NetworkVLAN {
	if len(ids) == 0 {
		return nil
	}

	rendered := &libvirtxml.NetworkVLAN{}
	for _, id := range slices.Sorted(slices.Values(ids)) {
		rendered.Tags = append(rendered.Tags, libvirtxml.NetworkVLANTag{ID: id})
	}

	if len(ids) > 1 {
		rendered.Trunk = "yes"
	}

	return rendered
}

// ip is an address of the bridge with the part of the DHCP that belongs to its subnet.
func ip(address netip.Prefix, dhcp DHCP) libvirtxml.NetworkIP {
	rendered := libvirtxml.NetworkIP{Address: address.Addr().String(), Prefix: uint(address.Bits())}

	if address.Addr().Is6() {
		rendered.Family = "ipv6"
	}

	var served libvirtxml.NetworkDHCP

	for _, leased := range sortedRanges(dhcp.Ranges) {
		if address.Contains(leased.Start) {
			served.Ranges = append(served.Ranges, rangeElement(leased))
		}
	}

	for _, name := range slices.Sorted(maps.Keys(dhcp.Hosts)) {
		if host := dhcp.Hosts[name]; address.Contains(host.Address) {
			served.Hosts = append(served.Hosts, hostElement(name, host))
		}
	}

	if len(served.Ranges)+len(served.Hosts) > 0 {
		rendered.DHCP = &served
	}

	return rendered
}

func sortedRanges(ranges []Range) []Range {
	return slices.SortedFunc(slices.Values(ranges), func(a, b Range) int {
		if order := a.Start.Compare(b.Start); order != 0 {
			return order
		}

		return a.End.Compare(b.End)
	})
}

func rangeElement(leased Range) libvirtxml.NetworkDHCPRange {
	return libvirtxml.NetworkDHCPRange{Start: leased.Start.String(), End: leased.End.String()}
}

func hostElement(name string, host Host) libvirtxml.NetworkDHCPHost {
	element := libvirtxml.NetworkDHCPHost{MAC: host.MAC, IP: host.Address.String()}

	if name != host.MAC {
		element.Name = name
	}

	return element
}
