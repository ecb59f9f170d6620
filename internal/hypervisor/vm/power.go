package vm

import (
	"context"
	"fmt"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

// askEvery is how many polls pass between two requests to power off: a guest that still boots does not hear the first.
const askEvery = 20

// signalAfter is how many polls pass until a container is sent a signal, for want of a better way: long enough for systemd to have
// read its pipe, or the signal would undo that. If it was slower, a request without a signal follows before the next signal.
const signalAfter = 4

// stop powers the machine off: the guest is asked first, by its agent or by ACPI, and after the time that it is given its power
// is cut, or if force is not allowed the machine is left running.
func stop(ctx context.Context, host *libvirt.Host, id string, grace time.Duration, force bool) error {
	active, err := host.Active(ctx, id)
	if err != nil || !active {
		return err
	}

	if grace > 0 {
		waiting, cancel := context.WithTimeout(ctx, grace)
		defer cancel()

		err := poll.Until(waiting, "the guest to power off", func(attempt int) error { return askToPowerOff(waiting, host, id, attempt) })
		if err == nil || ctx.Err() != nil {
			return err
		}

		if !force {
			return fmt.Errorf("the guest did not power off within %s (shutdown_timeout), and runs on. Power it off from inside, give it more time, or let its power be cut with force_restart = true: %w", grace, err)
		}
	}

	return host.Destroy(ctx, id)
}

func askToPowerOff(ctx context.Context, host *libvirt.Host, id string, attempt int) error {
	active, err := host.Active(ctx, id)
	if err != nil || !active {
		return err
	}

	var ask func(context.Context, string) error

	switch {
	case attempt%askEvery == 0:
		ask = host.Shutdown
	case host.Kind() == libvirt.LXC && attempt%(2*askEvery) == signalAfter:
		ask = host.Signal
	default:
		return fmt.Errorf("%w: it runs", poll.ErrNotYet)
	}

	if err := ask(ctx, id); err != nil {
		if active, again := host.Active(ctx, id); again == nil && !active {
			return nil // it powered off by itself meanwhile
		}

		return err
	}

	return fmt.Errorf("%w: it runs", poll.ErrNotYet)
}

// restart powers the machine off and starts it with what is stored. A time of zero says that its power may be cut.
func (m *model) restart(ctx context.Context, host *libvirt.Host, spec domainxml.Spec) error {
	grace := m.ShutdownTimeout.Duration()

	if err := stop(ctx, host, spec.UUID, grace, m.ForceRestart.ValueBool() || grace == 0); err != nil {
		return fmt.Errorf("restart the machine: %w", err)
	}

	return m.start(ctx, host, spec)
}
