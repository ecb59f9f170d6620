//go:build cgo

package libvirt

import (
	"errors"

	"libvirt.org/go/libvirt"
)

func (s session) snapshots(uuid string) (all []string, err error) {
	err = s.with(uuid, func(domain *libvirt.Domain) error {
		listed, err := domain.ListAllSnapshots(0)
		if err != nil {
			return err
		}

		for i := range listed {
			text, err := listed[i].GetXMLDesc(0)
			_ = listed[i].Free()

			switch err = fail(err); {
			case errors.Is(err, ErrNotFound): // gone since it was listed
			case err != nil:
				return err
			default:
				all = append(all, text)
			}
		}

		return nil
	})

	return all, err
}

func (s session) createSnapshot(uuid, xml string) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		snapshot, err := domain.CreateSnapshotXML(xml, 0)
		if err != nil {
			return err
		}

		return snapshot.Free()
	})
}

func (s session) revertToSnapshot(uuid, name string, run bool) error {
	flags := libvirt.DOMAIN_SNAPSHOT_REVERT_FORCE // the machine's definition may be another one now
	if run {
		flags |= libvirt.DOMAIN_SNAPSHOT_REVERT_RUNNING
	}

	return s.withSnapshot(uuid, name, func(snapshot *libvirt.DomainSnapshot) error { return snapshot.RevertToSnapshot(flags) })
}

func (s session) deleteSnapshot(uuid, name string) error {
	return s.withSnapshot(uuid, name, func(snapshot *libvirt.DomainSnapshot) error { return snapshot.Delete(0) })
}

func (s session) withSnapshot(uuid, name string, action func(*libvirt.DomainSnapshot) error) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		snapshot, err := domain.SnapshotLookupByName(name, 0)
		if err != nil {
			return err
		}

		defer func() { _ = snapshot.Free() }()

		return action(snapshot)
	})
}
