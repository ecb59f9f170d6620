package vm

import (
	"context"
	"errors"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// executeAll carries out the steps of an update in their order.
func (m *model) executeAll(ctx context.Context, host *libvirt.Host, steps []step, spec domainxml.Spec, all topology.CPUSet) error {
	for _, step := range steps {
		if err := m.execute(ctx, host, step, spec, all); err != nil {
			return err
		}
	}

	return nil
}

// execute carries out one step of an update.
func (m *model) execute(ctx context.Context, host *libvirt.Host, s step, spec domainxml.Spec, all topology.CPUSet) error {
	switch id := m.ID.ValueString(); {
	case s.Mark != nil:
		spec.Mark = *s.Mark

		return setMark(ctx, host, spec)
	case s.Text != nil:
		return host.SetText(ctx, id, s.Text.Kind, s.Text.Text)
	case s.Define != nil:
		return store(ctx, host, *s.Define)
	case s.Seed:
		return m.renewSeed(ctx, host, *spec.Seed, id)
	case s.Autostart != nil:
		return host.SetAutostart(ctx, id, *s.Autostart)
	case s.Power != nil && !*s.Power:
		return stop(ctx, host, id, m.ShutdownTimeout.Duration(), true)
	case s.Power != nil:
		return m.start(ctx, host, spec)
	case s.Restart != nil:
		return m.restart(ctx, host, spec)
	default:
		return s.executeLive(ctx, host, id, all)
	}
}

// executeLive carries out a step that changes nothing but the running machine, or the pins of its threads.
func (s step) executeLive(ctx context.Context, host *libvirt.Host, id string, all topology.CPUSet) error {
	switch {
	case s.Pin != nil:
		return host.PinVCPU(ctx, id, s.Pin.Number, s.Pin.CPUs, all)
	case s.IOThread != nil:
		return host.PinIOThread(ctx, id, s.IOThread.Number+1, s.IOThread.CPUs, all)
	case s.Emulator != nil:
		return host.PinEmulator(ctx, id, *s.Emulator, all)
	case s.VCPUs != nil:
		return host.SetVCPUs(ctx, id, *s.VCPUs)
	case s.Memory != nil:
		return setMemory(ctx, host, id, *s.Memory)
	case s.Device != nil:
		return s.Device.change(ctx, host, id)
	default:
		return errors.New("an update has a step without a content")
	}
}

// start starts the machine, after putting back a seed that was lost, and waits for what it waits for.
func (m *model) start(ctx context.Context, host *libvirt.Host, spec domainxml.Spec) error {
	if spec.Seed != nil && m.CloudInit != nil {
		_, err := host.Volume(ctx, spec.Seed.Pool, spec.Seed.Name)
		if errors.Is(err, libvirt.ErrNotFound) {
			err = m.plantSeed(ctx, host, *spec.Seed, spec.UUID)
		}

		if err != nil {
			return err
		}
	}

	if err := host.Start(ctx, spec.UUID); err != nil {
		return err
	}

	return m.waitFor(ctx, host)
}

func (m *model) setAddresses(ctx context.Context, host *libvirt.Host) error {
	found, err := m.addresses(ctx, host)
	if err != nil {
		return err
	}

	value, diags := types.MapValueFrom(ctx, types.ListType{ElemType: types.StringType}, found)
	if diags.HasError() {
		return errors.New("encode the machine's addresses")
	}

	m.Addresses = value

	return nil
}
