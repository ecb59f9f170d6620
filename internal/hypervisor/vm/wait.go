package vm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

const (
	pollInterval = 250 * time.Millisecond
	dialTimeout  = 2 * time.Second
	// livenessEvery is how many polls pass between two looks at whether the machine still runs.
	livenessEvery = 8
)

// errNotYet wraps what a probe saw that may still change.
var errNotYet = errors.New("not yet")

// poll calls probe until it succeeds, fails for good (an error that is not errNotYet), or ctx ends. what completes the
// sentence "gave up waiting for ...".
func poll(ctx context.Context, what string, probe func(attempt int) error) error {
	tflog.Debug(ctx, "waiting", map[string]any{"for": what})

	started := time.Now()
	ticker := time.NewTicker(pollInterval)

	defer ticker.Stop()

	for attempt := 0; ; attempt++ {
		err := probe(attempt)
		if !errors.Is(err, errNotYet) {
			return err
		}

		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("gave up waiting for %s after %s; last seen: %w. Look at the machine's console, or raise the timeout in timeouts", what, time.Since(started).Round(time.Second), err)
		}
	}
}

// waitFor waits until the machine is what its wait_for says.
func (m model) waitFor(ctx context.Context, host *libvirt.Host) error {
	if m.WaitFor == nil || !m.Running.ValueBool() {
		return nil
	}

	alive := func(attempt int) error {
		if attempt%livenessEvery != livenessEvery-1 {
			return nil
		}

		active, err := host.Active(ctx, m.ID.ValueString())
		if err == nil && !active {
			err = errors.New("the machine has stopped. Look at its log on the host, /var/log/libvirt/qemu/" + m.Name.ValueString() + ".log")
		}

		return err
	}

	if name := m.WaitFor.Address.ValueString(); name != "" {
		err := poll(ctx, fmt.Sprintf("an address on interface %q", name), func(attempt int) error {
			if err := alive(attempt); err != nil {
				return err
			}

			return m.hasAddress(ctx, host, name)
		})
		if err != nil {
			return err
		}
	}

	address := m.WaitFor.TCP.ValueString()
	if address == "" {
		return nil
	}

	return poll(ctx, address+" to accept connections", func(attempt int) error {
		if err := alive(attempt); err != nil {
			return err
		}

		return connects(ctx, address)
	})
}

func (m model) hasAddress(ctx context.Context, host *libvirt.Host, name string) error {
	found, err := m.addresses(ctx, host)
	if err != nil {
		return err
	}

	if len(found[name]) == 0 {
		return fmt.Errorf("%w: no address", errNotYet)
	}

	return nil
}

func connects(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()

	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotYet, err)
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
