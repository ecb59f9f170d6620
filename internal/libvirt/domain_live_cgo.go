//go:build cgo

package libvirt

import (
	"errors"

	"libvirt.org/go/libvirt"
)

func (s session) pinIOThread(uuid string, thread int, cpus []bool) error {
	return s.alter(uuid, func(domain *libvirt.Domain, impact libvirt.DomainModificationImpact) error {
		return domain.PinIOThread(uint(thread), cpus, impact)
	})
}

func (s session) setVCPUs(uuid string, count int) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		if s.kind != LXC {
			return domain.SetVcpusFlags(uint(count), libvirt.DOMAIN_VCPU_LIVE)
		}

		// A container has CPU time instead of vCPUs: so much of each period.
		now, err := domain.GetSchedulerParametersFlags(libvirt.DOMAIN_AFFECT_LIVE)
		if err != nil {
			return err
		}

		return domain.SetSchedulerParametersFlags(&libvirt.DomainSchedulerParameters{
			VcpuQuotaSet: true, VcpuQuota: int64(count) * int64(now.VcpuPeriod),
		}, libvirt.DOMAIN_AFFECT_LIVE)
	})
}

func (s session) setMemory(uuid string, bytes uint64) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		if s.kind != LXC {
			return domain.SetMemoryFlags(bytes/1024, libvirt.DOMAIN_MEM_LIVE)
		}

		// A container has no balloon, but a limit.
		return domain.SetMemoryParameters(&libvirt.DomainMemoryParameters{HardLimitSet: true, HardLimit: bytes / 1024}, libvirt.DOMAIN_AFFECT_LIVE)
	})
}

func (s session) setText(uuid string, kind TextKind, text string) error {
	return s.alter(uuid, func(domain *libvirt.Domain, impact libvirt.DomainModificationImpact) error {
		which := libvirt.DOMAIN_METADATA_TITLE
		if kind == Description {
			which = libvirt.DOMAIN_METADATA_DESCRIPTION
		}

		return domain.SetMetadata(which, text, "", "", impact)
	})
}

func (s session) changeDevice(uuid string, change DeviceChange, xml string) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		switch change {
		case Attach:
			return domain.AttachDeviceFlags(xml, libvirt.DOMAIN_DEVICE_MODIFY_LIVE)
		case Detach:
			return domain.DetachDeviceFlags(xml, libvirt.DOMAIN_DEVICE_MODIFY_LIVE)
		default:
			return domain.UpdateDeviceFlags(xml, libvirt.DOMAIN_DEVICE_MODIFY_LIVE)
		}
	})
}

func (s session) hasInterface(name string) (bool, error) {
	found, err := s.conn.LookupInterfaceByName(name)
	if err == nil {
		return true, found.Free()
	}

	if failed, ok := errors.AsType[libvirt.Error](err); ok && failed.Code == libvirt.ERR_NO_INTERFACE {
		return false, nil
	}

	if !s.alive() {
		return false, fail(err)
	}

	return true, nil // its libvirt does not know interfaces
}
