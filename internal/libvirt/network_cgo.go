//go:build cgo

package libvirt

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/networkxml"
	"libvirt.org/go/libvirt"
)

func (s session) networks() ([]Network, error) {
	listed, err := s.conn.ListAllNetworks(0)
	if err != nil {
		return nil, fail(err)
	}

	return describeNetworks(listed)
}

func describeNetworks(listed []libvirt.Network) ([]Network, error) {
	return each(len(listed), func(i int) (Network, error) {
		defer func() { _ = listed[i].Free() }()

		network, err := describeNetwork(&listed[i])

		return network, fail(err)
	})
}

func describeNetwork(found *libvirt.Network) (network Network, err error) {
	if network.Name, err = found.GetName(); err != nil {
		return Network{}, err
	}

	if network.Active, err = found.IsActive(); err != nil {
		return Network{}, err
	}

	if network.Persistent, err = found.IsPersistent(); err != nil {
		return Network{}, err
	}

	if network.Persistent { // libvirt fails to tell it of any other
		if network.Autostart, err = found.GetAutostart(); err != nil {
			return Network{}, err
		}
	}

	if network.XML, err = found.GetXMLDesc(libvirt.NETWORK_XML_INACTIVE); err != nil || !network.Active {
		return network, err
	}

	network.LiveXML, err = found.GetXMLDesc(0)

	return network, err
}

func (s session) withNetwork(name string, action func(*libvirt.Network) error) error {
	network, err := s.conn.LookupNetworkByName(name)
	if err != nil {
		return fail(err)
	}

	defer func() { _ = network.Free() }()

	return fail(action(network))
}

func (s session) network(name string) (network Network, err error) {
	err = s.withNetwork(name, func(found *libvirt.Network) error {
		network, err = describeNetwork(found)

		return err
	})

	return network, err
}

func (s session) defineNetwork(xml string) error {
	network, err := s.conn.NetworkDefineXML(xml)
	if err != nil {
		return fail(err)
	}

	return fail(network.Free())
}

func (s session) startNetwork(name string) error {
	return s.withNetwork(name, func(network *libvirt.Network) error {
		if active, err := network.IsActive(); err != nil || active {
			return err
		}

		return network.Create()
	})
}

func (s session) stopNetwork(name string) error {
	return s.withNetwork(name, func(network *libvirt.Network) error {
		if active, err := network.IsActive(); err != nil || !active {
			return err
		}

		return network.Destroy()
	})
}

func (s session) undefineNetwork(name string) error {
	return s.withNetwork(name, func(network *libvirt.Network) error { return network.Undefine() })
}

func (s session) setNetworkAutostart(name string, on bool) error {
	return s.withNetwork(name, func(network *libvirt.Network) error { return network.SetAutostart(on) })
}

func (s session) updateNetwork(name string, change networkxml.Change, live bool) error {
	command, section := libvirt.NETWORK_UPDATE_COMMAND_DELETE, libvirt.NETWORK_SECTION_IP_DHCP_RANGE
	where := libvirt.NETWORK_UPDATE_AFFECT_CONFIG

	if change.Add {
		command = libvirt.NETWORK_UPDATE_COMMAND_ADD_LAST
	}

	if change.Section == networkxml.Hosts {
		section = libvirt.NETWORK_SECTION_IP_DHCP_HOST
	}

	if live {
		where = libvirt.NETWORK_UPDATE_AFFECT_LIVE
	}

	return s.withNetwork(name, func(network *libvirt.Network) error {
		return network.Update(command, section, change.Subnet, change.XML, where)
	})
}
