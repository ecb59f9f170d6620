//go:build cgo

package libvirt

import "libvirt.org/go/libvirt"

func (s session) pool(name string) (found poolXML, err error) {
	err = s.withPool(name, func(pool *libvirt.StoragePool) error {
		found, err = describePool(pool)

		return err
	})

	return found, err
}

func (s session) definePool(xml string) error {
	pool, err := s.conn.StoragePoolDefineXML(xml, 0)
	if err != nil {
		return fail(err)
	}

	return fail(pool.Free())
}

// buildPool makes folders that are missing and leaves those that are there as they are.
func (s session) buildPool(name string) error {
	return s.withPool(name, func(pool *libvirt.StoragePool) error {
		if active, err := pool.IsActive(); err != nil || active { // libvirt refuses to build one that runs
			return err
		}

		return pool.Build(libvirt.STORAGE_POOL_BUILD_NEW)
	})
}

func (s session) startPool(name string) error {
	return s.withPool(name, func(pool *libvirt.StoragePool) error {
		if active, err := pool.IsActive(); err != nil || active {
			return err
		}

		return pool.Create(libvirt.STORAGE_POOL_CREATE_NORMAL)
	})
}

// stopPool unmounts or deactivates what the pool made accessible. It deletes nothing: that would be Delete.
func (s session) stopPool(name string) error {
	return s.withPool(name, func(pool *libvirt.StoragePool) error {
		if active, err := pool.IsActive(); err != nil || !active {
			return err
		}

		return pool.Destroy()
	})
}

func (s session) undefinePool(name string) error {
	return s.withPool(name, func(pool *libvirt.StoragePool) error { return pool.Undefine() })
}

func (s session) setPoolAutostart(name string, on bool) error {
	return s.withPool(name, func(pool *libvirt.StoragePool) error { return pool.SetAutostart(on) })
}
