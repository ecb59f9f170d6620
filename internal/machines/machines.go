// Package machines answers which machines of a host use something, so that it is not taken away under them.
package machines

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// User is a machine that uses what was asked about.
type User struct {
	Domain  libvirt.Domain
	Managed bool // by this provider
}

// Using returns the host's machines of which uses is true in what they run or in what they will start with, from the
// shared read of the host's machines.
func Using(ctx context.Context, host *libvirt.Host, uses func(domainxml.Spec) bool) ([]User, error) {
	domains, err := host.Domains(ctx)
	if err != nil {
		return nil, err
	}

	var found []User

	for _, domain := range domains {
		definitions := []string{domain.XML}
		if domain.Active {
			definitions = append(definitions, domain.LiveXML)
		}

		for _, definition := range definitions {
			machine, err := domainxml.Parse(definition)
			if err != nil {
				return nil, err
			}

			if uses(machine) {
				found = append(found, User{Domain: domain, Managed: machine.Mark.Managed})

				break
			}
		}
	}

	return found, nil
}

// SetMark writes what we note about the machine into its definitions.
func SetMark(ctx context.Context, host *libvirt.Host, machine domainxml.Spec) error {
	text, err := domainxml.RenderMark(machine)
	if err != nil {
		return err
	}

	return host.SetMetadata(ctx, machine.UUID, text, domainxml.MarkKey, domainxml.MarkURI)
}

// HasDisk reports whether the machine has the volume, by its name or by its path, as a disk or as its seed.
func HasDisk(machine domainxml.Spec, volume libvirt.Volume) bool {
	named := domainxml.Volume{Pool: volume.Pool, Name: volume.Name}
	if machine.Seed != nil && *machine.Seed == named {
		return true
	}

	for _, disk := range machine.Disks {
		if disk.Volume == named || (disk.File != "" && disk.File == volume.Path) {
			return true
		}
	}

	return false
}
