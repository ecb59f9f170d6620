package libvirt

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
// before, the host ends the machine.
func (h *Host) Run(ctx context.Context, name, xml string) error {
	uuid, err := do(ctx, h, "run the machine "+name, func(c connection) (string, error) { return c.runDomain(xml) })
	if err != nil {
		return err
	}

	err = poll.Until(ctx, name+" to end", func(int) error {
		runs, err := do(ctx, h, "look at the machine "+name, func(c connection) (bool, error) { return c.taskRuns(uuid) })
		if err == nil && runs {
			err = fmt.Errorf("%w: it runs", poll.ErrNotYet)
		}

		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}

	if err != nil {
		return errors.Join(err, h.Destroy(context.WithoutCancel(ctx), uuid))
	}

	return nil
}
