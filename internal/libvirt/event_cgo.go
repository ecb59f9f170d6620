//go:build cgo

package libvirt

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"libvirt.org/go/libvirt"
)

// follow subscribes to what happens to machines. The subscriptions end with the connection. Pins that somebody else
// changes are not among it: their event crashes the binding (v1.12002.0, getDomainPinTempFieldInfo).
func (s session) follow(heard func(what change, uuid string)) error {
	tell := func(what change, domain *libvirt.Domain) {
		if uuid, err := domain.GetUUIDString(); err == nil {
			heard(what, uuid)
		}
	}

	_, err := s.conn.DomainEventLifecycleRegister(nil, func(_ *libvirt.Connect, d *libvirt.Domain, event *libvirt.DomainEventLifecycle) {
		tell(happened(*event), d)
	})
	if err != nil {
		return fail(err)
	}

	_, err = s.conn.DomainEventMetadataChangeRegister(nil, func(_ *libvirt.Connect, d *libvirt.Domain, event *libvirt.DomainEventMetadataChange) {
		if event.NSURI == domainxml.MarkURI {
			tell(marked, d)
		} else {
			tell(touched, d)
		}
	})

	return fail(err)
}

// happened is what a lifecycle event says.
func happened(event libvirt.DomainEventLifecycle) change {
	switch event.Event {
	case libvirt.DOMAIN_EVENT_DEFINED:
		return defined
	case libvirt.DOMAIN_EVENT_STARTED:
		if event.Detail == int(libvirt.DOMAIN_EVENT_STARTED_BOOTED) {
			return powered
		}
	case libvirt.DOMAIN_EVENT_RESUMED:
		if event.Detail == int(libvirt.DOMAIN_EVENT_RESUMED_UNPAUSED) {
			return powered
		}
	case libvirt.DOMAIN_EVENT_STOPPED:
		return stopped
	}

	return touched
}
