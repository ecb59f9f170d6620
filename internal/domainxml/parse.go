package domainxml

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"libvirt.org/go/libvirtxml"
)

// Parse reads a machine from its domain XML, whoever wrote it: what a Spec cannot say is left out. Disks that are not
// volumes of a pool have an empty Volume.
func Parse(text string) (Spec, error) {
	var domain libvirtxml.Domain
	if err := domain.Unmarshal(text); err != nil {
		return Spec{}, fmt.Errorf("parse domain XML: %w", err)
	}

	spec := Spec{Name: domain.Name, UUID: domain.UUID, Type: domain.Type, Machine: machine(domain.OS)}

	if domain.Memory != nil {
		spec.Memory = uint64(domain.Memory.Value) * 1024 // libvirt always prints KiB
	}

	if err := spec.parsePages(domain.MemoryBacking, domain.NUMATune); err != nil {
		return Spec{}, fmt.Errorf("parse domain %q: %w", domain.Name, err)
	}

	if domain.VCPU != nil {
		spec.VCPUs = int(domain.VCPU.Value)
	}

	if err := spec.parsePins(domain.CPUTune); err != nil {
		return Spec{}, fmt.Errorf("parse domain %q: %w", domain.Name, err)
	}

	mark, err := parseMark(domain.Metadata)
	if err != nil {
		return Spec{}, fmt.Errorf("parse domain %q: %w", domain.Name, err)
	}

	if mark != nil {
		spec.Mark = mark.mark()
	}

	if domain.Devices != nil {
		spec.parseDisks(domain.Devices.Disks)
		spec.parseInterfaces(domain.Devices.Interfaces, mark)
	}

	if mark != nil && mark.Seed != nil && spec.Seed != nil {
		*spec.Seed = Volume(*mark.Seed)
	}

	if domain.Type == LXC {
		err = spec.parseContainer(domain)
	}

	if err != nil {
		return Spec{}, fmt.Errorf("parse domain %q: %w", domain.Name, err)
	}

	return spec, nil
}

func machine(os *libvirtxml.DomainOS) string {
	if os == nil || os.Type == nil {
		return ""
	}

	return Machine(os.Type.Machine)
}

// Machine returns the machine type without the version that libvirt adds: "pc-q35-7.2" is "q35", "pc-i440fx-7.2" is
// "pc".
func Machine(name string) string {
	switch {
	case strings.HasPrefix(name, "pc-q35-"):
		return "q35"
	case strings.HasPrefix(name, "pc-i440fx-"):
		return "pc"
	default:
		return name
	}
}

// parsePages reads what numaTune and memoryBacking render. Pages of several sizes are not ours and are left out.
func (s *Spec) parsePages(backing *libvirtxml.DomainMemoryBacking, tune *libvirtxml.DomainNUMATune) error {
	if backing == nil || backing.MemoryHugePages == nil || len(backing.MemoryHugePages.Hugepages) != 1 {
		return nil
	}

	s.Pages.Size = uint64(backing.MemoryHugePages.Hugepages[0].Size) * 1024 // libvirt always prints KiB

	if tune == nil || tune.Memory == nil || tune.Memory.Nodeset == "" {
		return nil
	}

	nodes, err := topology.ParseCPUSet(tune.Memory.Nodeset)
	s.Pages.Nodes = nodes

	return err
}

func (s *Spec) parsePins(tune *libvirtxml.DomainCPUTune) error {
	if tune == nil {
		return nil
	}

	if len(tune.VCPUPin) > 0 {
		s.Pins = make([]topology.CPUSet, s.VCPUs)
	}

	for _, pin := range tune.VCPUPin {
		set, err := topology.ParseCPUSet(pin.CPUSet)
		if err != nil {
			return fmt.Errorf("pin of vCPU %d: %w", pin.VCPU, err)
		}

		if int(pin.VCPU) < len(s.Pins) {
			s.Pins[pin.VCPU] = set
		}
	}

	if tune.EmulatorPin == nil {
		return nil
	}

	set, err := topology.ParseCPUSet(tune.EmulatorPin.CPUSet)
	if err != nil {
		return fmt.Errorf("emulator pin: %w", err)
	}

	s.Emulator = set

	return nil
}

func (s *Spec) parseDisks(disks []libvirtxml.DomainDisk) {
	for _, disk := range disks {
		if disk.Device != "disk" && disk.Device != "" {
			continue
		}

		volume := Volume{}
		if disk.Source != nil && disk.Source.Volume != nil {
			volume = Volume{Pool: disk.Source.Volume.Pool, Name: disk.Source.Volume.Volume}
		}

		if disk.Serial == seedSerial {
			s.Seed = &volume

			continue
		}

		parsed := Disk{Volume: volume, File: file(disk.Source), ReadOnly: disk.ReadOnly != nil}
		if disk.Driver != nil {
			parsed.Format = disk.Driver.Type
		}

		if s.Disks == nil {
			s.Disks = map[string]Disk{}
		}

		s.Disks[s.diskName(disk)] = parsed
	}
}

// file is the path of a disk that was given as a file or a block device, as virt-install and virsh do.
func file(source *libvirtxml.DomainDiskSource) string {
	switch {
	case source == nil:
		return ""
	case source.File != nil:
		return source.File.File
	case source.Block != nil:
		return source.Block.Dev
	default:
		return ""
	}
}

// diskName is the disk's serial number, or its device name if it has none. Libvirt lets disks have the same serial
// number; all but the first are then told apart by their device names.
func (s *Spec) diskName(disk libvirtxml.DomainDisk) string {
	if disk.Target == nil {
		return disk.Serial
	}

	if disk.Serial == "" {
		return disk.Target.Dev
	}

	if _, taken := s.Disks[disk.Serial]; taken {
		return disk.Serial + " " + disk.Target.Dev
	}

	return disk.Serial
}

func (s *Spec) parseInterfaces(interfaces []libvirtxml.DomainInterface, mark *markElement) {
	names := map[string]string{} // by MAC

	if mark != nil {
		for _, named := range mark.Interfaces {
			names[named.MAC] = named.Name
		}
	}

	taken := slices.Collect(maps.Values(names))

	for position, nic := range interfaces {
		parsed := Interface{}
		if nic.MAC != nil {
			parsed.MAC = nic.MAC.Address
		}

		if nic.Source != nil && nic.Source.Bridge != nil {
			parsed.Bridge = nic.Source.Bridge.Bridge
		}

		if nic.Source != nil && nic.Source.Network != nil {
			parsed.Network = nic.Source.Network.Network
		}

		name, known := names[parsed.MAC]
		if !known {
			name = unnamed(position, taken)
			taken = append(taken, name)
		}

		if s.Interfaces == nil {
			s.Interfaces = map[string]Interface{}
		}

		s.Interfaces[name] = parsed
	}
}

// unnamed is what an interface is called that the mark has no name for: "net" and its position, or the next number that
// is not another's.
func unnamed(position int, taken []string) string {
	for ; ; position++ {
		if name := fmt.Sprintf("net%d", position); !slices.Contains(taken, name) {
			return name
		}
	}
}
