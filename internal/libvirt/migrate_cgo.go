//go:build cgo

package libvirt

import (
	"errors"

	"libvirt.org/go/libvirt"
)

// bandwidthUnit is that of libvirt's limit: MiB a second.
const bandwidthUnit = 1 << 20

func (s session) migrate(to connection, at Config, m Migration) error {
	target, ok := to.(session)
	if !ok {
		return errors.New("the target's connection is none of libvirt's")
	}

	return s.with(m.UUID, func(domain *libvirt.Domain) error {
		if at.PeerURI != "" {
			return domain.MigrateToURI3(at.PeerURI, m.parameters(at), m.flags()|libvirt.MIGRATE_PEER2PEER)
		}

		moved, err := domain.Migrate3(target.conn, m.parameters(at), m.flags())
		if err != nil {
			return err
		}

		return moved.Free()
	})
}

func (m Migration) parameters(at Config) *libvirt.DomainMigrateParameters {
	parameters := &libvirt.DomainMigrateParameters{
		DestXMLSet: true, DestXML: m.LiveXML,
		PersistXMLSet: true, PersistXML: m.StoredXML,
		URISet: at.MigrationURI != "", URI: at.MigrationURI,
		MigrateDisksSet: len(m.Disks) > 0, MigrateDisks: m.Disks,
	}

	if m.Bandwidth > 0 {
		parameters.BandwidthSet, parameters.Bandwidth = true, max(m.Bandwidth/bandwidthUnit, 1)
	}

	return parameters
}

func (m Migration) flags() libvirt.DomainMigrateFlags {
	flags := libvirt.MIGRATE_LIVE | libvirt.MIGRATE_PERSIST_DEST | libvirt.MIGRATE_ABORT_ON_ERROR

	for _, option := range []struct {
		wanted bool
		flag   libvirt.DomainMigrateFlags
	}{
		{len(m.Disks) > 0 && m.Overlays, libvirt.MIGRATE_NON_SHARED_INC},
		{len(m.Disks) > 0 && !m.Overlays, libvirt.MIGRATE_NON_SHARED_DISK},
		{m.Shared, libvirt.MIGRATE_UNSAFE},
		{m.PostCopy, libvirt.MIGRATE_POSTCOPY},
		{m.AutoConverge, libvirt.MIGRATE_AUTO_CONVERGE},
		{m.TLS, libvirt.MIGRATE_TLS},
	} {
		if option.wanted {
			flags |= option.flag
		}
	}

	return flags
}

func (s session) job(uuid string) (job Job, err error) {
	err = s.with(uuid, func(domain *libvirt.Domain) error {
		info, err := domain.GetJobStats(0)
		if active, again := domain.IsActive(); again == nil && !active {
			return nil // libvirt refuses to speak of jobs of machines that do not run
		}

		if err != nil {
			return err
		}

		job = Job{
			Active:    info.Type == libvirt.DOMAIN_JOB_BOUNDED || info.Type == libvirt.DOMAIN_JOB_UNBOUNDED,
			Total:     info.DataTotal,
			Processed: info.DataProcessed,
			round:     info.MemIteration,
		}

		return nil
	})

	return job, err
}

func (s session) abortJob(uuid string) error {
	return s.with(uuid, func(domain *libvirt.Domain) error { return domain.AbortJob() })
}

func (s session) startPostCopy(uuid string) error {
	return s.with(uuid, func(domain *libvirt.Domain) error { return domain.MigrateStartPostCopy(0) })
}

func (s session) migratableXML(uuid string) (text string, err error) {
	err = s.with(uuid, func(domain *libvirt.Domain) error {
		text, err = domain.GetXMLDesc(libvirt.DOMAIN_XML_SECURE | libvirt.DOMAIN_XML_MIGRATABLE)

		return err
	})

	return text, err
}
