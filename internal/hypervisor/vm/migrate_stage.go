package vm

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
)

// A stage is how far a machine's move to another host has come.
type stage int

const (
	ahead    stage = iota // nothing is there yet, or the rest of a move that was cut short and is made anew
	underway              // the hosts are at it, without us
	arrived               // it is there; what it left behind has to go
	settled               // it is there, and nothing else is to be done
	lost                  // it is on neither host
	taken                 // another machine of ours or somebody's has its UUID there
)

// stageOf reads the stage from what both hosts have of the machine; nil stands for nothing. moving says that the host it
// leaves is sending it.
//
// The definition there is made first and says where the machine comes from, and the one here goes last, so each point at
// which a run may be killed has a picture of its own. Nothing here is removed as long as the machine may still need it.
func stageOf(here, there *observed, from string, moving bool) stage {
	switch {
	case here == nil && there == nil:
		return lost
	case there == nil:
		return ahead
	case there.stored.Mark.Move.From != from:
		if here == nil && there.stored.Mark.Managed {
			return settled
		}

		return taken
	case moving:
		return underway
	case there.stored.Mark.Complete, here == nil:
		return arrived
	case there.domain.Active && (!here.domain.Active || there.domain.Running && !here.domain.Running):
		return arrived
	case !there.domain.Active && here.domain.Departed: // it has powered off since it arrived
		return arrived
	default:
		return ahead
	}
}

// arrival is the machine of a definition as it is to be on the host that it moves to: what it is here, at the place that the
// plan says. disks are those that are copied.
func (m *model) arrival(machine domainxml.Spec, from, disks string) domainxml.Spec {
	machine.Pins, machine.Emulator = m.CPU.pins(), m.CPU.Emulator.CPUs()

	if len(machine.Pins) > machine.VCPUs { // it gets more vCPUs in the same apply, once it is there
		machine.Pins = machine.Pins[:machine.VCPUs]
	}

	if pages := m.Placement.hugePages(); machine.Pages.Size != 0 && pages.Size == machine.Pages.Size {
		machine.Pages = pages
	}

	machine.Mark = domainxml.Mark{
		Managed: true, Exclusive: m.CPU.Exclusive.ValueBool(), Settings: m.settings(), Digest: machine.Mark.Digest,
		Move: domainxml.Move{From: from, Disks: disks},
	}

	return machine
}
