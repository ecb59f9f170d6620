//go:build cgo

package libvirt

import (
	"strings"

	"libvirt.org/go/libvirt"
)

func (s session) pools() ([]poolXML, error) {
	listed, err := s.conn.ListAllStoragePools(0)
	if err != nil {
		return nil, fail(err)
	}

	return describePools(listed)
}

func describePools(listed []libvirt.StoragePool) ([]poolXML, error) {
	return each(len(listed), func(i int) (poolXML, error) {
		defer func() { _ = listed[i].Free() }()

		return describePool(&listed[i])
	})
}

func (s session) volumes(name string) (texts []string, active bool, err error) {
	err = s.withPool(name, func(pool *libvirt.StoragePool) error {
		// A pool with an upload in flight cannot be refreshed; what libvirt knows of it is then current enough. A pool whose
		// storage is gone is stopped by the refresh, and is seen to be inactive.
		_ = pool.Refresh(0)

		if active, err = pool.IsActive(); err != nil || !active {
			return err
		}

		if texts, err = describeVolumes(pool); err != nil {
			if now, again := pool.IsActive(); again == nil && !now { // it was stopped meanwhile
				texts, active, err = nil, false, nil
			}
		}

		return err
	})

	return texts, active, err
}

func describeVolumes(pool *libvirt.StoragePool) ([]string, error) {
	listed, err := pool.ListAllStorageVolumes(0)
	if err != nil {
		return nil, err
	}

	return each(len(listed), func(i int) (string, error) {
		defer func() { _ = listed[i].Free() }()

		text, err := listed[i].GetXMLDesc(0)

		return text, fail(err)
	})
}

// describePool tells what libvirt knows, without a look at the storage.
func describePool(found *libvirt.StoragePool) (pool poolXML, err error) {
	if pool.name, err = found.GetName(); err != nil {
		return poolXML{}, fail(err)
	}

	if pool.active, err = found.IsActive(); err != nil {
		return poolXML{}, fail(err)
	}

	if pool.persistent, err = found.IsPersistent(); err != nil {
		return poolXML{}, fail(err)
	}

	if pool.autostart, err = found.GetAutostart(); err != nil {
		return poolXML{}, fail(err)
	}

	pool.xml, err = found.GetXMLDesc(libvirt.STORAGE_XML_INACTIVE)

	return pool, fail(err)
}

func (s session) withPool(name string, action func(*libvirt.StoragePool) error) error {
	pool, err := s.conn.LookupStoragePoolByName(name)
	if err != nil {
		return fail(err)
	}

	defer func() { _ = pool.Free() }()

	return fail(action(pool))
}

func (s session) withVolume(pool, name string, action func(*libvirt.StorageVol) error) error {
	return s.withPool(pool, func(pool *libvirt.StoragePool) error {
		volume, err := pool.LookupStorageVolByName(name)
		if err != nil {
			return err
		}

		defer func() { _ = volume.Free() }()

		return action(volume)
	})
}

// volumeAt asks without reading any pool. Only active pools are looked into.
func (s session) volumeAt(path string) (pool, name string, err error) {
	volume, err := s.conn.LookupStorageVolByPath(path)
	if err != nil {
		return "", "", fail(err)
	}

	defer func() { _ = volume.Free() }()

	in, err := volume.LookupPoolByVolume()
	if err != nil {
		return "", "", fail(err)
	}

	defer func() { _ = in.Free() }()

	if pool, err = in.GetName(); err == nil {
		name, err = volume.GetName()
	}

	return pool, name, fail(err)
}

func (s session) volume(pool, name string) (text string, err error) {
	err = s.withVolume(pool, name, func(volume *libvirt.StorageVol) error {
		text, err = volume.GetXMLDesc(0)

		return err
	})

	return text, err
}

func (s session) refreshPool(name string) error {
	return s.withPool(name, func(pool *libvirt.StoragePool) error {
		err := pool.Refresh(0)
		if err != nil && strings.Contains(err.Error(), "asynchronous jobs running") { // it has no code of its own
			err = errBusy
		}

		return err
	})
}

// createVolume takes preallocate for formats that map what they hold; others are as large as their allocation says.
func (s session) createVolume(pool, xml string, preallocate bool) error {
	var flags libvirt.StorageVolCreateFlags
	if preallocate {
		flags = libvirt.STORAGE_VOL_CREATE_PREALLOC_METADATA
	}

	return s.withPool(pool, func(pool *libvirt.StoragePool) error {
		volume, err := pool.StorageVolCreateXML(xml, flags)
		if err != nil {
			return err
		}

		return volume.Free()
	})
}

func (s session) resizeVolume(pool, name string, capacity uint64) error {
	return s.withVolume(pool, name, func(volume *libvirt.StorageVol) error { return volume.Resize(capacity, 0) })
}

func (s session) deleteVolume(pool, name string) error {
	return s.withVolume(pool, name, func(volume *libvirt.StorageVol) error { return volume.Delete(libvirt.STORAGE_VOL_DELETE_NORMAL) })
}

func (s session) upload(pool, name string, length int64, next func(int) ([]byte, error)) error {
	return s.withVolume(pool, name, func(volume *libvirt.StorageVol) error {
		return s.stream(func(stream *libvirt.Stream) error {
			if err := volume.Upload(stream, 0, uint64(length), 0); err != nil {
				return err
			}

			var cause error // libvirt tells only that the source failed

			err := stream.SendAll(func(_ *libvirt.Stream, limit int) (chunk []byte, err error) {
				chunk, cause = next(limit)

				return chunk, cause
			})
			if cause != nil {
				return cause
			}

			return err
		})
	})
}

func (s session) download(pool, name string, at, length uint64, write func([]byte) error) error {
	return s.withVolume(pool, name, func(volume *libvirt.StorageVol) error {
		return s.stream(func(stream *libvirt.Stream) error {
			if err := volume.Download(stream, at, length, 0); err != nil {
				return err
			}

			var cause error

			err := stream.RecvAll(func(_ *libvirt.Stream, chunk []byte) (int, error) {
				cause = write(chunk)

				return len(chunk), cause
			})
			if cause != nil {
				return cause
			}

			return err
		})
	})
}

// stream opens a stream, lets transfer use it, and finishes it, or aborts it if transfer failed.
func (s session) stream(transfer func(*libvirt.Stream) error) error {
	stream, err := s.conn.NewStream(0)
	if err != nil {
		return err
	}

	defer func() { _ = stream.Free() }()

	if err := transfer(stream); err != nil {
		_ = stream.Abort()

		return err
	}

	return stream.Finish()
}
