package vm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/disruption"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// update carries out what changes between the machine as it is and the plan. before is the machine as the plan saw it. All that
// can be refused is refused before anything is changed. disturbs is called before the machine stops.
func update(ctx context.Context, host *libvirt.Host, before model, plan *model, disturbs func() error) error {
	domain, err := host.Domain(ctx, plan.ID.ValueString())
	if err != nil {
		return err
	}

	o, err := observe(domain)
	if err != nil {
		return err
	}

	hardware, err := host.Topology(ctx)
	if err != nil {
		return err
	}

	if plan.Container != nil {
		return updateContainer(ctx, host, before, plan, o)
	}

	want, err := plan.target(ctx, host, o)
	if err != nil {
		return err
	}

	want.seed = plan.CloudInit != nil && !reflect.DeepEqual(before.CloudInit.stored(), plan.CloudInit.stored())

	if err := missing(want.spec, host.Name(), hardware); err != nil {
		return err
	}

	steps := changes(o, want, hardware.CPUs())
	if err := plan.allows(steps); err != nil {
		return err
	}

	if err := preflight(ctx, host, o.stored, want.spec, want.running); err != nil {
		return err
	}

	if slices.ContainsFunc(steps, step.takes) {
		c := change{host: host, now: o, want: want.spec, all: hardware.CPUs()}
		if err := c.claim(ctx); err != nil {
			return err
		}

		steps = changes(c.now, want, hardware.CPUs())
	}

	if slices.ContainsFunc(steps, step.stops) {
		if err := disturbs(); err != nil {
			return err
		}
	}

	return plan.executeAll(ctx, host, steps, want.spec, hardware.CPUs())
}

// target is what the plan wants of a machine that exists.
func (m *model) target(ctx context.Context, host *libvirt.Host, o observed) (target, error) {
	now := o.stored
	now.Disks = maps.Clone(now.Disks)

	named := observed{domain: o.domain, stored: now}
	if err := named.resolveFiles(ctx, host, false); err != nil {
		return target{}, err
	}

	formats, files, err := m.formats(ctx, host, now)
	if err != nil {
		return target{}, err
	}

	spec, err := m.locate(ctx, host, m.spec(o.stored.UUID, formats), files)
	if err != nil {
		return target{}, err
	}

	spec.Machine = o.stored.Machine

	for name, disk := range spec.Disks { // a disk that stays is as it was written, by its volume or by its path
		if is, there := now.Disks[name]; there && is.Volume == disk.Volume && is.ReadOnly == disk.ReadOnly {
			spec.Disks[name] = o.stored.Disks[name]
		}
	}

	if spec.Seed != nil && o.stored.Seed != nil {
		spec.Seed = o.stored.Seed // it stays where it was put
	}

	spec.Mark.Digest, err = m.digest(formats)

	return target{spec: spec, running: m.Running.ValueBool(), autostart: m.Autostart.ValueBool()}, err
}

// formats has the format of each volume, by its id: of the disks that stay as the machine has it, of new ones as their host has it.
// files has the paths of the new ones, by the disks' names. A volume that is not there is refused.
func (m *model) formats(ctx context.Context, host *libvirt.Host, now domainxml.Spec) (formats, files map[string]string, err error) {
	formats, files = map[string]string{}, map[string]string{}

	for name, disk := range m.Disks {
		ref, err := libvirt.ParseVolumeRef(disk.Volume.ValueString())
		if err != nil {
			return nil, nil, err
		}

		if is, there := now.Disks[name]; there && is.Volume == (domainxml.Volume{Pool: ref.Pool, Name: ref.Name}) {
			formats[ref.String()] = is.Format

			continue
		}

		volume, err := host.Volume(ctx, ref.Pool, ref.Name)
		if errors.Is(err, libvirt.ErrNotFound) {
			err = fmt.Errorf("host %q has no volume %q in pool %q. Make it with hypervisor_volume, or name another one: %w", host.Name(), ref.Name, ref.Pool, err)
		}

		if err != nil {
			return nil, nil, fmt.Errorf("disk %q: %w", name, err)
		}

		formats[ref.String()], files[name] = volume.Format, volume.Path
	}

	return formats, files, nil
}

// stored is what of cloud_init stands in a state.
func (c *cloudInit) stored() cloudInit {
	if c == nil {
		return cloudInit{}
	}

	kept := *c
	kept.UserDataWO = types.StringNull()

	return kept
}

// allows refuses steps that disturb the machine more than allow_change covers. The plan has looked at that already; the machine may
// have been started since.
func (m *model) allows(steps []step) error {
	allowed := disruption.Parse(m.AllowChange.ValueString())

	for _, s := range steps {
		if s.Restart != nil && allowed < disruption.Reboot {
			return fmt.Errorf("the machine runs, and has to be restarted for the change of %s, which allow_change (%q) does not cover. Set allow_change = %q, or power the machine off first", s.Restart.For, allowed, disruption.Reboot)
		}
	}

	return nil
}
