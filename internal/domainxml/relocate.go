package domainxml

import (
	"fmt"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// SeedDisk is the name of the disk that holds the seed.
const SeedDisk = seedSerial

// Relocate returns a machine's definition as it is to be on another host: with what differs in the spec, which is where it
// runs and its mark, and otherwise unchanged, so that the guest sees no difference. paths has the path there of disks that
// are to be given by their path, by name.
func Relocate(text string, spec Spec, paths map[string]string) (string, error) {
	edited, err := Edit(text, spec)
	if err != nil {
		return "", err
	}

	var domain libvirtxml.Domain
	if err := domain.Unmarshal(edited); err != nil {
		return "", fmt.Errorf("parse domain XML: %w", err)
	}

	eachDisk(&domain, func(name string, disk *libvirtxml.DomainDisk) {
		if path, given := paths[name]; given {
			disk.Source, disk.BackingStore = sourceAt(path), nil
		}
	})

	relocated, err := domain.Marshal()
	if err != nil {
		return "", fmt.Errorf("relocate domain %q: %w", spec.Name, err)
	}

	return relocated, nil
}

// sourceAt is a file, or a device such as the volumes of a logical pool are.
func sourceAt(path string) *libvirtxml.DomainDiskSource {
	if strings.HasPrefix(path, "/dev/") {
		return &libvirtxml.DomainDiskSource{Block: &libvirtxml.DomainDiskSourceBlock{Dev: path}}
	}

	return &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: path}}
}

// Devices returns the device name of each disk, such as "vda", by the disk's name as Parse has it.
func Devices(text string) (map[string]string, error) {
	var domain libvirtxml.Domain
	if err := domain.Unmarshal(text); err != nil {
		return nil, fmt.Errorf("parse domain XML: %w", err)
	}

	devices := map[string]string{}

	eachDisk(&domain, func(name string, disk *libvirtxml.DomainDisk) { devices[name] = target(*disk) })

	return devices, nil
}

// eachDisk visits the machine's disks, and its seed as SeedDisk.
func eachDisk(domain *libvirtxml.Domain, visit func(name string, disk *libvirtxml.DomainDisk)) {
	if domain.Devices == nil {
		return
	}

	var named Spec

	for i := range domain.Devices.Disks {
		disk := &domain.Devices.Disks[i]
		if !isDisk(*disk) {
			continue
		}

		visit(named.diskName(*disk), disk)
		named.parseDisks([]libvirtxml.DomainDisk{*disk})
	}
}
