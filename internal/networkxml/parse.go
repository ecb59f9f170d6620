package networkxml

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// Parse reads the XML that libvirt returns. What a Spec cannot say is left out, such as reservations of DHCPv6, which
// know guests by another identifier than a MAC.
func Parse(text string) (Spec, error) {
	var definition libvirtxml.Network
	if err := definition.Unmarshal(text); err != nil {
		return Spec{}, fmt.Errorf("parse a network: %w", err)
	}

	spec := Spec{Name: definition.Name, Mode: mode(definition.Forward)}

	if port := definition.VirtualPort; spec.Mode == Bridge && port != nil && port.Params != nil && port.Params.OpenVSwitch != nil {
		spec.Mode = OpenVSwitch
	}

	if definition.VLAN != nil {
		for _, tag := range definition.VLAN.Tags {
			spec.VLANs = append(spec.VLANs, tag.ID)
		}
	}

	if definition.Bridge != nil {
		spec.Bridge = definition.Bridge.Name
	}

	if definition.Domain != nil {
		spec.Domain = definition.Domain.Name
	}

	for _, element := range definition.IPs {
		address, err := parseAddress(element)
		if err != nil {
			return Spec{}, fmt.Errorf("parse network %q: %w", spec.Name, err)
		}

		spec.Addresses = append(spec.Addresses, address)

		if element.DHCP == nil {
			continue
		}

		if err := spec.DHCP.parse(*element.DHCP); err != nil {
			return Spec{}, fmt.Errorf("parse network %q: %w", spec.Name, err)
		}
	}

	return spec, nil
}

func mode(forward *libvirtxml.NetworkForward) string {
	if forward == nil {
		return Isolated
	}

	for ours, theirs := range forwards {
		if forward.Mode == theirs {
			return ours
		}
	}

	if forward.Mode == "" { // libvirt's default for an element without the attribute
		return NAT
	}

	return forward.Mode
}

// parseAddress reads an address of the bridge. Libvirt keeps a netmask as it was written instead of a prefix.
func parseAddress(element libvirtxml.NetworkIP) (netip.Prefix, error) {
	address, err := netip.ParseAddr(element.Address)
	if err != nil {
		return netip.Prefix{}, err
	}

	if element.Prefix != 0 {
		return netip.PrefixFrom(address, int(element.Prefix)), nil
	}

	length := natural(address)

	if mask, err := netip.ParseAddr(element.Netmask); err == nil {
		length = 0
		for _, octet := range mask.AsSlice() {
			length += bits.OnesCount8(octet)
		}
	}

	return netip.PrefixFrom(address, length), nil
}

// natural is the length of the prefix that libvirt takes if there is none: the address's class, or 64 for IPv6.
func natural(address netip.Addr) int {
	first := address.AsSlice()[0]

	switch {
	case address.Is6():
		return 64
	case first < 128:
		return 8
	case first < 192:
		return 16
	default:
		return 24
	}
}

func (d *DHCP) parse(element libvirtxml.NetworkDHCP) error {
	for _, leased := range element.Ranges {
		start, err := netip.ParseAddr(leased.Start)
		if err != nil {
			return err
		}

		end, err := netip.ParseAddr(leased.End)
		if err != nil {
			return err
		}

		d.Ranges = append(d.Ranges, Range{Start: start, End: end})
	}

	for _, host := range element.Hosts {
		address, err := netip.ParseAddr(host.IP)
		if err != nil || host.MAC == "" {
			continue
		}

		mac, name := strings.ToLower(host.MAC), host.Name
		if name == "" {
			name = mac
		}

		if d.Hosts == nil {
			d.Hosts = map[string]Host{}
		}

		d.Hosts[name] = Host{MAC: mac, Address: address}
	}

	return nil
}
