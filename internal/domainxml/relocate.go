package domainxml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// SeedDisk is what Devices calls the disk that holds the seed.
const SeedDisk = seedSerial

// Relocate returns a machine's definition as it is to be on another host: with the spec's pins, memory nodes and mark, and
// otherwise unchanged, so that the guest sees no difference. paths has the path there for each disk that is given by its
// path here.
func Relocate(text string, spec Spec, paths map[string]string) (string, error) {
	var domain libvirtxml.Domain
	if err := domain.Unmarshal(text); err != nil {
		return "", fmt.Errorf("parse domain XML: %w", err)
	}

	if err := remark(&domain, spec); err != nil {
		return "", fmt.Errorf("relocate domain %q: %w", spec.Name, err)
	}

	repin(&domain, spec)

	if tune := numaTune(spec.Pages); tune != nil {
		domain.NUMATune = tune
	}

	if domain.Devices != nil {
		for i := range domain.Devices.Disks {
			repath(domain.Devices.Disks[i].Source, paths)
		}
	}

	relocated, err := domain.Marshal()
	if err != nil {
		return "", fmt.Errorf("relocate domain %q: %w", spec.Name, err)
	}

	return relocated, nil
}

// repin replaces pins, and leaves whatever else the machine's scheduling was tuned to.
func repin(domain *libvirtxml.Domain, spec Spec) {
	if domain.CPUTune == nil {
		domain.CPUTune = &libvirtxml.DomainCPUTune{}
	}

	domain.CPUTune.VCPUPin, domain.CPUTune.EmulatorPin = nil, nil

	if tune := cpuTune(spec); tune != nil {
		domain.CPUTune.VCPUPin, domain.CPUTune.EmulatorPin = tune.VCPUPin, tune.EmulatorPin
	}
}

func repath(source *libvirtxml.DomainDiskSource, paths map[string]string) {
	if path, moved := paths[file(source)]; moved && source.File != nil {
		source.File.File = path
	} else if moved {
		source.Block.Dev = path
	}
}

// remark replaces our element in the metadata and keeps those of others.
func remark(domain *libvirtxml.Domain, spec Spec) error {
	mark, err := RenderMark(spec)
	if err != nil {
		return err
	}

	if domain.Metadata == nil {
		domain.Metadata = &libvirtxml.DomainMetadata{}
	}

	others, err := withoutMark(domain.Metadata.XML)
	domain.Metadata.XML = others + mark

	return err
}

// withoutMark cuts our element out of the metadata's text.
func withoutMark(metadata string) (string, error) {
	const open = "<metadata>"

	text := open + metadata + "</metadata>"
	decoder := xml.NewDecoder(strings.NewReader(text))

	for {
		begin := decoder.InputOffset()

		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return metadata, nil
		}

		if err != nil {
			return "", fmt.Errorf("parse the domain's metadata: %w", err)
		}

		element, starts := token.(xml.StartElement)
		if !starts || element.Name.Space != MarkURI {
			continue
		}

		if err := decoder.Skip(); err != nil {
			return "", fmt.Errorf("parse the domain's metadata: %w", err)
		}

		end := decoder.InputOffset()

		return text[len(open):begin] + text[end:len(text)-len("</metadata>")], nil
	}
}

// Devices returns the device name of each disk, such as "vda", by the disk's name as Parse has it, with the seed's as
// SeedDisk.
func Devices(text string) (map[string]string, error) {
	var domain libvirtxml.Domain
	if err := domain.Unmarshal(text); err != nil {
		return nil, fmt.Errorf("parse domain XML: %w", err)
	}

	devices := map[string]string{}

	if domain.Devices == nil {
		return devices, nil
	}

	var named Spec

	for _, disk := range domain.Devices.Disks {
		if disk.Device != "disk" && disk.Device != "" || disk.Target == nil {
			continue
		}

		name := named.diskName(disk)
		devices[name] = disk.Target.Dev

		if name != seedSerial {
			named.parseDisks([]libvirtxml.DomainDisk{disk})
		}
	}

	return devices, nil
}
