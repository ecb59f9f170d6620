package domainxml

import (
	"fmt"

	"libvirt.org/go/libvirtxml"
)

// taskMemory is more than any program needs that unpacks an archive, in KiB.
const taskMemory = 512 << 10

// RenderTask returns the definition of a container that runs one command on the files of the host itself, and ends with it.
// A container without a root file system has the host's. It is confined by no security label, since it works on files that
// belong to no machine yet.
func RenderTask(name string, command []string) (string, error) {
	task := libvirtxml.Domain{
		Type:     LXC,
		Name:     name,
		Memory:   &libvirtxml.DomainMemory{Value: taskMemory, Unit: "KiB"},
		VCPU:     &libvirtxml.DomainVCPU{Value: 1},
		OS:       &libvirtxml.DomainOS{Type: &libvirtxml.DomainOSType{Type: "exe"}, Init: command[0], InitArgs: command[1:]},
		Features: &libvirtxml.DomainFeatureList{PrivNet: &libvirtxml.DomainFeature{}},
		SecLabel: []libvirtxml.DomainSecLabel{{Type: "none"}},
		Devices:  &libvirtxml.DomainDeviceList{Consoles: []libvirtxml.DomainConsole{{Source: &libvirtxml.DomainChardevSource{Pty: &libvirtxml.DomainChardevSourcePty{}}}}},
	}

	text, err := task.Marshal()
	if err != nil {
		return "", fmt.Errorf("render task %q: %w", name, err)
	}

	return text, nil
}
