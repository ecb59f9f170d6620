package domainxml

import (
	"fmt"
	"maps"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"libvirt.org/go/libvirtxml"
)

// Edit changes a stored definition into that of the machine that is wanted. Only what differs is touched: what others wrote
// and what libvirt added, such as the addresses of devices, stays as it is. The mark becomes the wanted one. The machine's
// name, UUID, type and machine type are never changed.
func Edit(stored string, want Spec) (string, error) {
	var domain libvirtxml.Domain
	if err := domain.Unmarshal(stored); err != nil {
		return "", fmt.Errorf("parse domain XML: %w", err)
	}

	now, err := read(&domain)
	if err != nil {
		return "", err
	}

	before, err := present(stored, &domain)
	if err != nil {
		return "", fmt.Errorf("edit domain %q: %w", now.Name, err)
	}

	if now.Type == LXC || now.Type == Xen { // neither has what libvirt adds to a machine of QEMU
		return Render(want)
	}

	editTexts(&domain, want)
	editMemory(&domain, now, want)
	editCPUs(&domain, now, want)

	if domain.Devices == nil {
		domain.Devices = &libvirtxml.DomainDeviceList{}
	}

	if err := editDisks(domain.Devices, now, want); err != nil {
		return "", fmt.Errorf("edit domain %q: %w", now.Name, err)
	}

	editInterfaces(domain.Devices, now, want)

	if err := editMark(&domain, want); err != nil {
		return "", err
	}

	text, err := finish(&domain, before, want)
	if err != nil {
		return "", fmt.Errorf("edit domain %q: %w", now.Name, err)
	}

	return text, nil
}

func editTexts(domain *libvirtxml.Domain, want Spec) {
	domain.Title, domain.Description = want.Title, want.Description
}

func editMemory(domain *libvirtxml.Domain, now, want Spec) {
	if now.Memory != want.Memory || now.TopMemory() != want.TopMemory() {
		domain.Memory = &libvirtxml.DomainMemory{Value: uint(want.TopMemory() / 1024), Unit: "KiB"}
		domain.CurrentMemory = currentMemory(want)
	}

	if !now.SameBacking(want) {
		domain.MemoryBacking = memoryBacking(want)
	}

	if !now.SameBacking(want) || !slices.EqualFunc(now.Nodes, want.Nodes, Node.Equal) {
		domain.NUMATune = numaTune(want)
	}
}

func sameSets(a, b []topology.CPUSet) bool { return slices.EqualFunc(a, b, topology.CPUSet.Equal) }

func editCPUs(domain *libvirtxml.Domain, now, want Spec) {
	if now.VCPUs != want.VCPUs || now.TopVCPUs() != want.TopVCPUs() {
		rendered := vcpus(want)
		domain.VCPU, domain.VCPUs = rendered, nil
	}

	if now.CPU.Model != want.CPU.Model {
		model := cpuModel(want)
		if domain.CPU != nil {
			model.Topology, model.Numa = domain.CPU.Topology, domain.CPU.Numa
		}

		domain.CPU = model
	}

	layout := now.CPU.Sockets != want.CPU.Sockets || now.CPU.Cores != want.CPU.Cores || now.CPU.Threads != want.CPU.Threads
	nodes := !slices.EqualFunc(now.Nodes, want.Nodes, Node.Equal)

	if (layout || nodes) && domain.CPU == nil {
		domain.CPU = &libvirtxml.DomainCPU{}
	}

	if layout {
		domain.CPU.Topology = cpuTopology(want.CPU)
	}

	if nodes {
		domain.CPU.Numa = guestNodes(want.Nodes)
	}

	editThreads(domain, now, want)
}

// editThreads pins the threads anew and leaves what else is said about them.
func editThreads(domain *libvirtxml.Domain, now, want Spec) {
	if !sameSets(now.IOThreads, want.IOThreads) {
		domain.IOThreads, domain.IOThreadIDs = uint(len(want.IOThreads)), nil
	}

	tune := cpuTune(want)

	switch {
	case domain.CPUTune == nil:
		domain.CPUTune = tune
	case tune == nil:
		domain.CPUTune.VCPUPin, domain.CPUTune.EmulatorPin, domain.CPUTune.IOThreadPin = nil, nil, nil
	default:
		domain.CPUTune.VCPUPin, domain.CPUTune.EmulatorPin, domain.CPUTune.IOThreadPin = tune.VCPUPin, tune.EmulatorPin, tune.IOThreadPin
	}
}

// editDisks removes, changes and adds disks. The others keep their names in the guest.
func editDisks(devices *libvirtxml.DomainDeviceList, now, want Spec) error {
	var kept []libvirtxml.DomainDisk

	there := Spec{}
	taken := map[string]bool{}
	threads := !sameSets(now.IOThreads, want.IOThreads)

	for position, disk := range devices.Disks {
		if !isDisk(disk) || disk.Serial == seedSerial {
			kept = append(kept, disk)
			taken[target(disk)] = true

			continue
		}

		name := there.diskName(disk)
		there.parseDisks([]libvirtxml.DomainDisk{disk})

		wanted, stays := want.Disks[name]
		if !stays {
			continue
		}

		if !sameDisk(now.Disks[name], wanted) {
			rewriteDisk(&disk, wanted)
		}

		if threads && disk.Driver != nil {
			disk.Driver.IOThread = ioThread(position, len(want.IOThreads))
		}

		kept = append(kept, disk)
		taken[target(disk)] = true
	}

	added, err := addDisks(len(kept), taken, now, want)
	kept = append(kept, added...)
	devices.Disks = kept
	bootFrom(devices.Disks, now, want)

	return err
}

func addDisks(position int, taken map[string]bool, now, want Spec) (added []libvirtxml.DomainDisk, err error) {
	for _, name := range diskOrder(want.Disks) {
		if _, there := now.Disks[name]; there {
			continue
		}

		free := slices.IndexFunc(targets(), func(device string) bool { return !taken[device] })
		if free < 0 {
			return nil, fmt.Errorf("disk %q: a machine has at most %d disks", name, maxDisks)
		}

		disk := want.Disks[name]
		rendered := virtioDisk(free, name, disk.Volume, disk.Format)
		rendered.ReadOnly = readOnly(disk.ReadOnly)
		rendered.Driver.IOThread = ioThread(position+len(added), len(want.IOThreads))

		added = append(added, rendered)
		taken[target(rendered)] = true
	}

	return added, nil
}

func targets() []string {
	all := make([]string, maxDisks)
	for position := range all {
		all[position] = deviceName(position)
	}

	return all
}

func rewriteDisk(disk *libvirtxml.DomainDisk, want Disk) {
	disk.ReadOnly = readOnly(want.ReadOnly)
	disk.Source = volumeSource(want.Volume)
	disk.BackingStore = nil

	if disk.Driver != nil {
		disk.Driver.Type = want.Format
	}
}

// bootFrom moves the boot order to another disk if the machine is to boot from another one.
func bootFrom(disks []libvirtxml.DomainDisk, now, want Spec) {
	boot := BootFrom(want.Disks)
	if boot == BootFrom(now.Disks) {
		return
	}

	for i := range disks {
		switch {
		case disks[i].Serial == boot:
			disks[i].Boot = &libvirtxml.DomainDeviceBoot{Order: 1}
		case disks[i].Boot != nil && disks[i].Boot.Order == 1:
			disks[i].Boot = nil
		}
	}
}

// BootFrom is the name of the disk that the machine boots from.
func BootFrom[D any](disks map[string]D) string {
	if _, found := disks[BootDisk]; found || len(disks) == 0 {
		return BootDisk
	}

	return slices.Min(slices.Collect(maps.Keys(disks)))
}

func isDisk(disk libvirtxml.DomainDisk) bool { return disk.Device == "disk" || disk.Device == "" }

func target(disk libvirtxml.DomainDisk) string {
	if disk.Target == nil {
		return ""
	}

	return disk.Target.Dev
}

// editInterfaces finds interfaces by their MAC addresses: names stand in the mark, which changes with them.
func editInterfaces(devices *libvirtxml.DomainDeviceList, now, want Spec) {
	wanted, there := byMAC(want.Interfaces), byMAC(now.Interfaces)

	var kept []libvirtxml.DomainInterface

	for _, device := range devices.Interfaces {
		mac := ""
		if device.MAC != nil {
			mac = device.MAC.Address
		}

		target, stays := wanted[mac]
		if !stays {
			continue
		}

		if target != there[mac] {
			device.Source = nic(target).Source
		}

		kept = append(kept, device)
	}

	for _, name := range sortedKeys(want.Interfaces) {
		if _, found := there[want.Interfaces[name].MAC]; !found {
			kept = append(kept, nic(want.Interfaces[name]))
		}
	}

	devices.Interfaces = kept
}

func byMAC(interfaces map[string]Interface) map[string]Interface {
	all := make(map[string]Interface, len(interfaces))
	for _, i := range interfaces {
		all[i.MAC] = i
	}

	return all
}
