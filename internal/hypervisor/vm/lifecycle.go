package vm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/cloudinit"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"golang.org/x/sync/errgroup"
)

// define stores the machine's definition on its host and sets the model's id. Nothing runs yet. What the machine claims is its own
// then; complete takes the claim out of the mark.
//
// The definition is the first object of a creation and carries our mark, so whatever cuts the creation short, the next
// one finds it: a machine that was never completed is made anew under its UUID, and one that was completed from the same
// declaration (its state was lost on the way to Terraform) is taken over. Any other of the name is somebody's.
func define(ctx context.Context, host *libvirt.Host, plan *model) (domainxml.Spec, error) {
	if err := plan.suits(host.Kind()); err != nil {
		return domainxml.Spec{}, err
	}

	if err := host.Follow(ctx); err != nil {
		return domainxml.Spec{}, err
	}

	spec, err := plan.resolve(ctx, host, uuid.NewString())
	if err != nil {
		return domainxml.Spec{}, err
	}

	existing, err := host.DomainByName(ctx, spec.Name)
	if err != nil && !errors.Is(err, libvirt.ErrNotFound) {
		return domainxml.Spec{}, err
	}

	if err == nil {
		if spec, err = resume(ctx, host, existing, spec); err != nil {
			return domainxml.Spec{}, err
		}
	}

	if err := preflight(ctx, host, domainxml.Spec{}, spec, plan.Running.ValueBool()); err != nil {
		return domainxml.Spec{}, err
	}

	if err := checkCPUs(ctx, host, spec); err != nil {
		return domainxml.Spec{}, err
	}

	plan.ID = types.StringValue(spec.UUID)

	if spec.Mark.Complete {
		return spec, nil
	}

	spec.Mark.Claim = spec.Claim()

	if err := plan.inscribe(ctx, host, spec); err != nil {
		return domainxml.Spec{}, err
	}

	if spec.Mark.Claim == (domainxml.Claim{}) {
		return spec, nil
	}

	err = settle(ctx, host, spec, nil, func(ctx context.Context) error { return remove(ctx, host, *plan) })

	return spec, err
}

// inscribe stores the first definition of a machine, or none.
func (m *model) inscribe(ctx context.Context, host *libvirt.Host, spec domainxml.Spec) error {
	text, err := domainxml.Render(spec)
	if err != nil {
		return err
	}

	if err := host.Define(ctx, text); err != nil || spec.XML == "" {
		return err
	}

	if err := keptAsWritten(ctx, host, spec); err != nil {
		return errors.Join(err, remove(ctx, host, *m))
	}

	return nil
}

// resume decides what becomes of a machine that has the name already; see define.
func resume(ctx context.Context, host *libvirt.Host, existing libvirt.Domain, spec domainxml.Spec) (domainxml.Spec, error) {
	o, err := observe(existing)
	if err != nil {
		return domainxml.Spec{}, err
	}

	mark := o.stored.Mark
	spec.UUID = existing.UUID

	switch {
	case mark.Move != (domainxml.Move{}): // it may run with the only copy of its disks
		return domainxml.Spec{}, fmt.Errorf("host %q has a machine of this name that is being moved. Import it (its import id is \"%s/%s\"), and the next apply brings the move to its end", host.Name(), host.Name(), spec.Name)
	case mark.Managed && !mark.Complete:
		return spec, errors.Join(host.Destroy(ctx, existing.UUID), unmake(ctx, host, o.stored))
	case mark.Managed && mark.Digest == spec.Mark.Digest:
		spec.Mark.Complete = true

		return spec, nil
	default:
		return domainxml.Spec{}, fmt.Errorf("host %q has a machine of this name already. Import it (its import id is \"%s/%s\"), remove it, or choose another name", host.Name(), host.Name(), spec.Name)
	}
}

// complete brings a defined machine to life: its seed, power, and the conditions that it waits for.
func complete(ctx context.Context, host *libvirt.Host, plan *model, spec domainxml.Spec) error {
	group, grouped := errgroup.WithContext(ctx)

	claimed := spec.Mark.Claim != (domainxml.Claim{})
	spec.Mark.Claim = domainxml.Claim{}

	if claimed {
		group.Go(func() error { return setMark(grouped, host, spec) })
	}

	group.Go(func() error { return plan.furnish(grouped, host, spec) })

	if err := group.Wait(); err != nil {
		return err
	}

	if plan.Running.ValueBool() {
		if err := host.Start(ctx, spec.UUID); err != nil {
			return err
		}
	}

	if err := plan.waitFor(ctx, host); err != nil {
		return err
	}

	spec.Mark.Complete = true

	return setMark(ctx, host, spec)
}

// furnish gives a machine what it needs before it starts.
func (m *model) furnish(ctx context.Context, host *libvirt.Host, spec domainxml.Spec) error {
	if err := m.unpack(ctx, host, spec); err != nil {
		return err
	}

	if spec.Seed != nil && !spec.Mark.Complete {
		plant := m.sow
		if spec.Container == nil {
			plant = m.plant
		}

		if err := plant(ctx, host, spec); err != nil {
			return err
		}
	}

	return host.SetAutostart(ctx, spec.UUID, m.Autostart.ValueBool())
}

// resolve turns the model into a machine, with what only the host knows of its volumes, and with the digest of all that
// it is made from.
func (m *model) resolve(ctx context.Context, host *libvirt.Host, id string) (domainxml.Spec, error) {
	formats, files, err := m.formats(ctx, host, domainxml.Spec{})
	if err != nil {
		return domainxml.Spec{}, err
	}

	digest, err := m.digest(formats)
	if err != nil {
		return domainxml.Spec{}, err
	}

	spec := m.spec(id, formats)
	spec.Mark.Digest = digest

	return m.locate(ctx, host, spec, files)
}

// digest identifies what the machine is made from: what it takes for a run that lost its state to take it over.
func (m *model) digest(formats map[string]string) (string, error) {
	spec := m.spec("", formats)
	spec.Mark.Settings = "" // how long to wait is no part of what is made

	text, err := domainxml.Render(spec)
	if err != nil {
		return "", err
	}

	hash := sha256.New()
	hash.Write([]byte(text + m.madeFrom()))

	if spec.Seed != nil {
		seed := m.seed("digest")
		seed.SecretUserData = "" // the hash of a secret can be tried against guesses, so its version stands for it

		image, err := cloudinit.Render(seed)
		if err != nil {
			return "", err
		}

		hash.Write(image)
		hash.Write([]byte(m.CloudInit.UserDataWOVersion.String()))
	}

	return hex.EncodeToString(hash.Sum(nil)), nil
}

// refresh reads the machine from its host.
func refresh(ctx context.Context, host *libvirt.Host, m *model) error {
	domain, err := host.Domain(ctx, m.ID.ValueString())
	if err != nil {
		return err
	}

	hardware, err := host.Topology(ctx)
	if err != nil {
		return err
	}

	o, err := observe(domain)
	if err != nil {
		return err
	}

	imported := m.Name.IsNull()
	if err := o.resolveFiles(ctx, host, imported); err != nil {
		return err
	}

	m.set(o, hardware.CPUs())

	if imported {
		saved := readSettings(o.stored.Mark)
		m.restore(ctx, saved)

		if o.stored.Seed != nil {
			err := m.readSeed(ctx, host, *o.stored.Seed, saved.SecretVersion)
			if err != nil && !errors.Is(err, libvirt.ErrNotFound) { // without its seed it is a machine without cloud_init
				return err
			}
		}
	}

	return m.setAddresses(ctx, host)
}

// resolveFiles finds the volumes that are disks by their path, as virt-install and virsh attach them. A machine with a disk
// that is no volume of a pool cannot be imported: nothing could declare it.
func (o observed) resolveFiles(ctx context.Context, host *libvirt.Host, imported bool) error {
	for name, disk := range o.stored.Disks {
		if disk.Volume != (domainxml.Volume{}) {
			continue
		}

		volume, err := host.VolumeAt(ctx, disk.File)

		switch {
		case err == nil:
			disk.Volume = domainxml.Volume{Pool: volume.Pool, Name: volume.Name}
			o.stored.Disks[name] = disk
		case !errors.Is(err, libvirt.ErrNotFound):
			return err
		case imported:
			return fmt.Errorf("disk %q (%s) is no volume of an active storage pool of host %q. Make its folder a pool there (virsh pool-define-as), or detach it", name, disk.File, host.Name())
		}
	}

	return nil
}

// remove ends the machine and takes its seed and its definition away, in this order: as long as the definition is there,
// an interrupted removal is known and is continued by the next. Its volumes stay.
func remove(ctx context.Context, host *libvirt.Host, state model) error {
	domain, err := host.Domain(ctx, state.ID.ValueString())
	if errors.Is(err, libvirt.ErrNotFound) {
		return nil
	}

	if err != nil {
		return err
	}

	spec, err := domainxml.Parse(domain.XML)
	if err != nil {
		return err
	}

	if spec.Mark.Managed {
		spec.Mark.Leaving = true
		if err := setMark(ctx, host, spec); err != nil {
			return err
		}
	}

	if err := stop(ctx, host, domain.UUID, state.ShutdownTimeout.Duration(), true); err != nil {
		return err
	}

	if spec.Seed != nil {
		if err := host.DeleteVolume(ctx, spec.Seed.Pool, spec.Seed.Name); err != nil {
			return err
		}
	}

	if err := unmake(ctx, host, spec); err != nil {
		return err
	}

	return host.Undefine(ctx, domain.UUID)
}
