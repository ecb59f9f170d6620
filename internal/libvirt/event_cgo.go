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
		if event.Event == libvirt.DOMAIN_EVENT_DEFINED {
			tell(defined, d)
		} else {
			tell(touched, d)
		}
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
