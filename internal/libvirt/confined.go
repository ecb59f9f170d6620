package libvirt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// confining is a connection to a host that may confine machines by AppArmor, as Debian and Ubuntu do. Libvirt's helper there lets a
// machine open the disks whose paths stand in its definition, and does not know those that are given by pool and name (libvirt
// 9.0, src/security/virt-aa-helper.c). So on such a host definitions are written with paths, and read as if they had volumes.
// Nobody else has to know. On other hosts it does nothing.
type confining struct {
	connection

	confined func() (bool, error) // asks the host once
	known    sync.Map             // domainxml.Volume by the path that it has; none is kept for a path that is no volume
}

func newConfining(conn connection) *confining {
	return &confining{
		connection: conn,
		confined: sync.OnceValues(func() (bool, error) {
			text, err := conn.capabilities()
			if err != nil {
				return false, err
			}

			models, err := topology.SecurityModels(text)

			return slices.Contains(models, "apparmor"), err
		}),
	}
}

func (c *confining) defineDomain(xml string) error {
	spelled, err := c.written(xml)
	if err != nil {
		return err
	}

	return c.connection.defineDomain(spelled)
}

func (c *confining) startDomain(uuid string) error {
	return explained(c.connection.startDomain(uuid))
}

func (c *confining) changeDevice(uuid string, change DeviceChange, xml string) error {
	spelled, err := c.written(xml)
	if err != nil {
		return err
	}

	return c.connection.changeDevice(uuid, change, spelled)
}

// migrate gives the definitions as the target wants them.
func (c *confining) migrate(to connection, at Config, m Migration) error {
	target, ok := to.(*confining)
	if !ok {
		return errors.New("the target's connection is to a host of another kind")
	}

	for _, xml := range []*string{&m.LiveXML, &m.StoredXML} {
		spelled, err := target.written(*xml)
		if err != nil {
			return err
		}

		*xml = spelled
	}

	return c.connection.migrate(target.connection, at, m)
}

func (c *confining) domains() ([]Domain, error) {
	domains, err := c.connection.domains()
	if err != nil {
		return nil, err
	}

	return each(len(domains), func(i int) (Domain, error) { return c.read(domains[i], nil) })
}

func (c *confining) domain(uuid string) (Domain, error) { return c.read(c.connection.domain(uuid)) }

func (c *confining) domainNamed(name string) (Domain, error) {
	return c.read(c.connection.domainNamed(name))
}

func (c *confining) migratableXML(uuid string) (string, error) {
	xml, err := c.connection.migratableXML(uuid)
	if err != nil {
		return "", err
	}

	return c.readXML(xml)
}

// written is a definition, or a device of one, as the host is to have it. A volume that is not there is left for libvirt to name.
func (c *confining) written(xml string) (string, error) {
	if confined, err := c.confined(); err != nil || !confined {
		return xml, err
	}

	return domainxml.ByPath(xml, func(volume domainxml.Volume) (string, error) {
		text, err := c.volume(volume.Pool, volume.Name)
		if errors.Is(err, ErrNotFound) {
			return "", nil
		}

		if err != nil {
			return "", fmt.Errorf("find volume %q of pool %q: %w", volume.Name, volume.Pool, err)
		}

		parsed, err := parseVolume(volume.Pool, text)

		return parsed.Path, err
	})
}

// read has in the definitions of a machine the volumes that the host has by their paths.
func (c *confining) read(domain Domain, err error) (Domain, error) {
	if err != nil {
		return Domain{}, err
	}

	if domain.XML, err = c.readXML(domain.XML); err != nil {
		return Domain{}, err
	}

	domain.LiveXML, err = c.readXML(domain.LiveXML)

	return domain, err
}

func (c *confining) readXML(xml string) (string, error) {
	return domainxml.ByVolume(xml, func(path string) (domainxml.Volume, error) {
		confined, err := c.confined()
		if err != nil || !confined {
			return domainxml.Volume{}, err
		}

		if volume, found := c.known.Load(path); found {
			return volume.(domainxml.Volume), nil //nolint:forcetypeassert // nothing else is stored
		}

		pool, name, err := c.volumeAt(path)
		if errors.Is(err, ErrNotFound) {
			return domainxml.Volume{}, nil
		}

		if err != nil {
			return domainxml.Volume{}, fmt.Errorf("find the volume at %s: %w", path, err)
		}

		volume := domainxml.Volume{Pool: pool, Name: name}
		c.known.Store(path, volume)

		return volume, nil
	})
}

// explained adds what to look at if the host's AppArmor keeps a file from a machine all the same.
func explained(err error) error {
	if err == nil || !strings.Contains(err.Error(), "Could not open '") || !strings.Contains(err.Error(), "Permission denied") {
		return err
	}

	return fmt.Errorf("%w. If the host has AppArmor (aa-status), its kernel log says what it refused (journalctl -k -g apparmor); let machines open that by a line such as \"/srv/machines/** rwk,\" in /etc/apparmor.d/local/abstractions/libvirt-qemu there", err)
}
