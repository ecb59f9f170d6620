//go:build cgo

package libvirt

import (
	"golang.org/x/sync/errgroup"
	"libvirt.org/go/libvirt"
)

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

// describeAll describes machines and lets go of them.
func describeAll(listed []libvirt.Domain) ([]Domain, error) {
	return each(len(listed), func(i int) (Domain, error) {
		defer func() { _ = listed[i].Free() }()

		domain, err := describe(&listed[i])
		if err == nil && domain.Active {
			domain.LiveXML, err = liveXML(&listed[i])
		}

		return domain, err
	})
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

func describe(found *libvirt.Domain) (Domain, error) {
	domain, err := identify(found)
	if err != nil {
		return Domain{}, err
	}

	err = domain.addStored(found)

	return domain, err
}

// identify tells what is known of a machine since it was looked up or listed.
func identify(found *libvirt.Domain) (domain Domain, err error) {
	if domain.Name, err = found.GetName(); err != nil {
		return Domain{}, fail(err)
	}

	_, inactive := found.GetID()
	domain.Active = inactive == nil
	domain.UUID, err = found.GetUUIDString()

	return domain, fail(err)
}

func (d *Domain) addStored(found *libvirt.Domain) (err error) {
	d.XML, err = found.GetXMLDesc(libvirt.DOMAIN_XML_INACTIVE)
	d.moving = speaksOfMove(d.XML)

	return fail(err)
}

func liveXML(found *libvirt.Domain) (string, error) {
	text, err := found.GetXMLDesc(0)

	return text, fail(err)
}

func (s session) domain(uuid string) (Domain, error) {
	found, err := s.lookUp(uuid)
	if err != nil {
		return Domain{}, fail(err)
	}

	return s.describeAlone(found, uuid)
}

func (s session) domainNamed(name string) (Domain, error) {
	found, err := s.conn.LookupDomainByName(name)
	if err != nil {
		return Domain{}, fail(err)
	}

	uuid, err := found.GetUUIDString()
	if err != nil {
		return Domain{}, fail(err)
	}

	s.handles.keep(uuid, found)

	return s.describeAlone(found, uuid)
}

// now looks a machine up: a handle may be older than its name and its process.
func (s session) now(uuid string) (Domain, error) {
	found, err := s.conn.LookupDomainByUUIDString(uuid)
	if err != nil {
		return Domain{}, fail(err)
	}

	defer func() { _ = found.Free() }()

	return identify(found)
}

// describeAlone asks for one machine what domains asks for all, and lets go of it. The questions are on their way at the same time.
func (s session) describeAlone(found *libvirt.Domain, uuid string) (domain Domain, err error) {
	defer func() { _ = found.Free() }()

	var (
		named, stored Domain // of which nothing else is known
		live          string
		group         errgroup.Group
	)

	group.Go(func() (err error) {
		named, err = s.now(uuid)

		return err
	})

	group.Go(func() error {
		state, reason, err := found.GetState()
		domain.Departed = state == libvirt.DOMAIN_SHUTOFF && reason == int(libvirt.DOMAIN_SHUTOFF_MIGRATED)
		domain.Running = state == libvirt.DOMAIN_RUNNING || state == libvirt.DOMAIN_BLOCKED

		return fail(err)
	})

	group.Go(func() (err error) {
		domain.Autostart, err = found.GetAutostart()

		return fail(err)
	})

	group.Go(func() error { return stored.addStored(found) })

	if s.handles.power(uuid) == on {
		group.Go(func() (err error) {
			live, err = liveXML(found)

			return err
		})
	}

	if err := group.Wait(); err != nil {
		return Domain{}, err
	}

	domain.Name, domain.UUID, domain.Active = named.Name, named.UUID, named.Active
	domain.XML, domain.moving = stored.XML, stored.moving

	if domain.Active && live == "" {
		live, err = liveXML(found)
	}

	if domain.Active {
		domain.LiveXML = live
	}

	s.handles.setPower(uuid, domain.Active)

	return domain, err
}
