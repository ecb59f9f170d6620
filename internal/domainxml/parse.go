package domainxml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// Parse reads a machine from its domain XML, whoever wrote it: what a Spec cannot say is left out. Disks that are not
// volumes of a pool have an empty Volume.
func Parse(text string) (Spec, error) {
	var domain libvirtxml.Domain
	if err := domain.Unmarshal(text); err != nil {
		return Spec{}, fmt.Errorf("parse domain XML: %w", err)
	}

	spec, err := read(&domain)
	if err != nil {
		return Spec{}, err
	}

	if spec.XML, err = present(text, &domain); err != nil {
		return Spec{}, fmt.Errorf("parse domain %q: %w", domain.Name, err)
	}

	if err := spec.parseNetworks(text); err != nil {
		return Spec{}, fmt.Errorf("parse domain %q: %w", domain.Name, err)
	}

	return spec, nil
}

func read(domain *libvirtxml.Domain) (Spec, error) {
	spec := Spec{
		Name: domain.Name, UUID: domain.UUID, Type: domain.Type, Machine: machine(domain.OS), Title: domain.Title, Description: domain.Description,
	}

	spec.parseAmounts(domain)

	if err := errors.Join(
		spec.parsePages(domain.MemoryBacking, domain.NUMATune),
		spec.parsePins(domain.CPUTune),
		spec.parseIOThreads(domain),
		spec.parseCPU(domain.CPU, domain.NUMATune),
	); err != nil {
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

	if mark != nil && mark.Seed != nil && (spec.Seed != nil || domain.Type == LXC) {
		seed := Volume(*mark.Seed)
		spec.Seed = &seed
	}

	if domain.Type == LXC {
		err = spec.parseContainer(*domain)
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

func (s *Spec) parseDisks(disks []libvirtxml.DomainDisk) {
	for _, disk := range disks {
		if !isDisk(disk) {
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

// parseNetworks gives interfaces their networks back: of a machine that runs on a network over a bridge that the host has, libvirt
// tells the bridge, with the network beside it where libvirtxml does not look.
func (s *Spec) parseNetworks(text string) error {
	bridged := func(nic Interface) bool { return nic.Bridge != "" }
	if !slices.ContainsFunc(slices.Collect(maps.Values(s.Interfaces)), bridged) || !strings.Contains(text, " portid=") {
		return nil
	}

	var found struct {
		Interfaces []struct {
			MAC struct {
				Address string `xml:"address,attr"`
			} `xml:"mac"`
			Source struct {
				Network string `xml:"network,attr"`
			} `xml:"source"`
		} `xml:"devices>interface"`
	}

	if err := xml.Unmarshal([]byte(text), &found); err != nil {
		return err
	}

	for _, told := range found.Interfaces {
		for name, nic := range s.Interfaces {
			if told.Source.Network != "" && nic.MAC == told.MAC.Address && bridged(nic) {
				s.Interfaces[name] = Interface{Network: told.Source.Network, MAC: nic.MAC}
			}
		}
	}

	return nil
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
