package domainxml

import (
	"fmt"
	"maps"
	"slices"

	"libvirt.org/go/libvirtxml"
)

// BootDisk is the name of the disk that a machine boots from. A machine without a disk of this name boots from the
// first one by name.
const BootDisk = "root"

// seedSerial is the serial number of the seed's disk, by which Parse tells it from the others.
const seedSerial = "cidata"

// Render returns the domain XML of the machine.
func Render(spec Spec) (string, error) {
	mark, err := RenderMark(spec)
	if err != nil {
		return "", err
	}

	domain, err := machineOf(spec, mark)
	if err != nil {
		return "", err
	}

	domain.Title, domain.Description = spec.Title, spec.Description

	text, err := finish(&domain, "", spec)
	if err != nil {
		return "", fmt.Errorf("render domain %q: %w", spec.Name, err)
	}

	return text, nil
}

// finish writes a definition down, with the user's own XML in place of what it was before.
func finish(domain *libvirtxml.Domain, before string, want Spec) (string, error) {
	was, err := readFragment(before)
	if err != nil {
		return "", err
	}

	wanted, err := readFragment(want.XML)
	if err != nil {
		return "", err
	}

	if was.firmware != wanted.firmware && domain.OS != nil {
		domain.OS.Firmware = wanted.firmware
		domain.OS.FirmwareInfo, domain.OS.Loader, domain.OS.NVRam = nil, nil, nil // which libvirt chose for the other firmware
	}

	text, err := domain.Marshal()
	if err != nil || (before == "" && want.XML == "") {
		return text, err
	}

	return weave(text, was, wanted, fitOf(domain))
}

// machineOf renders the machine as its kind of host takes it.
func machineOf(spec Spec, mark string) (libvirtxml.Domain, error) {
	switch spec.Type {
	case LXC:
		return lxc(spec, mark), nil
	case Xen:
		return xen(spec, mark)
	default:
		return qemu(spec, mark)
	}
}

func qemu(spec Spec, mark string) (libvirtxml.Domain, error) {
	devices, err := devices(spec)
	if err != nil {
		return libvirtxml.Domain{}, fmt.Errorf("render domain %q: %w", spec.Name, err)
	}

	written, err := renderKept(spec.XML)
	if err != nil {
		return libvirtxml.Domain{}, fmt.Errorf("render domain %q: %w", spec.Name, err)
	}

	return libvirtxml.Domain{
		Type:          spec.Type,
		Name:          spec.Name,
		UUID:          spec.UUID,
		Metadata:      &libvirtxml.DomainMetadata{XML: mark + written},
		MemoryBacking: memoryBacking(spec),
		Memory:        &libvirtxml.DomainMemory{Value: uint(spec.TopMemory() / 1024), Unit: "KiB"},
		CurrentMemory: currentMemory(spec),
		NUMATune:      numaTune(spec),
		VCPU:          vcpus(spec),
		IOThreads:     uint(len(spec.IOThreads)),
		CPUTune:       cpuTune(spec),
		OS:            &libvirtxml.DomainOS{Type: &libvirtxml.DomainOSType{Arch: "x86_64", Machine: spec.Machine, Type: "hvm"}},
		Features:      &libvirtxml.DomainFeatureList{ACPI: &libvirtxml.DomainFeature{}, APIC: &libvirtxml.DomainFeatureAPIC{}},
		CPU:           cpu(spec),
		OnPoweroff:    "destroy",
		OnReboot:      "restart",
		OnCrash:       "destroy",
		Devices:       devices,
	}, nil
}

func devices(spec Spec) (*libvirtxml.DomainDeviceList, error) {
	disks, err := disks(spec)
	if err != nil {
		return nil, err
	}

	var interfaces []libvirtxml.DomainInterface
	for _, name := range sortedKeys(spec.Interfaces) {
		interfaces = append(interfaces, nic(spec.Interfaces[name]))
	}

	zero := uint(0)

	return &libvirtxml.DomainDeviceList{
		Disks:       disks,
		Interfaces:  interfaces,
		Controllers: rootPorts(spec),
		Serials: []libvirtxml.DomainSerial{{
			Source: &libvirtxml.DomainChardevSource{Pty: &libvirtxml.DomainChardevSourcePty{}},
			Target: &libvirtxml.DomainSerialTarget{Port: &zero},
		}},
		Channels: []libvirtxml.DomainChannel{{ // where the QEMU guest agent listens, if the guest has one
			Source: &libvirtxml.DomainChardevSource{UNIX: &libvirtxml.DomainChardevSourceUNIX{}},
			Target: &libvirtxml.DomainChannelTarget{VirtIO: &libvirtxml.DomainChannelTargetVirtIO{Name: "org.qemu.guest_agent.0"}},
		}},
		MemBalloon: &libvirtxml.DomainMemBalloon{Model: "virtio"},
		RNGs: []libvirtxml.DomainRNG{{ // entropy for the first boot's host keys
			Model:   "virtio",
			Backend: &libvirtxml.DomainRNGBackend{Random: &libvirtxml.DomainRNGBackendRandom{Device: "/dev/urandom"}},
		}},
	}, nil
}

// spareSlots is how many devices can be plugged into a running q35 machine.
const spareSlots = 8

// rootPorts are the slots of a q35 machine. Libvirt makes as many as there are devices, which leaves none to plug anything in
// (https://libvirt.org/pci-hotplug.html).
func rootPorts(spec Spec) []libvirtxml.DomainController {
	if Machine(spec.Machine) != "q35" {
		return nil
	}

	slots := len(spec.Disks) + len(spec.Interfaces) + 3 + spareSlots // with the balloon, the channel and the source of entropy
	if spec.Seed != nil {
		slots++
	}

	ports := []libvirtxml.DomainController{{Type: "pci", Model: "pcie-root"}}
	for range slots {
		ports = append(ports, libvirtxml.DomainController{Type: "pci", Model: "pcie-root-port"})
	}

	return ports
}

// disks lays out the boot disk first, then the others by name, then the seed, as vda, vdb and so on.
func disks(spec Spec) ([]libvirtxml.DomainDisk, error) {
	var all []libvirtxml.DomainDisk

	for _, name := range diskOrder(spec.Disks) {
		disk := spec.Disks[name]
		rendered := virtioDisk(len(all), name, disk.Volume, disk.Format)
		rendered.ReadOnly = readOnly(disk.ReadOnly)
		rendered.Driver.IOThread = ioThread(len(all), len(spec.IOThreads))

		if len(all) == 0 {
			rendered.Boot = &libvirtxml.DomainDeviceBoot{Order: 1}
		}

		all = append(all, rendered)
	}

	if spec.Seed != nil {
		seed := virtioDisk(len(all), seedSerial, *spec.Seed, "raw")
		seed.ReadOnly = readOnly(true)
		all = append(all, seed)
	}

	if len(all) > maxDisks {
		return nil, fmt.Errorf("%d disks: a machine has at most %d", len(all), maxDisks)
	}

	return all, nil
}

// maxDisks is how many disks have a one-letter device name, which is also more than a PCI bus takes.
const maxDisks = 26

func virtioDisk(position int, serial string, volume Volume, format string) libvirtxml.DomainDisk {
	return libvirtxml.DomainDisk{
		Device: "disk",
		Driver: &libvirtxml.DomainDiskDriver{Name: "qemu", Type: format, Cache: "none", Discard: "unmap"},
		Source: volumeSource(volume),
		Target: &libvirtxml.DomainDiskTarget{Dev: deviceName(position), Bus: "virtio"},
		Serial: serial,
	}
}

func volumeSource(volume Volume) *libvirtxml.DomainDiskSource {
	return &libvirtxml.DomainDiskSource{Volume: &libvirtxml.DomainDiskSourceVolume{Pool: volume.Pool, Volume: volume.Name}}
}

func deviceName(position int) string { return "vd" + string(rune('a'+position)) }

// ioThread spreads the disks over the I/O threads, which libvirt counts from 1.
func ioThread(position, threads int) *uint {
	if threads == 0 {
		return nil
	}

	number := uint(position%threads + 1)

	return &number
}

func diskOrder(disks map[string]Disk) []string {
	names := sortedKeys(disks)

	if at := slices.Index(names, BootDisk); at > 0 {
		names = append([]string{BootDisk}, slices.Delete(names, at, at+1)...)
	}

	return names
}

func nic(i Interface) libvirtxml.DomainInterface {
	source := &libvirtxml.DomainInterfaceSource{}
	if i.Bridge != "" {
		source.Bridge = &libvirtxml.DomainInterfaceSourceBridge{Bridge: i.Bridge}
	} else {
		source.Network = &libvirtxml.DomainInterfaceSourceNetwork{Network: i.Network}
	}

	return libvirtxml.DomainInterface{
		MAC:    &libvirtxml.DomainInterfaceMAC{Address: i.MAC},
		Source: source,
		Model:  &libvirtxml.DomainInterfaceModel{Type: "virtio"},
	}
}

func readOnly(on bool) *libvirtxml.DomainDiskReadOnly {
	if !on {
		return nil
	}

	return &libvirtxml.DomainDiskReadOnly{}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
