package vm

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// A step is one change to a machine that exists. Exactly one field is set.
type step struct {
	Mark      *domainxml.Mark
	Pin       *pinStep
	Emulator  *topology.CPUSet
	Autostart *bool
	Power     *bool
}

type pinStep struct {
	VCPU int
	CPUs topology.CPUSet
}

// takes reports whether the step may give the machine CPUs that it did not have before.
func (s step) takes() bool {
	return s.Pin != nil || s.Emulator != nil || (s.Mark != nil && s.Mark.Exclusive)
}

// stops reports whether the step ends what the guest does, for a while or for good.
func (s step) stops() bool { return s.Power != nil && !*s.Power }

// target is what an update is to reach.
type target struct {
	spec      domainxml.Spec
	running   bool
	autostart bool
}

// changes lists the steps from the machine as it is to the machine as it should be. all is the set of the host's CPUs.
//
// A machine that is to become exclusive says so once its vCPUs have left the CPUs that it shared, and one that ceases to
// be says so before they go to CPUs that others use, so that an update which is cut short never leaves a CPU with two
// owners. For the same reason a claim stands until the CPUs have changed hands.
func changes(o observed, want target, all topology.CPUSet) []step {
	var steps []step

	mark := want.spec.Mark
	mark.Complete = o.stored.Mark.Complete

	claiming := mark
	claiming.Claim = o.stored.Mark.Claim

	if !mark.Exclusive && (o.stored.Mark != claiming || o.live.Mark != claiming) {
		steps = append(steps, step{Mark: &claiming})
	}

	for vcpu := range want.spec.VCPUs {
		pin := pinOf(want.spec.Pins, vcpu, all)
		if !pin.Equal(pinOf(o.stored.Pins, vcpu, all)) || !pin.Equal(pinOf(o.live.Pins, vcpu, all)) {
			steps = append(steps, step{Pin: &pinStep{VCPU: vcpu, CPUs: pin}})
		}
	}

	emulator := whole(want.spec.Emulator, all)
	if !emulator.Equal(whole(o.stored.Emulator, all)) || !emulator.Equal(whole(o.live.Emulator, all)) {
		steps = append(steps, step{Emulator: &emulator})
	}

	if claiming != mark || (mark.Exclusive && (o.stored.Mark != mark || o.live.Mark != mark)) {
		steps = append(steps, step{Mark: &mark})
	}

	if want.autostart != o.domain.Autostart {
		steps = append(steps, step{Autostart: &want.autostart})
	}

	// A paused machine is neither running nor off.
	if on := want.running; on && !o.domain.Running || !on && o.domain.Active {
		steps = append(steps, step{Power: &want.running})
	}

	return steps
}
