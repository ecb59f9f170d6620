package cloudinit

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// Interface is the configuration of one network interface.
type Interface struct {
	// Name is what the guest calls the interface if it can be a device name (at most 15 characters, no slash, colon or
	// white space); otherwise the guest keeps its own name and Name is a label only.
	Name string
	// MAC is the address by which the guest finds the interface. Required.
	MAC string
	// Addresses are IPv4 and IPv6 addresses with their prefix length, such as "10.0.0.101/24".
	Addresses []string
	// Gateway is the IPv4 default gateway, without a prefix length; empty for none.
	Gateway string
	// Gateway6 is the IPv6 default gateway; empty for none.
	Gateway6 string
	// Nameservers are the addresses of DNS servers.
	Nameservers []string
	// DHCP asks for an IPv4 address, beside the ones in Addresses.
	DHCP bool
	// MTU is in bytes; 0 keeps the default.
	MTU int
}

// The documents are cloud-init's network configuration, version 2.
type (
	networkDocument struct {
		Version   int               `yaml:"version"`
		Ethernets map[text]ethernet `yaml:"ethernets"`
	}
	ethernet struct {
		Match       match        `yaml:"match"`
		SetName     text         `yaml:"set-name,omitempty"`
		DHCP4       bool         `yaml:"dhcp4"`
		MTU         int          `yaml:"mtu,omitempty"`
		Addresses   []text       `yaml:"addresses,omitempty"`
		Routes      []route      `yaml:"routes,omitempty"`
		Nameservers *nameservers `yaml:"nameservers,omitempty"`
	}
	match struct {
		MACAddress text `yaml:"macaddress"`
	}
	route struct {
		To     text `yaml:"to"`
		Via    text `yaml:"via"`
		OnLink bool `yaml:"on-link,omitempty"`
	}
	nameservers struct {
		Addresses []text `yaml:"addresses"`
	}
)

// renderNetworkConfig returns nil if the seed says nothing of the network.
func renderNetworkConfig(seed Seed) ([]byte, error) {
	switch {
	case seed.NetworkConfig != "" && len(seed.Network) > 0:
		return nil, errors.New("both interfaces and a ready-made configuration are given")
	case seed.NetworkConfig != "":
		return readyMade(seed.NetworkConfig)
	case len(seed.Network) == 0:
		return nil, nil
	}

	document := networkDocument{Version: 2, Ethernets: map[text]ethernet{}}
	macs := map[text]string{}

	for _, nic := range seed.Network {
		if _, taken := document.Ethernets[text(nic.Name)]; taken {
			return nil, fmt.Errorf("two interfaces are called %q", nic.Name)
		}

		entry, err := nic.ethernet()
		if err != nil {
			return nil, fmt.Errorf("interface %q: %w", nic.Name, err)
		}

		if other, taken := macs[entry.Match.MACAddress]; taken {
			return nil, fmt.Errorf("interfaces %q and %q have the same MAC address", other, nic.Name)
		}

		document.Ethernets[text(nic.Name)] = entry
		macs[entry.Match.MACAddress] = nic.Name
	}

	return yaml.Marshal(document)
}

func readyMade(config string) ([]byte, error) {
	var document struct {
		Version int `yaml:"version"`
		Network struct {
			Version int `yaml:"version"`
		} `yaml:"network"`
	}

	if err := yaml.Unmarshal([]byte(config), &document); err != nil {
		return nil, fmt.Errorf("read the ready-made configuration: %w", err)
	}

	// Both forms are in use: the bare document, and netplan's with a top-level "network".
	if version := max(document.Version, document.Network.Version); version != 1 && version != 2 {
		return nil, errors.New("the ready-made configuration has no \"version: 2\" (or 1)")
	}

	return []byte(config), nil
}

var (
	macPattern    = regexp.MustCompile(`^([0-9a-f]{2}:){5}[0-9a-f]{2}$`)
	devicePattern = regexp.MustCompile(`^[^/:\s]{1,15}$`) // dev_valid_name() of Linux
)

func (i Interface) ethernet() (ethernet, error) {
	// Guests report addresses in lower case, and cloud-init compares them as text.
	mac := strings.ToLower(i.MAC)
	if !macPattern.MatchString(mac) {
		return ethernet{}, fmt.Errorf("%q is not a MAC address such as \"52:54:00:12:34:56\"", i.MAC)
	}

	// RFC 791 asks every link to carry 68 bytes; the field of the packet length has 16 bits.
	if i.MTU != 0 && (i.MTU < 68 || i.MTU > 65535) {
		return ethernet{}, fmt.Errorf("the MTU %d is not between 68 and 65535", i.MTU)
	}

	entry := ethernet{Match: match{MACAddress: text(mac)}, DHCP4: i.DHCP, MTU: i.MTU}
	if devicePattern.MatchString(i.Name) && i.Name != "." && i.Name != ".." {
		entry.SetName = text(i.Name)
	}

	prefixes, err := i.prefixes()
	if err != nil {
		return ethernet{}, err
	}

	for _, prefix := range prefixes {
		entry.Addresses = append(entry.Addresses, text(prefix.String()))
	}

	if entry.Routes, err = i.routes(prefixes); err != nil {
		return ethernet{}, err
	}

	entry.Nameservers, err = i.nameservers()

	return entry, err
}

func (i Interface) prefixes() ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(i.Addresses))

	for _, address := range i.Addresses {
		prefix, err := netip.ParsePrefix(address)
		if err != nil {
			return nil, fmt.Errorf("%q is not an address with its prefix length, such as \"10.0.0.101/24\"", address)
		}

		prefixes = append(prefixes, prefix)
	}

	return prefixes, nil
}

func (i Interface) routes(prefixes []netip.Prefix) ([]route, error) {
	var routes []route

	for _, way := range []struct {
		family, to, via string
		valid           func(netip.Addr) bool
	}{
		{family: "IPv4", to: "0.0.0.0/0", via: i.Gateway, valid: netip.Addr.Is4},
		{family: "IPv6", to: "::/0", via: i.Gateway6, valid: netip.Addr.Is6},
	} {
		if way.via == "" {
			continue
		}

		gateway, err := netip.ParseAddr(way.via)
		if err != nil || !way.valid(gateway) {
			return nil, fmt.Errorf("the gateway %q is not an %s address", way.via, way.family)
		}

		routes = append(routes, route{To: text(way.to), Via: text(gateway.String()), OnLink: !reachable(gateway, prefixes)})
	}

	return routes, nil
}

// reachable reports whether the gateway is in one of the interface's own networks. The kernel refuses a route through
// any other gateway, as hosting companies with /32 addresses have it, unless told that it is on the link.
func reachable(gateway netip.Addr, prefixes []netip.Prefix) bool {
	if gateway.IsLinkLocalUnicast() {
		return true
	}

	for _, prefix := range prefixes {
		if prefix.Contains(gateway) {
			return true
		}
	}

	return false
}

func (i Interface) nameservers() (*nameservers, error) {
	if len(i.Nameservers) == 0 {
		return nil, nil
	}

	servers := &nameservers{}

	for _, server := range i.Nameservers {
		address, err := netip.ParseAddr(server)
		if err != nil {
			return nil, fmt.Errorf("the name server %q is not an IP address", server)
		}

		servers.Addresses = append(servers.Addresses, text(address.String()))
	}

	return servers, nil
}
