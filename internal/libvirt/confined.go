package libvirt

import (
	"errors"
	"fmt"
	"path"
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

	folders := sync.OnceValues(c.folders)

	return each(len(domains), func(i int) (Domain, error) { return c.read(domains[i], folders) })
}

func (c *confining) domain(uuid string) (Domain, error) { return c.lone(c.connection.domain(uuid)) }

func (c *confining) domainNamed(name string) (Domain, error) {
	return c.lone(c.connection.domainNamed(name))
}

// lone is read for a machine that is asked for alone.
func (c *confining) lone(domain Domain, err error) (Domain, error) {
	if err != nil {
		return Domain{}, err
	}

	return c.read(domain, sync.OnceValues(c.folders))
}

func (c *confining) migratableXML(uuid string) (string, error) {
	xml, err := c.connection.migratableXML(uuid)
	if err != nil {
		return "", err
	}

	return c.readXML(xml, sync.OnceValues(c.folders))
}

// written is a definition, or a device of one, as the host is to have it. A volume that is not there yet, such as the seed of a machine
// that is being made, has the path that it will have; one of a pool without a folder is left for libvirt to name.
func (c *confining) written(xml string) (string, error) {
	if confined, err := c.confined(); err != nil || !confined {
		return xml, err
	}

	return domainxml.ByPath(xml, func(volume domainxml.Volume) (string, error) {
		text, err := c.volume(volume.Pool, volume.Name)
		if errors.Is(err, ErrNotFound) {
			folder, err := c.folder(volume.Pool)
			if err != nil || folder == "" {
				return "", err
			}

			return path.Join(folder, volume.Name), nil
		}

		if err != nil {
			return "", fmt.Errorf("find volume %q of pool %q: %w", volume.Name, volume.Pool, err)
		}

		parsed, err := parseVolume(volume.Pool, text)

		return parsed.Path, err
	})
}

// folder is the folder whose entries are the volumes of a pool, if there are such: a volume group has one in /dev.
func (c *confining) folder(pool string) (string, error) {
	found, err := c.pool(pool)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}

	if err != nil {
		return "", err
	}

	return folderOf(found)
}

func folderOf(found poolXML) (string, error) {
	pool, err := parsePool(found)
	if err != nil || !slices.Contains([]string{"dir", "fs", "logical", "netfs"}, pool.Type) {
		return "", err
	}

	return pool.Path, nil
}

// folders are the pools by their folders.
func (c *confining) folders() (map[string]string, error) {
	pools, err := c.pools()
	if err != nil {
		return nil, err
	}

	all := map[string]string{}

	for _, pool := range pools {
		folder, err := folderOf(pool)
		if err != nil {
			return nil, err
		}

		if folder != "" {
			all[folder] = pool.name
		}
	}

	return all, nil
}

// read has in the definitions of a machine the volumes that the host has by their paths, or would have in the folders of its pools.
func (c *confining) read(domain Domain, folders func() (map[string]string, error)) (_ Domain, err error) {
	if domain.XML, err = c.readXML(domain.XML, folders); err != nil {
		return Domain{}, err
	}

	domain.LiveXML, err = c.readXML(domain.LiveXML, folders)

	return domain, err
}

func (c *confining) readXML(xml string, folders func() (map[string]string, error)) (string, error) {
	if !domainxml.HasPath(xml) {
		return xml, nil
	}

	if confined, err := c.confined(); err != nil || !confined {
		return xml, err
	}

	return domainxml.ByVolume(xml, func(at string) (domainxml.Volume, error) {
		if volume, found := c.known.Load(at); found {
			return volume.(domainxml.Volume), nil //nolint:forcetypeassert // nothing else is stored
		}

		pool, name, err := c.volumeAt(at)
		if errors.Is(err, ErrNotFound) {
			pools, err := folders()
			if err != nil || pools[path.Dir(at)] == "" {
				return domainxml.Volume{}, err
			}

			return domainxml.Volume{Pool: pools[path.Dir(at)], Name: path.Base(at)}, nil
		}

		if err != nil {
			return domainxml.Volume{}, fmt.Errorf("find the volume at %s: %w", at, err)
		}

		volume := domainxml.Volume{Pool: pool, Name: name}
		c.known.Store(at, volume)

		return volume, nil
	})
}

// local is where the owner of a host with AppArmor lets all its machines do more.
const local = "/etc/apparmor.d/local/abstractions/libvirt-qemu"

// explained adds what to do if the host's AppArmor keeps something from a machine all the same: a file, or what QEMU has to know
// of a NUMA node before it fills memory there (the abstraction of libvirt 9.0 lets it list the nodes, and not read which CPUs they have).
func explained(err error) error {
	switch {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), "The nodes select no CPUs"):
		return fmt.Errorf("%w. The host's AppArmor keeps from QEMU which CPUs a NUMA node has, so it cannot fill memory there: add the line \"/sys/devices/system/node/** r,\" to %s on the host", err, local)
	case strings.Contains(err.Error(), "Could not open '") && strings.Contains(err.Error(), "Permission denied"):
		return fmt.Errorf("%w. If the host has AppArmor (aa-status), its kernel log says what it refused (journalctl -k -g apparmor); let machines open that by a line such as \"/srv/machines/** rwk,\" in %s there", err, local)
	default:
		return err
	}
}
