// Package machines answers which machines of a host use something, so that it is not taken away under them, and what their
// definitions say.
package machines

import (
	"context"
	"sync"

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
		stored, live, err := Definitions(domain)
		if err != nil {
			return nil, err
		}

		if uses(stored) || uses(live) {
			found = append(found, User{Domain: domain, Managed: stored.Mark.Managed})
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

// definitions are what was read of a machine last.
type definitions struct {
	xml, liveXML string
	stored, live domainxml.Spec
}

// parsed has the definitions of all machines by their UUIDs. Everybody who makes a machine looks at all others of the
// host, so each would otherwise be parsed as often as there are machines.
var parsed sync.Map

// Definitions returns what the machine will start with and what it runs, which is the same if it does not run. Others get the
// same maps: they are not to be changed.
func Definitions(domain libvirt.Domain) (stored, live domainxml.Spec, err error) {
	if before, found := parsed.Load(domain.UUID); found {
		if d, ok := before.(definitions); ok && d.xml == domain.XML && d.liveXML == domain.LiveXML {
			return d.stored, d.live, nil
		}
	}

	if stored, err = domainxml.Parse(domain.XML); err != nil {
		return domainxml.Spec{}, domainxml.Spec{}, err
	}

	live = stored
	if domain.Active {
		if live, err = domainxml.Parse(domain.LiveXML); err != nil {
			return domainxml.Spec{}, domainxml.Spec{}, err
		}
	}

	parsed.Store(domain.UUID, definitions{xml: domain.XML, liveXML: domain.LiveXML, stored: stored, live: live})

	return stored, live, nil
}
