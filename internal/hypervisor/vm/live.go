package vm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

// guestTimeout is how long a guest may take to let a device go, or to give or take memory.
const guestTimeout = 30 * time.Second

// store edits the definition that the next start uses.
func store(ctx context.Context, host *libvirt.Host, want domainxml.Spec) error {
	domain, err := host.Domain(ctx, want.UUID)
	if err != nil {
		return err
	}

	text, err := domainxml.Edit(domain.XML, want)
	if err != nil {
		return err
	}

	if err := host.Define(ctx, text); err != nil || want.XML == "" {
		return err
	}

	if err := keptAsWritten(ctx, host, want); err != nil {
		return errors.Join(err, host.Define(ctx, domain.XML))
	}

	return nil
}

// keptAsWritten refuses XML of the user's that the host keeps in other words: it would look changed in each plan.
func keptAsWritten(ctx context.Context, host *libvirt.Host, want domainxml.Spec) error {
	domain, err := host.Domain(ctx, want.UUID)
	if err != nil {
		return err
	}

	piece, err := domainxml.Unkept(domain.XML, want)
	if err == nil && piece != "" {
		err = fmt.Errorf("the attribute xml says %s. Write it as the host keeps it, so that a plan can tell whether it is there", piece)
	}

	return err
}

// change carries the step out on the running machine.
func (s deviceStep) change(ctx context.Context, host *libvirt.Host, id string) error {
	domain, err := host.Domain(ctx, id)
	if err != nil {
		return err
	}

	text, err := s.device(domain)
	if err != nil {
		return err
	}

	if err := host.ChangeDevice(ctx, id, s.Change, text); err != nil || s.Change != libvirt.Detach {
		return err
	}

	return s.gone(ctx, host, id)
}

// device is the element of the device: what comes is as it is stored, what goes as it runs.
func (s deviceStep) device(domain libvirt.Domain) (string, error) {
	source := domain.LiveXML
	if s.Change == libvirt.Attach {
		source = domain.XML
	}

	switch {
	case s.Disk != "":
		return domainxml.DiskDevice(source, s.Disk)
	case s.Change == libvirt.Rewire:
		return domainxml.RewiredInterface(source, s.To)
	default:
		return domainxml.InterfaceDevice(source, s.MAC)
	}
}

// gone waits until the guest has let the device go.
func (s deviceStep) gone(ctx context.Context, host *libvirt.Host, id string) error {
	what := fmt.Sprintf("disk %q", s.Disk)
	if s.Disk == "" {
		what = "the interface " + s.MAC
	}

	ctx, cancel := context.WithTimeout(ctx, guestTimeout)
	defer cancel()

	err := poll.Until(ctx, "the guest to let "+what+" go", func(int) error {
		domain, err := host.Domain(ctx, id)
		if err != nil {
			return err
		}

		if _, missing := s.device(domain); missing == nil && domain.Active {
			return fmt.Errorf("%w: it is still there", poll.ErrNotYet)
		}

		return nil
	})
	if errors.Is(err, poll.ErrNotYet) {
		err = fmt.Errorf("the guest keeps %s. Unmount or configure it away in the guest and apply again; the next start of the machine comes without it: %w", what, err)
	}

	return err
}

// setMemory changes what the running guest has and waits until it does.
func setMemory(ctx context.Context, host *libvirt.Host, id string, bytes uint64) error {
	if err := host.SetMemory(ctx, id, bytes); err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(ctx, guestTimeout)
	defer cancel()

	err := poll.Until(ctx, "the guest's balloon driver", func(int) error {
		domain, err := host.Domain(ctx, id)
		if err != nil || !domain.Active {
			return err
		}

		live, err := domainxml.Parse(domain.LiveXML)
		if err == nil && live.Memory != bytes {
			err = fmt.Errorf("%w: the guest has %d MiB, and is to have %d MiB", poll.ErrNotYet, live.Memory>>20, bytes>>20)
		}

		return err
	})
	if errors.Is(err, poll.ErrNotYet) {
		err = fmt.Errorf("the guest does not change its memory. It needs the driver virtio_balloon, and cannot give away what it uses: %w", err)
	}

	return err
}
