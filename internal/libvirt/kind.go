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

type taskState int

const (
	taskEnded taskState = iota
	taskRuns
	taskUnwatched // libvirtd has not been told yet that it has begun
)

const (
	watchLimit = 15 * time.Second // until libvirtd has been told
	taskTries  = 3
)

// Run runs a machine that has no stored definition until it ends by itself. If the connection is lost or the process ends
// before, the host ends the machine. What it does must bear to be done again: on a busy host libvirtd may lose its connection to a
// container as that begins (seen with 9.0), and never learns that it ended. Then it is ended and begun anew.
func (h *Host) Run(ctx context.Context, name, xml string) error {
	for range taskTries {
		if told, err := h.runOnce(ctx, name, xml); told || err != nil {
			return err
		}
	}

	return fmt.Errorf("run the machine %s on host %q: libvirt lost sight of it %d times. Look at the load of the host and at the log of libvirtd", name, h.name, taskTries)
}

// runOnce reports whether libvirtd was told what became of the machine.
func (h *Host) runOnce(ctx context.Context, name, xml string) (told bool, err error) {
	uuid, err := do(ctx, h, "run the machine "+name, func(c connection) (string, error) { return c.runDomain(xml) })
	if err != nil {
		return false, err
	}

	began, told := time.Now(), true

	err = poll.Until(ctx, name+" to end", func(int) error {
		state, err := do(ctx, h, "look at the machine "+name, func(c connection) (taskState, error) { return c.task(uuid) })

		switch {
		case err != nil || state == taskEnded:
			return err
		case state == taskUnwatched && time.Since(began) > watchLimit:
			told = false

			return h.Destroy(ctx, uuid)
		default:
			return fmt.Errorf("%w: it runs", poll.ErrNotYet)
		}
	})
	if errors.Is(err, ErrNotFound) {
		return told, nil
	}

	if err != nil {
		return told, errors.Join(err, h.Destroy(context.WithoutCancel(ctx), uuid))
	}

	return told, nil
}
