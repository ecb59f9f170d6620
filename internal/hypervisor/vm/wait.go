package vm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

// errStopped is what becomes of a wait for a machine that stops meanwhile, as one does that crashes again and again.
var errStopped = errors.New("the machine has stopped by itself")

const (
	dialTimeout = 2 * time.Second
	// livenessEvery is how many polls pass between two looks at whether the machine still runs.
	livenessEvery = 8
)

// waitFor waits until the machine is what its wait_for says. It gives up at once if the machine stops meanwhile.
func (m model) waitFor(ctx context.Context, host *libvirt.Host) error {
	if m.WaitFor == nil || !m.Running.ValueBool() {
		return nil
	}

	heard := listen(ctx, host, m.ID.ValueString())
	defer heard.close()

	wait := func(what string, probe func() error) error {
		err := poll.Until(ctx, what, func(attempt int) error {
			heard.hear()

			if attempt%livenessEvery == livenessEvery-1 {
				if err := m.lives(ctx, host); err != nil {
					return err
				}
			}

			return probe()
		})

		switch said := heard.last(); {
		case errors.Is(err, errStopped):
			err = fmt.Errorf("%w%s", err, said)
		case errors.Is(err, poll.ErrNotYet):
			err = fmt.Errorf("%w. The guest's console may say more: virsh console %s%s", err, m.Name.ValueString(), said)
		}

		return err
	}

	if name := m.WaitFor.Address.ValueString(); name != "" {
		if err := wait(fmt.Sprintf("an address on interface %q", name), func() error { return m.hasAddress(ctx, host, name) }); err != nil {
			return err
		}
	}

	if address := m.WaitFor.TCP.ValueString(); address != "" {
		return wait(address+" to accept connections", func() error { return connects(ctx, address) })
	}

	return nil
}

// lives returns an error if the machine has no process any more.
func (m model) lives(ctx context.Context, host *libvirt.Host) error {
	active, err := host.Active(ctx, m.ID.ValueString())
	if err == nil && !active {
		err = fmt.Errorf("%w. Look at its log on the host, /var/log/libvirt/qemu/%s.log", errStopped, m.Name.ValueString())
	}

	return err
}

func (m model) hasAddress(ctx context.Context, host *libvirt.Host, name string) error {
	found, err := m.addresses(ctx, host)
	if err != nil {
		return err
	}

	if len(found[name]) == 0 {
		return fmt.Errorf("%w: no address", poll.ErrNotYet)
	}

	return nil
}

func connects(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()

	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("%w: %w", poll.ErrNotYet, err)
	}

	return conn.Close()
}

// addresses returns the IP addresses of the machine's interfaces: those that cloud-init is told, otherwise those that
// the host's DHCP servers gave.
func (m model) addresses(ctx context.Context, host *libvirt.Host) (map[string][]string, error) {
	all := map[string][]string{}
	leased := map[string][]string{}

	if m.needsLeases() {
		var err error
		if leased, err = host.Leases(ctx, m.ID.ValueString()); err != nil {
			return nil, err
		}
	}

	for name, nic := range m.Interfaces {
		all[name] = append([]string{}, m.staticAddresses(name)...)
		if len(all[name]) == 0 {
			all[name] = append(all[name], leased[nic.MAC.ValueString()]...)
		}
	}

	return all, nil
}

// needsLeases reports whether an interface of the running machine is on a network of the host's, with no address of its
// own.
func (m model) needsLeases() bool {
	for name, nic := range m.Interfaces {
		if nic.Network.ValueString() != "" && len(m.staticAddresses(name)) == 0 && m.Running.ValueBool() {
			return true
		}
	}

	return false
}

func (m model) staticAddresses(name string) []string {
	if m.CloudInit == nil {
		return nil
	}

	return withoutPrefix(m.CloudInit.Network[name].Addresses)
}
