package vm

import (
	"maps"
	"slices"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// apply does to a machine what a host would: a change reaches what is stored and, if the machine runs, what is live.
func apply(t *testing.T, o observed, s step) observed {
	t.Helper()

	change := func(spec domainxml.Spec) domainxml.Spec {
		switch {
		case s.Mark != nil:
			spec.Mark = *s.Mark
			spec.Mark.Managed = true // by being there
		case s.Pin != nil:
			pins := make([]topology.CPUSet, max(len(spec.Pins), s.Pin.Number+1))
			copy(pins, spec.Pins)
			pins[s.Pin.Number] = s.Pin.CPUs
			spec.Pins = pins
		case s.Emulator != nil:
			spec.Emulator = *s.Emulator
		case s.IOThread != nil:
			spec.IOThreads = slices.Clone(spec.IOThreads)
			spec.IOThreads[s.IOThread.Number] = s.IOThread.CPUs
		case s.Text != nil && s.Text.Kind == libvirt.Title:
			spec.Title = s.Text.Text
		case s.Text != nil:
			spec.Description = s.Text.Text
		}

		return spec
	}

	fields := 0
	for _, set := range []bool{
		s.Mark != nil, s.Pin != nil, s.Emulator != nil, s.Autostart != nil, s.Power != nil, s.Define != nil, s.Text != nil, s.VCPUs != nil,
		s.Memory != nil, s.Device != nil, s.Restart != nil, s.Seed, s.IOThread != nil,
	} {
		if set {
			fields++
		}
	}

	if fields != 1 {
		t.Fatalf("the step %+v does %d things", s, fields)
	}

	o.stored, o.live = change(o.stored), change(o.live)

	if s.Define != nil {
		o.stored = *s.Define
		o.stored.Mark.Managed = true
	}

	if s.Restart != nil || !o.domain.Active {
		o.live = o.stored
	}

	if s.Autostart != nil {
		o.domain.Autostart = *s.Autostart
	}

	if s.Power != nil {
		if !o.domain.Active || !*s.Power {
			o.live = o.stored
		}

		o.domain.Running, o.domain.Active = *s.Power, *s.Power
	}

	return applyLive(t, o, s)
}

// applyLive does to the running machine what its host would, and refuses what no host does.
func applyLive(t *testing.T, o observed, s step) observed {
	t.Helper()

	if (s.VCPUs != nil || s.Memory != nil || s.Device != nil || s.Restart != nil) && !o.domain.Running {
		t.Fatalf("a machine that does not run is changed as it runs: %+v", s)
	}

	o.live.Disks, o.live.Interfaces = maps.Clone(o.live.Disks), maps.Clone(o.live.Interfaces)

	switch {
	case s.VCPUs != nil:
		if *s.VCPUs < o.live.VCPUs || *s.VCPUs > o.live.TopVCPUs() {
			t.Fatalf("a machine of %d to %d vCPUs is given %d", o.live.VCPUs, o.live.TopVCPUs(), *s.VCPUs)
		}

		o.live.MaxVCPUs, o.live.VCPUs = o.live.TopVCPUs(), *s.VCPUs
	case s.Memory != nil:
		if *s.Memory > o.live.TopMemory() {
			t.Fatalf("a machine of at most %d bytes is given %d", o.live.TopMemory(), *s.Memory)
		}

		o.live.MaxMemory, o.live.Memory = o.live.TopMemory(), *s.Memory
	case s.Device != nil && s.Device.Disk != "":
		_, there := o.live.Disks[s.Device.Disk]
		disk, stored := o.stored.Disks[s.Device.Disk]

		switch attach := s.Device.Change == libvirt.Attach; {
		case attach == there || (attach && !stored):
			t.Fatalf("disk %+v changes on %+v, stored as %+v", *s.Device, o.live.Disks, o.stored.Disks)
		case attach:
			o.live.Disks[s.Device.Disk] = disk
		default:
			delete(o.live.Disks, s.Device.Disk)
		}
	case s.Device != nil:
		maps.DeleteFunc(o.live.Interfaces, func(_ string, i domainxml.Interface) bool { return i.MAC == s.Device.MAC })

		for name, nic := range o.stored.Interfaces {
			if s.Device.Change != libvirt.Detach && nic.MAC == s.Device.MAC {
				o.live.Interfaces[name] = nic
			}
		}
	}

	return o
}
