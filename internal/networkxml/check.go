package networkxml

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// A Problem is something that libvirt or its DHCP server would refuse, or accept and then not do.
type Problem struct {
	Attribute string // where it is: "mode", "bridge", "domain", "addresses", "vlans", "ranges" or "hosts"
	Host      string // which reservation, for hosts
	Text      string // cause and remedy, in whole sentences
}

// Check returns what is wrong with a network that is to be made or changed.
func (s Spec) Check() []Problem {
	var found []Problem

	if s.OnHostBridge() {
		found = append(found, s.checkBridge()...)
	}

	for _, address := range s.Addresses {
		if address.Addr() == address.Masked().Addr() && !address.IsSingleIP() {
			found = append(found, Problem{Attribute: "addresses", Text: fmt.Sprintf(
				"%s is the address of a subnet. Write that of the bridge in it, such as %s.", address, netip.PrefixFrom(address.Addr().Next(), address.Bits()))})
		}
	}

	if s.Mode != OpenVSwitch && len(s.VLANs) > 0 {
		found = append(found, Problem{Attribute: "vlans", Text: "Libvirt tags frames on bridges of Open vSwitch only. Choose the mode openvswitch, or make a bridge for the VLAN on the host and choose the mode bridge."})
	}

	if !s.OnHostBridge() {
		found = append(found, s.checkDHCP()...)
	}

	return found
}

func (s Spec) checkBridge() []Problem {
	const remedy = " Remove it, or choose the mode nat, routed or isolated."

	var found []Problem

	if s.Bridge == "" {
		found = append(found, Problem{Attribute: "bridge", Text: fmt.Sprintf("A network of mode %s needs the name of a bridge that the host has, such as \"br0\".", s.Mode)})
	}

	if s.Domain != "" {
		found = append(found, Problem{Attribute: "domain", Text: "The guests of a bridge that the host has get no DNS from libvirt." + remedy})
	}

	if len(s.Addresses) > 0 {
		found = append(found, Problem{Attribute: "addresses", Text: "A bridge that the host has gets no addresses from libvirt." + remedy})
	}

	if len(s.DHCP.Ranges) > 0 {
		found = append(found, Problem{Attribute: "ranges", Text: "The guests of a bridge that the host has get no DHCP from libvirt." + remedy})
	}

	if len(s.DHCP.Hosts) > 0 {
		found = append(found, Problem{Attribute: "hosts", Text: "The guests of a bridge that the host has get no DHCP from libvirt." + remedy})
	}

	return found
}

// checkDHCP also holds to libvirt's rule that one IPv4 and one IPv6 subnet of a network have DHCP at the most.
func (s Spec) checkDHCP() []Problem {
	var found []Problem

	served := map[bool]netip.Prefix{} // by whether it is IPv6

	serve := func(at Problem, address netip.Addr) {
		subnet, ok := s.subnet(address)
		first, others := served[address.Is6()]

		switch {
		case !ok:
			at.Text = fmt.Sprintf("%s is in no subnet of the network. %s", address, s.subnets())
		case others && first != subnet:
			at.Text = fmt.Sprintf("%s is in %s, and %s has DHCP already. Libvirt serves one subnet of IPv4 and one of IPv6 for each network: make another network for it.", address, subnet.Masked(), first.Masked())
		default:
			served[address.Is6()] = subnet

			return
		}

		found = append(found, at)
	}

	for _, leased := range sortedRanges(s.DHCP.Ranges) {
		at := Problem{Attribute: "ranges"}

		if subnet, ok := s.subnet(leased.Start); ok && (!subnet.Contains(leased.End) || leased.End.Less(leased.Start)) {
			at.Text = fmt.Sprintf("The range from %s to %s does not go upwards within %s. Correct start or end.", leased.Start, leased.End, subnet.Masked())
			found = append(found, at)

			continue
		}

		serve(at, leased.Start)
	}

	found = append(found, s.checkHosts()...)

	for _, name := range slices.Sorted(maps.Keys(s.DHCP.Hosts)) {
		if address := s.DHCP.Hosts[name].Address; address.Is4() {
			serve(Problem{Attribute: "hosts", Host: name}, address)
		}
	}

	return found
}

// checkHosts finds reservations that contradict each other.
func (s Spec) checkHosts() []Problem {
	var found []Problem

	owners := map[string]string{} // names by MAC or address

	for _, name := range slices.Sorted(maps.Keys(s.DHCP.Hosts)) {
		host := s.DHCP.Hosts[name]

		if host.Address.Is6() {
			found = append(found, Problem{Attribute: "hosts", Host: name, Text: fmt.Sprintf(
				"%s is an IPv6 address, and DHCPv6 does not know guests by their MAC. Reserve an IPv4 address.", host.Address)})
		}

		for _, key := range []string{host.MAC, host.Address.String()} {
			if owner, taken := owners[key]; taken {
				found = append(found, Problem{Attribute: "hosts", Host: name, Text: fmt.Sprintf(
					"%s is in the reservation of %q already. Give each guest its own.", key, owner)})
			}

			owners[key] = name
		}
	}

	return found
}

func (s Spec) subnet(address netip.Addr) (netip.Prefix, bool) {
	at := slices.IndexFunc(s.Addresses, func(subnet netip.Prefix) bool { return subnet.Contains(address) })
	if at < 0 {
		return netip.Prefix{}, false
	}

	return s.Addresses[at], true
}

func (s Spec) subnets() string {
	if len(s.Addresses) == 0 {
		return "It has none: add an address of the bridge to addresses, such as \"10.0.0.1/24\"."
	}

	texts := make([]string, len(s.Addresses))
	for i, address := range sorted(s.Addresses) {
		texts[i] = address.Masked().String()
	}

	return "It has " + strings.Join(texts, ", ") + ": choose an address in there, or add one of the bridge to addresses."
}
