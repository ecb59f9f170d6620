package vm

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// updateContainer brings a container to what the plan asks for. Its definition is changed first, and what runs follows: what
// libvirt cannot change in a running container is a restart, as the rules say. Whatever cuts it short, what is stored and what
// runs differ then, which the next plan shows and repairs.
func updateContainer(ctx context.Context, host *libvirt.Host, before model, plan *model, o observed) error {
	want, err := plan.resolve(ctx, host, o.stored.UUID)
	if err != nil {
		return err
	}

	want.Mark.Complete = o.stored.Mark.Complete

	if o.stored.Mark != want.Mark || o.live.Mark != want.Mark {
		if err := setMark(ctx, host, want); err != nil {
			return err
		}
	}

	if same, err := alike(o.stored, want); err != nil || !same {
		if err == nil {
			err = store(ctx, host, want)
		}

		if err != nil {
			return err
		}
	}

	if err := plan.resow(ctx, host, before, o.stored, want); err != nil {
		return err
	}

	if on := plan.Autostart.ValueBool(); on != o.domain.Autostart {
		if err := host.SetAutostart(ctx, want.UUID, on); err != nil {
			return err
		}
	}

	return plan.follow(ctx, host, o, want)
}

// follow brings what runs to the stored definition.
func (m *model) follow(ctx context.Context, host *libvirt.Host, o observed, want domainxml.Spec) error {
	limited := o.live
	limited.Memory, limited.VCPUs = want.Memory, want.VCPUs

	same, err := alike(limited, want)
	if err != nil {
		return err
	}

	if o.domain.Active && (!m.Running.ValueBool() || !same) {
		if err := stop(ctx, host, want.UUID, m.ShutdownTimeout.Duration(), true); err != nil {
			return err
		}

		o.domain.Active, o.domain.Running = false, false
	}

	if o.domain.Active && o.live.Memory != want.Memory {
		if err := host.SetMemory(ctx, want.UUID, want.Memory); err != nil {
			return err
		}
	}

	if o.domain.Active && o.live.VCPUs != want.VCPUs {
		if err := host.SetVCPUs(ctx, want.UUID, want.VCPUs); err != nil {
			return err
		}
	}

	if !m.Running.ValueBool() || o.domain.Running {
		return nil
	}

	return m.start(ctx, host, want)
}

// alike reports whether two containers are defined alike, but for their marks.
func alike(a, b domainxml.Spec) (bool, error) {
	a.Mark, b.Mark = domainxml.Mark{}, domainxml.Mark{}

	first, err := domainxml.Render(a)
	if err != nil {
		return false, err
	}

	second, err := domainxml.Render(b)

	return first == second, err
}
