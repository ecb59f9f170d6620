package domainxml

import (
	"fmt"
	"path"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// Xen is the Type of a machine on Xen. MachineXenFV and MachineXenPV are the Machine types that it comes in.
const (
	Xen = "xen"
	// MachineXenFV is fully virtualised, with a BIOS: what boots on KVM boots there. Disks and interfaces are paravirtual as
	// soon as the guest's drivers take over.
	MachineXenFV = "xenfv"
	// MachineXenPV is paravirtualised: Xen's pygrub, on the host, takes the kernel from the boot disk.
	MachineXenPV = "xenpv"
)

// xen renders a machine for libvirt's libxl driver (https://libvirt.org/drvxen.html). Disks are given by their paths, since
// of all drivers only QEMU's and bhyve's look volumes up.
func xen(spec Spec, mark string) (libvirtxml.Domain, error) {
	disks, err := xenDisks(spec)
	if err != nil {
		return libvirtxml.Domain{}, fmt.Errorf("render domain %q: %w", spec.Name, err)
	}

	zero := uint(0)
	pty := &libvirtxml.DomainChardevSource{Pty: &libvirtxml.DomainChardevSourcePty{}}

	domain := libvirtxml.Domain{
		Type:       Xen,
		Name:       spec.Name,
		UUID:       spec.UUID,
		Metadata:   &libvirtxml.DomainMetadata{XML: mark},
		Memory:     &libvirtxml.DomainMemory{Value: uint(spec.Memory / 1024), Unit: "KiB"},
		VCPU:       &libvirtxml.DomainVCPU{Placement: "static", Value: uint(spec.VCPUs)},
		CPUTune:    cpuTune(spec),
		OnPoweroff: "destroy",
		OnReboot:   "restart",
		OnCrash:    "destroy",
		Devices:    &libvirtxml.DomainDeviceList{Disks: disks},
	}

	for _, name := range sortedKeys(spec.Interfaces) {
		vif := nic(spec.Interfaces[name])
		vif.Model = &libvirtxml.DomainInterfaceModel{Type: "netfront"} // or Xen adds an emulated card, which guests see as a second one
		domain.Devices.Interfaces = append(domain.Devices.Interfaces, vif)
	}

	if spec.Machine == MachineXenPV {
		domain.OS = &libvirtxml.DomainOS{Type: &libvirtxml.DomainOSType{Arch: "x86_64", Machine: MachineXenPV, Type: "linux"}}
		domain.Bootloader = "pygrub"
		domain.Devices.Consoles = []libvirtxml.DomainConsole{{
			Source: pty, Target: &libvirtxml.DomainConsoleTarget{Type: Xen, Port: &zero},
		}}

		return domain, nil
	}

	domain.OS = &libvirtxml.DomainOS{
		Type:        &libvirtxml.DomainOSType{Arch: "x86_64", Machine: spec.Machine, Type: "hvm"},
		BootDevices: []libvirtxml.DomainBootDevice{{Dev: "hd"}},
	}
	domain.Features = &libvirtxml.DomainFeatureList{
		ACPI: &libvirtxml.DomainFeature{}, APIC: &libvirtxml.DomainFeatureAPIC{},
		PAE: &libvirtxml.DomainFeature{}, // libxl takes it away where it is not asked for, and with it every 64-bit kernel
	}
	domain.Devices.Serials = []libvirtxml.DomainSerial{{Source: pty, Target: &libvirtxml.DomainSerialTarget{Port: &zero}}}

	return domain, nil
}

// xenDisks lays out disks as disks does. A BIOS sees emulated disks only, so the one that it boots from is hda; the guest
// knows it as xvda.
func xenDisks(spec Spec) ([]libvirtxml.DomainDisk, error) {
	all, err := disks(spec)
	if err != nil || len(spec.Disks) == 0 {
		return nil, err
	}

	for i := range all {
		disk := &all[i]

		file := spec.Disks[disk.Serial].File
		if disk.Serial == seedSerial {
			file = path.Join(path.Dir(spec.Disks[diskOrder(spec.Disks)[0]].File), spec.Seed.Name) // it is in the boot disk's pool
		}

		disk.Driver = &libvirtxml.DomainDiskDriver{Name: "qemu", Type: disk.Driver.Type}
		disk.Source = &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: file}}
		disk.Target = &libvirtxml.DomainDiskTarget{Dev: "xvd" + disk.Target.Dev[len("vd"):], Bus: Xen}
		disk.Boot = nil

		if strings.HasPrefix(file, "/dev/") {
			disk.Driver = &libvirtxml.DomainDiskDriver{Name: "phy", Type: "raw"}
			disk.Source = &libvirtxml.DomainDiskSource{Block: &libvirtxml.DomainDiskSourceBlock{Dev: file}}
		}

		if i == 0 && spec.Machine != MachineXenPV {
			disk.Target = &libvirtxml.DomainDiskTarget{Dev: "hda", Bus: "ide"}
		}
	}

	return all, nil
}
