package libvirt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

// Kind is what runs the machines of a host. It is known from the host's URI alone.
type Kind string

// The kinds that differ in what a machine can have. Drivers that libvirt has beyond these count as QEMU.
const (
	QEMU Kind = "qemu"
	LXC  Kind = "lxc"
	Xen  Kind = "xen"
)

// Kind is what runs the host's machines. It has no meaning unless Known.
func (h *Host) Kind() Kind { return kindOf(h.config.URI) }

// kindOf takes a URI such as "lxc+ssh://root@10.0.0.11/system": the driver stands before the transport.
func kindOf(uri string) Kind {
	scheme, _, _ := strings.Cut(uri, ":")
	driver, _, _ := strings.Cut(scheme, "+")

	switch kind := Kind(strings.ToLower(driver)); kind {
	case LXC, Xen:
		return kind
	default:
		return QEMU
	}
}

// Run runs a machine that has no stored definition until it ends by itself. If the connection is lost or the process ends
// before, the host ends the machine. One whose end the host would not notice is run again.
func (h *Host) Run(ctx context.Context, name, xml string) error {
	err := errUnseen
	for run := 0; errors.Is(err, errUnseen) && run < mostRuns; run++ {
		err = h.runOnce(ctx, name, xml)
	}

	return err
}

func (h *Host) runOnce(ctx context.Context, name, xml string) error {
	uuid, err := do(ctx, h, "run the machine "+name, func(c connection) (string, error) { return c.runDomain(xml) })
	if err != nil {
		return err
	}

	var idle idleness

	err = poll.Until(ctx, name+" to end", func(attempt int) error {
		runs, err := do(ctx, h, "look at the machine "+name, func(c connection) (bool, error) { return c.taskRuns(uuid) })
		if err != nil || !runs {
			return err
		}

		if attempt >= unseenLooks {
			if err := errors.Join(h.seen(ctx, uuid), idle.look(ctx, h, uuid)); err != nil {
				return err
			}
		}

		return fmt.Errorf("%w: it runs", poll.ErrNotYet)
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}

	if err != nil {
		after, cancel := poll.Aftermath(ctx, abortTimeout)
		defer cancel()

		return errors.Join(err, h.Destroy(after, uuid))
	}

	return nil
}

// errUnseen is what is wrong with a container whose first process libvirt does not know.
var errUnseen = errors.New("libvirt lost sight of the container as it started it: it would not notice its end")

// Looks are a quarter of a second apart.
const (
	unseenLooks = 40  // until a container counts as unseen
	idleLooks   = 120 // until a container that uses no CPU counts as unseen
	mostRuns    = 5   // of a container that is unseen
)

// idleness finds a container whose end the program that runs it has missed, so that what is left of its first process waits to be
// asked how it went (libvirt 9.0, of one that ends as soon as it began): it uses no CPU any more.
type idleness struct {
	used  time.Duration
	looks int // at which no more was used
}

// look reports errUnseen of a container that has been idle for too long.
func (i *idleness) look(ctx context.Context, h *Host, uuid string) error {
	used, err := do(ctx, h, "look at the container", func(c connection) (time.Duration, error) { return c.cpuTime(uuid) })
	if err != nil {
		return err
	}

	if i.looks++; used > i.used || used == 0 { // zero is a host that does not count
		i.used, i.looks = used, 0
	}

	if i.looks >= idleLooks {
		return errUnseen
	}

	return nil
}

// seen reports errUnseen of a container whose first process libvirt does not know. The program that runs a container says so
// once, as soon as libvirt has connected to it, and libvirt ends the connection if that comes before it listens (9.0, on a machine
// with much to do). The container then runs for ever, whatever becomes of it.
func (h *Host) seen(ctx context.Context, uuid string) error {
	known, err := do(ctx, h, "look at the container", func(c connection) (bool, error) { return c.knowsInit(uuid) })
	if err == nil && !known {
		err = errUnseen
	}

	return err
}

// awaitSeen starts a container that has just been started again as long as libvirt does not see it.
func (h *Host) awaitSeen(ctx context.Context, uuid string, again func() error) error {
	for run := 1; ; run++ {
		err := poll.Until(ctx, "libvirt to see the container", func(attempt int) error {
			err := h.seen(ctx, uuid)
			if errors.Is(err, errUnseen) && attempt < unseenLooks {
				err = fmt.Errorf("%w: %w", poll.ErrNotYet, err)
			}

			return err
		})
		if !errors.Is(err, errUnseen) || run == mostRuns {
			return err
		}

		if err := h.Destroy(ctx, uuid); err != nil {
			return err
		}

		if err := again(); err != nil {
			return err
		}
	}
}
