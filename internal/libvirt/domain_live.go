package libvirt

import (
	"context"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// PinIOThread moves an I/O thread, counted from 1, to the CPUs, at once if the machine runs and for every later start.
func (h *Host) PinIOThread(ctx context.Context, uuid string, thread int, cpus, all topology.CPUSet) error {
	what := fmt.Sprintf("pin I/O thread %d to CPUs %s", thread, cpus)

	return write(ctx, h, uuid, unannounced, what, func(c connection) error { return c.pinIOThread(uuid, thread, bitmap(cpus, all)) })
}

// SetVCPUs plugs vCPUs into the running machine, up to its maximum, or gives a container the time of that many CPUs. The stored definition stays as it is.
func (h *Host) SetVCPUs(ctx context.Context, uuid string, count int) error {
	what := fmt.Sprintf("give the running machine %d vCPUs", count)

	return write(ctx, h, uuid, unannounced, what, func(c connection) error { return c.setVCPUs(uuid, count) })
}

// SetMemory asks the running guest for memory or gives it some, by its balloon. It returns at once: the guest takes its
// time. A container's limit is another at once, or stays if the container uses more. The stored definition stays as it is.
func (h *Host) SetMemory(ctx context.Context, uuid string, bytes uint64) error {
	return write(ctx, h, uuid, unannounced, "change the memory of the running machine", func(c connection) error { return c.setMemory(uuid, bytes) })
}

// TextKind is a text that people have for a machine.
type TextKind int

// The texts.
const (
	Title TextKind = iota
	Description
)

// SetText sets a text of the machine, in the running and in the stored definition. The empty text removes it.
func (h *Host) SetText(ctx context.Context, uuid string, kind TextKind, text string) error {
	return write(ctx, h, uuid, unannounced, "describe the machine", func(c connection) error { return c.setText(uuid, kind, text) })
}

// DeviceChange is what is done to a device of a running machine.
type DeviceChange int

const (
	// Attach plugs the device in.
	Attach DeviceChange = iota
	// Detach asks the guest to let the device go; it may take its time, or never do.
	Detach
	// Rewire connects the device elsewhere, and the guest keeps it.
	Rewire
)

// ChangeDevice changes a device of the running machine. The stored definition stays as it is.
func (h *Host) ChangeDevice(ctx context.Context, uuid string, change DeviceChange, xml string) error {
	what := [...]string{"attach the device to", "detach the device from", "connect the device elsewhere of"}[change] + " the running machine"

	return write(ctx, h, uuid, unannounced, what, func(c connection) error { return c.changeDevice(uuid, change, xml) })
}
