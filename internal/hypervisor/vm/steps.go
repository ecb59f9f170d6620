package vm

import (
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// A step is one change to a machine that exists. Exactly one field is set.
type step struct {
	Mark      *domainxml.Mark
	Pin       *pinStep // of a vCPU, from 0
	IOThread  *pinStep // of an I/O thread, from 0
	Emulator  *topology.CPUSet
	Text      *textStep
	Define    *domainxml.Spec // what the next start is to use
	Seed      bool            // its content is written anew
	VCPUs     *int            // plugged into the running machine
	Memory    *uint64         // of the running machine, in bytes
	Device    *deviceStep
	Autostart *bool
	Power     *bool
	Restart   *restartStep
}

type pinStep struct {
	Number int
	CPUs   topology.CPUSet
}

type textStep struct {
	Kind libvirt.TextKind
	Text string
}

// deviceStep changes a disk or an interface of the running machine.
type deviceStep struct {
	Change libvirt.DeviceChange
	Disk   string // its name, or empty for an interface
	MAC    string // of the interface
	To     domainxml.Interface
}

// restartStep says what a machine is restarted for.
type restartStep struct{ For string }

// takes reports whether the step may give the machine CPUs that it did not have before.
func (s step) takes() bool {
	return s.Pin != nil || s.Emulator != nil || s.IOThread != nil || (s.Mark != nil && s.Mark.Exclusive)
}

// stops reports whether the step ends what the guest does, for a while or for good.
func (s step) stops() bool { return s.Restart != nil || (s.Power != nil && !*s.Power) }

// target is what an update is to reach.
type target struct {
	spec      domainxml.Spec
	running   bool
	autostart bool
	seed      bool // the seed has another content
}

// changes lists the steps from the machine as it is to the machine as it should be. all is the set of the host's CPUs.
//
// A machine that is to become exclusive says so once its vCPUs have left the CPUs that it shared, and one that ceases to
// be says so before they go to CPUs that others use, so that an update which is cut short never leaves a CPU with two
// owners. For the same reason a claim stands until the CPUs have changed hands.
//
// The stored definition is changed first, and the running machine follows it: if the update is cut short the two differ, which the
// next plan shows and repairs.
func changes(o observed, want target, all topology.CPUSet) []step {
	var steps []step

	mark := want.spec.Mark
	mark.Complete = o.stored.Mark.Complete

	claiming := mark
	claiming.Claim = o.stored.Mark.Claim

	if !mark.Exclusive && (o.stored.Mark != claiming || o.live.Mark != claiming) {
		steps = append(steps, step{Mark: &claiming})
	}

	if want.powersOff(o) { // nothing has to be changed on a machine that runs and is not to
		steps = append(steps, step{Power: &want.running})
		o.domain.Active, o.domain.Running, o.live = false, false, o.stored
	}

	if define := definition(o.stored, want.spec, claiming); define != nil {
		steps = append(steps, step{Define: define})
		o.stored = *define

		if !o.domain.Active {
			o.live = o.stored
		}
	}

	steps = append(steps, pinSteps(o, want.spec, all)...)
	steps = append(steps, textSteps(o, want.spec)...)

	if claiming != mark || (mark.Exclusive && (o.stored.Mark != mark || o.live.Mark != mark)) {
		steps = append(steps, step{Mark: &mark})
	}

	if want.seed {
		steps = append(steps, step{Seed: true})
	}

	if want.autostart != o.domain.Autostart {
		steps = append(steps, step{Autostart: &want.autostart})
	}

	if want.running && !o.domain.Running { // a paused machine goes on first, so that its guest can be asked for things
		power := step{Power: &want.running}
		if !o.domain.Active {
			return append(steps, power)
		}

		steps = append(steps, power)
	}

	if o.domain.Active {
		steps = append(steps, liveSteps(o.live, want.spec)...)
	}

	return steps
}

// powersOff reports whether the machine runs, or is paused, and is to be off.
func (t target) powersOff(o observed) bool { return !t.running && o.domain.Active }

// pinSteps move the threads that the running machine has; those that a restart brings are pinned by the definition.
func pinSteps(o observed, want domainxml.Spec, all topology.CPUSet) (steps []step) {
	for vcpu := range min(want.VCPUs, o.stored.TopVCPUs(), o.live.TopVCPUs()) {
		pin := pinOf(want.Pins, vcpu, all)
		if !pin.Equal(pinOf(o.stored.Pins, vcpu, all)) || !pin.Equal(pinOf(o.live.Pins, vcpu, all)) {
			steps = append(steps, step{Pin: &pinStep{Number: vcpu, CPUs: pin}})
		}
	}

	emulator := whole(want.Emulator, all)
	if !emulator.Equal(whole(o.stored.Emulator, all)) || !emulator.Equal(whole(o.live.Emulator, all)) {
		steps = append(steps, step{Emulator: &emulator})
	}

	for thread := range min(len(want.IOThreads), len(o.stored.IOThreads), len(o.live.IOThreads)) {
		pin := whole(want.IOThreads[thread], all)
		if !pin.Equal(whole(o.stored.IOThreads[thread], all)) || !pin.Equal(whole(o.live.IOThreads[thread], all)) {
			steps = append(steps, step{IOThread: &pinStep{Number: thread, CPUs: pin}})
		}
	}

	return steps
}

func textSteps(o observed, want domainxml.Spec) (steps []step) {
	if want.Title != o.stored.Title || want.Title != o.live.Title {
		steps = append(steps, step{Text: &textStep{Kind: libvirt.Title, Text: want.Title}})
	}

	if want.Description != o.stored.Description || want.Description != o.live.Description {
		steps = append(steps, step{Text: &textStep{Kind: libvirt.Description, Text: want.Description}})
	}

	return steps
}

// definition is what is to be stored, with the mark that holds meanwhile, or nil if it is as it should be.
func definition(stored, want domainxml.Spec, mark domainxml.Mark) *domainxml.Spec {
	if len(domainxml.Compare(stored, want)) == 0 && stored.VCPUs == want.VCPUs && stored.Memory == want.Memory {
		return nil
	}

	want.Mark = mark
	want.Mark.Exclusive = mark.Exclusive && stored.Mark.Exclusive

	return &want
}

// liveSteps bring the running machine to the definition: by a restart if anything needs one, and otherwise piece by piece. What
// is to go goes first, so that what comes finds its place.
func liveSteps(live, want domainxml.Spec) (steps []step) {
	differences := domainxml.Compare(live, want)

	var boots []string

	for _, d := range differences {
		if d.Boots {
			boots = append(boots, strings.TrimSuffix(d.Attribute+"."+d.Name, "."))
		}
	}

	if len(boots) > 0 {
		return []step{{Restart: &restartStep{For: strings.Join(boots, ", ")}}}
	}

	if want.VCPUs > live.VCPUs {
		steps = append(steps, step{VCPUs: &want.VCPUs})
	}

	if want.Memory != live.Memory && want.MaxMemory != 0 {
		steps = append(steps, step{Memory: &want.Memory})
	}

	var in []step

	for _, d := range differences {
		out, plugged := deviceSteps(d, live, want)
		steps = append(steps, out...)
		in = append(in, plugged...)
	}

	return append(steps, in...)
}

func deviceSteps(d domainxml.Difference, live, want domainxml.Spec) (out, in []step) {
	device := func(s deviceStep) []step { return []step{{Device: &s}} }

	switch d.Attribute {
	case "disks":
		if _, there := live.Disks[d.Name]; there {
			out = device(deviceStep{Change: libvirt.Detach, Disk: d.Name})
		}

		if _, wanted := want.Disks[d.Name]; wanted {
			in = device(deviceStep{Change: libvirt.Attach, Disk: d.Name})
		}
	case "interfaces":
		was, there := live.Interfaces[d.Name]
		is, wanted := want.Interfaces[d.Name]

		if there && wanted && was.MAC == is.MAC {
			return nil, device(deviceStep{Change: libvirt.Rewire, MAC: is.MAC, To: is})
		}

		if there {
			out = device(deviceStep{Change: libvirt.Detach, MAC: was.MAC})
		}

		if wanted {
			in = device(deviceStep{Change: libvirt.Attach, MAC: is.MAC})
		}
	}

	return out, in
}
