//go:build cgo

package libvirt

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"libvirt.org/go/libvirt"
)

// both changes the running machine, if it runs, and its stored definition.
const both = libvirt.DOMAIN_AFFECT_LIVE | libvirt.DOMAIN_AFFECT_CONFIG

// domains lists in three calls what would be three calls a machine; only the definitions are fetched one by one.
func (s session) domains() ([]Domain, error) {
	states := map[libvirt.ConnectListAllDomainsFlags]map[string]bool{
		libvirt.CONNECT_LIST_DOMAINS_RUNNING:   nil,
		libvirt.CONNECT_LIST_DOMAINS_AUTOSTART: nil,
	}

	for flag := range states {
		uuids, err := s.uuids(flag)
		if err != nil {
			return nil, err
		}

		states[flag] = uuids
	}

	listed, err := s.conn.ListAllDomains(0)
	if err != nil {
		return nil, fail(err)
	}

	all, err := describeAll(listed)
	for i := range all {
		all[i].Running = states[libvirt.CONNECT_LIST_DOMAINS_RUNNING][all[i].UUID]
		all[i].Autostart = states[libvirt.CONNECT_LIST_DOMAINS_AUTOSTART][all[i].UUID]
	}

	return all, err
}

// describeAll describes machines and lets go of them. Several are asked for at a time, so that a host that is far away does not
// let us wait for each.
func describeAll(listed []libvirt.Domain) ([]Domain, error) {
	var group errgroup.Group

	group.SetLimit(atOnce)

	all := make([]Domain, len(listed))

	for i := range listed {
		group.Go(func() (err error) {
			defer func() { _ = listed[i].Free() }()

			all[i], err = describe(&listed[i])
			if err == nil && all[i].Active {
				all[i].LiveXML, err = liveXML(&listed[i])
			}

			if errors.Is(err, ErrNotFound) { // gone since it was listed
				all[i], err = Domain{}, nil
			}

			return err
		})
	}

	err := group.Wait()

	return slices.DeleteFunc(all, func(d Domain) bool { return d.UUID == "" }), err
}

func (s session) uuids(flag libvirt.ConnectListAllDomainsFlags) (map[string]bool, error) {
	listed, err := s.conn.ListAllDomains(flag)
	if err != nil {
		return nil, fail(err)
	}

	uuids := make(map[string]bool, len(listed))

	for i := range listed {
		uuid, err := listed[i].GetUUIDString()
		_ = listed[i].Free()

		if err != nil {
			return nil, fail(err)
		}

		uuids[uuid] = true
	}

	return uuids, nil
}

func describe(found *libvirt.Domain) (domain Domain, err error) {
	if domain.Name, err = found.GetName(); err != nil {
		return Domain{}, fail(err)
	}

	if domain.UUID, err = found.GetUUIDString(); err != nil {
		return Domain{}, fail(err)
	}

	_, inactive := found.GetID() // known since it was looked up
	domain.Active = inactive == nil
	domain.XML, err = found.GetXMLDesc(libvirt.DOMAIN_XML_INACTIVE)
	domain.moving = strings.Contains(domain.XML, "move ")

	return domain, fail(err)
}

func liveXML(found *libvirt.Domain) (string, error) {
	text, err := found.GetXMLDesc(0)

	return text, fail(err)
}

func (s session) domain(uuid string) (Domain, error) {
	found, err := s.conn.LookupDomainByUUIDString(uuid)
	if err != nil {
		return Domain{}, fail(err)
	}

	return describeAlone(found)
}

func (s session) domainNamed(name string) (Domain, error) {
	found, err := s.conn.LookupDomainByName(name)
	if err != nil {
		return Domain{}, fail(err)
	}

	return describeAlone(found)
}

// describeAlone asks for one machine what domains asks for all, and lets go of it.
func describeAlone(found *libvirt.Domain) (Domain, error) {
	defer func() { _ = found.Free() }()

	domain, err := describe(found)
	if err != nil {
		return Domain{}, err
	}

	state, reason, err := found.GetState()
	if err != nil {
		return Domain{}, fail(err)
	}

	domain.Departed = state == libvirt.DOMAIN_SHUTOFF && reason == int(libvirt.DOMAIN_SHUTOFF_MIGRATED)
	domain.Running = state == libvirt.DOMAIN_RUNNING || state == libvirt.DOMAIN_BLOCKED

	if domain.Autostart, err = found.GetAutostart(); err != nil {
		return Domain{}, fail(err)
	}

	if !domain.Active {
		return domain, nil
	}

	domain.LiveXML, err = liveXML(found)

	return domain, err
}

// with looks the machine up, does something to it and lets go of it.
func (s session) with(uuid string, action func(*libvirt.Domain) error) error {
	domain, err := s.conn.LookupDomainByUUIDString(uuid)
	if err != nil {
		return fail(err)
	}

	defer func() { _ = domain.Free() }()

	return fail(action(domain))
}

func (s session) defineDomain(xml string) error {
	domain, err := s.conn.DomainDefineXML(xml)
	if err != nil {
		return fail(err)
	}

	return domain.Free()
}

func (s session) startDomain(uuid string) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		state, _, err := domain.GetState()
		if err != nil {
			return err
		}

		switch state {
		case libvirt.DOMAIN_RUNNING, libvirt.DOMAIN_BLOCKED:
			return nil
		case libvirt.DOMAIN_PAUSED:
			return domain.Resume()
		case libvirt.DOMAIN_PMSUSPENDED:
			return domain.PMWakeup(0)
		default:
			return domain.Create()
		}
	})
}

func (s session) shutdownDomain(uuid string) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		if s.kind != LXC {
			return domain.Shutdown()
		}

		// A container has no power button. Left to itself libvirt takes a container without an initctl pipe for one that was
		// told by it (9.0), so both ways are taken; only systemd and its like have the pipe.
		_ = domain.ShutdownFlags(libvirt.DOMAIN_SHUTDOWN_INITCTL)

		return domain.ShutdownFlags(libvirt.DOMAIN_SHUTDOWN_SIGNAL)
	})
}

func (s session) destroyDomain(uuid string) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		active, err := domain.IsActive()
		if err != nil || !active {
			return err
		}

		err = domain.Destroy()
		if active, again := domain.IsActive(); again == nil && !active {
			return nil // it powered off by itself meanwhile
		}

		return err
	})
}

func (s session) undefineDomain(uuid string) error {
	flags := map[Kind]libvirt.DomainUndefineFlagsValues{ // what a driver does not know it refuses
		QEMU: libvirt.DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.DOMAIN_UNDEFINE_NVRAM | libvirt.DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
		Xen:  libvirt.DOMAIN_UNDEFINE_MANAGED_SAVE,
	}

	return s.with(uuid, func(domain *libvirt.Domain) error { return domain.UndefineFlags(flags[s.kind]) })
}

func (s session) isActive(uuid string) (active bool, err error) {
	err = s.with(uuid, func(domain *libvirt.Domain) error {
		active, err = domain.IsActive()

		return err
	})

	return active, err
}

func (s session) knowsInit(uuid string) (known bool, err error) {
	if s.kind != LXC {
		return true, nil
	}

	err = s.with(uuid, func(domain *libvirt.Domain) error {
		var failure libvirt.Error

		_, err := domain.GetSecurityLabel() // of the first process
		known = !errors.As(err, &failure) || failure.Code != libvirt.ERR_OPERATION_INVALID

		return nil
	})

	return known, err
}

// taskRuns asks the host's kernel, too, by a signal that does nothing: a libvirtd that has lost its connection to a container
// never learns that it ended (seen with 9.0 on a busy host).
func (s session) taskRuns(uuid string) (bool, error) {
	active, err := s.isActive(uuid)
	if err != nil || !active {
		return false, err
	}

	domain, err := s.conn.LookupDomainByUUIDString(uuid)
	if err != nil {
		return false, fail(err)
	}

	defer func() { _ = domain.Free() }()

	var failure libvirt.Error
	if err := domain.SendProcessSignal(1, libvirt.DOMAIN_PROCESS_SIGNAL_NOP, 0); !errors.As(err, &failure) || failure.Code != libvirt.ERR_SYSTEM_ERROR {
		return true, nil // it can be signalled, or the connection does not say
	}

	_ = domain.Destroy() // libvirtd may have noticed by now

	return false, nil
}

func (s session) setAutostart(uuid string, on bool) error {
	return s.with(uuid, func(domain *libvirt.Domain) error { return domain.SetAutostart(on) })
}

func (s session) pinVCPU(uuid string, vcpu int, cpus []bool) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		impact, err := impact(domain)
		if err != nil {
			return err
		}

		return domain.PinVcpuFlags(uint(vcpu), cpus, impact)
	})
}

func (s session) pinEmulator(uuid string, cpus []bool) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		impact, err := impact(domain)
		if err != nil {
			return err
		}

		return domain.PinEmulator(cpus, impact)
	})
}

func (s session) setMetadata(uuid, xml, key, uri string) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		impact, err := impact(domain)
		if err != nil {
			return err
		}

		return domain.SetMetadata(libvirt.DOMAIN_METADATA_ELEMENT, xml, key, uri, impact)
	})
}

func (s session) resizeDisk(uuid, path string, capacity uint64) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		return domain.BlockResize(path, capacity, libvirt.DOMAIN_BLOCK_RESIZE_BYTES)
	})
}

// impact is what a change to the machine reaches: libvirt refuses to change the running machine if there is none.
func impact(domain *libvirt.Domain) (libvirt.DomainModificationImpact, error) {
	active, err := domain.IsActive()
	if active {
		return both, err
	}

	return libvirt.DOMAIN_AFFECT_CONFIG, err
}

func (s session) leases(uuid string) (map[string][]string, error) {
	addresses := map[string][]string{}

	err := s.with(uuid, func(domain *libvirt.Domain) error {
		interfaces, err := domain.ListAllInterfaceAddresses(libvirt.DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE)
		if err != nil {
			return err
		}

		for _, nic := range interfaces {
			for _, address := range nic.Addrs {
				addresses[nic.Hwaddr] = append(addresses[nic.Hwaddr], address.Addr)
			}
		}

		return nil
	})

	return addresses, err
}

// runDomain starts a machine without a stored definition, which ends when this connection does.
func (s session) runDomain(xml string) (string, error) {
	domain, err := s.conn.DomainCreateXML(xml, libvirt.DOMAIN_START_AUTODESTROY)
	if err != nil {
		return "", fail(err)
	}

	defer func() { _ = domain.Free() }()

	uuid, err := domain.GetUUIDString()

	return uuid, fail(err)
}
