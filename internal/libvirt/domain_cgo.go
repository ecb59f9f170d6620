//go:build cgo

package libvirt

import (
	"errors"
	"math"
	"time"

	"libvirt.org/go/libvirt"
)

// both changes the running machine, if it runs, and its stored definition.
const both = libvirt.DOMAIN_AFFECT_LIVE | libvirt.DOMAIN_AFFECT_CONFIG

func (s session) defineDomain(xml string) error {
	domain, err := s.conn.DomainDefineXML(xml)
	if err != nil {
		return fail(err)
	}

	defer func() { _ = domain.Free() }()

	uuid, err := domain.GetUUIDString()
	if err == nil {
		s.handles.keep(uuid, domain)
	}

	if _, inactive := domain.GetID(); inactive != nil {
		s.handles.setPower(uuid, false)
	}

	return fail(err)
}

func (s session) startDomain(uuid string) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		err := domain.CreateWithFlags(0) // one call, where Create looks the machine up again
		if refused(err) {
			err = wake(domain, err)
		}

		s.handles.setPower(uuid, err == nil)

		return err
	})
}

// wake lets a machine go on that libvirt refused to start.
func wake(domain *libvirt.Domain, refusal error) error {
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
		return refusal
	}
}

// refused reports whether libvirt says that a machine is not in the state for what it was asked.
func refused(err error) bool {
	failure, ok := errors.AsType[libvirt.Error](err)

	return ok && failure.Code == libvirt.ERR_OPERATION_INVALID
}

func (s session) shutdownDomain(uuid string) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		if s.kind != LXC {
			return domain.Shutdown()
		}

		// A container has no power button. One that has no pipe either may be told from one that has by its refusal, but not in 9.0.
		err := domain.ShutdownFlags(libvirt.DOMAIN_SHUTDOWN_INITCTL)
		if failure, ok := errors.AsType[libvirt.Error](err); ok && failure.Code == libvirt.ERR_OPERATION_UNSUPPORTED {
			return domain.ShutdownFlags(libvirt.DOMAIN_SHUTDOWN_SIGNAL)
		}

		return err
	})
}

func (s session) signalDomain(uuid string) error {
	return s.with(uuid, func(domain *libvirt.Domain) error { return domain.ShutdownFlags(libvirt.DOMAIN_SHUTDOWN_SIGNAL) })
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

	defer s.handles.drop(uuid)

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

	var gone bool

	err = s.with(uuid, func(domain *libvirt.Domain) error {
		failure, ok := errors.AsType[libvirt.Error](domain.SendProcessSignal(1, libvirt.DOMAIN_PROCESS_SIGNAL_NOP, 0))

		// Otherwise it can be signalled, or the connection does not say.
		if gone = ok && failure.Code == libvirt.ERR_SYSTEM_ERROR; gone {
			_ = domain.Destroy() // libvirtd may have noticed by now
		}

		return nil
	})

	return !gone, err
}

// cpuTime is what the machine has used since its start, or zero where the host does not count that.
func (s session) cpuTime(uuid string) (used time.Duration, err error) {
	err = s.with(uuid, func(domain *libvirt.Domain) error {
		info, err := domain.GetInfo()
		if err == nil {
			used = time.Duration(min(info.CpuTime, math.MaxInt64)) // nanoseconds
		}

		return err
	})

	return used, err
}

func (s session) setAutostart(uuid string, on bool) error {
	return s.with(uuid, func(domain *libvirt.Domain) error { return domain.SetAutostart(on) })
}

func (s session) pinVCPU(uuid string, vcpu int, cpus []bool) error {
	return s.alter(uuid, func(domain *libvirt.Domain, impact libvirt.DomainModificationImpact) error {
		return domain.PinVcpuFlags(uint(vcpu), cpus, impact)
	})
}

func (s session) pinEmulator(uuid string, cpus []bool) error {
	return s.alter(uuid, func(domain *libvirt.Domain, impact libvirt.DomainModificationImpact) error {
		return domain.PinEmulator(cpus, impact)
	})
}

func (s session) setMetadata(uuid, xml, key, uri string) error {
	return s.alter(uuid, func(domain *libvirt.Domain, impact libvirt.DomainModificationImpact) error {
		return domain.SetMetadata(libvirt.DOMAIN_METADATA_ELEMENT, xml, key, uri, impact)
	})
}

func (s session) resizeDisk(uuid, path string, capacity uint64) error {
	return s.with(uuid, func(domain *libvirt.Domain) error {
		return domain.BlockResize(path, capacity, libvirt.DOMAIN_BLOCK_RESIZE_BYTES)
	})
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
