// Package networkxml renders and parses libvirt's network XML, checks what a network is told, and says how the DHCP of
// one that exists becomes another. It computes from its arguments alone.
package networkxml

import (
	"net/netip"
	"slices"
)

// The modes of a network. Parse gives other modes of libvirt's, which a Spec cannot say in full, in libvirt's own words.
const (
	NAT      = "nat"      // guests leave through the host's address; IPv6 is routed
	Routed   = "routed"   // guests leave with their own addresses
	Isolated = "isolated" // guests reach each other and the host
	Bridge   = "bridge"   // guests are on a bridge of the host that somebody else made

	OpenVSwitch = "openvswitch" // the same on a bridge of Open vSwitch, with VLANs
)

// Spec is a network as its host stores it or runs it.
type Spec struct {
	Name      string
	Mode      string
	Bridge    string // empty in what is rendered lets libvirt choose
	Domain    string // DNS domain of the guests; empty for none
	VLANs     []uint // of an Open vSwitch bridge: the guests' own, or those that they tag themselves if there are several
	Addresses []netip.Prefix
	DHCP      DHCP
}

// DHCP is what the network's DHCP server hands out.
type DHCP struct {
	Ranges []Range
	Hosts  map[string]Host // by the guest's host name, or by its MAC if it gets no name
}

// Range is a range of addresses, both ends included.
type Range struct {
	Start, End netip.Addr
}

// Host is an address that is reserved for a guest.
type Host struct {
	MAC     string // in lower case
	Address netip.Addr
}

// Same reports whether both are the same network, apart from its DHCP, which changes while it runs, and from its bridge
// unless both name one.
func (s Spec) Same(other Spec) bool {
	return s.Name == other.Name && s.Mode == other.Mode && s.Domain == other.Domain &&
		(s.Bridge == "" || other.Bridge == "" || s.Bridge == other.Bridge) &&
		slices.Equal(sorted(s.Addresses), sorted(other.Addresses)) &&
		slices.Equal(slices.Sorted(slices.Values(s.VLANs)), slices.Sorted(slices.Values(other.VLANs)))
}

// OnHostBridge reports whether the guests are on a bridge that the host has, which does not come and go with the network.
func (s Spec) OnHostBridge() bool { return s.Mode == Bridge || s.Mode == OpenVSwitch }

func sorted(addresses []netip.Prefix) []netip.Prefix {
	return slices.SortedFunc(slices.Values(addresses), netip.Prefix.Compare)
}
