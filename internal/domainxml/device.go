package domainxml

import (
	"fmt"

	"libvirt.org/go/libvirtxml"
)

// DiskDevice returns the element of a disk in a definition, without what only that definition says about it: its address
// and its place in the boot order.
func DiskDevice(text, name string) (string, error) {
	domain, err := unmarshal(text)
	if err != nil {
		return "", err
	}

	there := Spec{}

	for _, disk := range domain.Devices.Disks {
		if !isDisk(disk) || disk.Serial == seedSerial || there.diskName(disk) != name {
			there.parseDisks([]libvirtxml.DomainDisk{disk})

			continue
		}

		disk.Address, disk.Alias, disk.Boot, disk.BackingStore = nil, nil, nil, nil

		return disk.Marshal()
	}

	return "", fmt.Errorf("domain %q has no disk %q", domain.Name, name)
}

// InterfaceDevice returns the element of the interface with the MAC address in a definition, to be plugged in anywhere.
func InterfaceDevice(text, mac string) (string, error) {
	nic, err := findInterface(text, mac)
	if err != nil {
		return "", err
	}

	nic.Address, nic.Alias, nic.Target = nil, nil, nil

	return nic.Marshal()
}

// RewiredInterface returns the element of an interface of a running machine as it is to be connected.
func RewiredInterface(live string, want Interface) (string, error) {
	device, err := findInterface(live, want.MAC)
	if err != nil {
		return "", err
	}

	device.Source = nic(want).Source

	return device.Marshal()
}

func findInterface(text, mac string) (libvirtxml.DomainInterface, error) {
	domain, err := unmarshal(text)
	if err != nil {
		return libvirtxml.DomainInterface{}, err
	}

	for _, device := range domain.Devices.Interfaces {
		if device.MAC != nil && device.MAC.Address == mac {
			return device, nil
		}
	}

	return libvirtxml.DomainInterface{}, fmt.Errorf("domain %q has no interface with the MAC address %s", domain.Name, mac)
}

func unmarshal(text string) (domain libvirtxml.Domain, err error) {
	if err = domain.Unmarshal(text); err != nil {
		return domain, fmt.Errorf("parse domain XML: %w", err)
	}

	if domain.Devices == nil {
		domain.Devices = &libvirtxml.DomainDeviceList{}
	}

	return domain, nil
}
