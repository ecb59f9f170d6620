package vm

import (
	"fmt"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// A claim is what a machine on the host uses of its CPUs.
type claim struct {
	machine   string
	vcpus     topology.CPUSet // where its vCPUs are pinned; empty if they are not
	emulator  topology.CPUSet // with the I/O threads
	exclusive bool
	leaving   bool   // the machine is being removed
	rival     string // UUID of the machine if it does not have this yet but looks whether it may; see settle
}

// claims collects what the host's machines use, running or not, but for the machine with the UUID. cpus are the
// host's.
func claims(domains []libvirt.Domain, except string, cpus topology.CPUSet) ([]claim, error) {
	var all []claim

	for _, domain := range domains {
		if domain.UUID == except {
			continue
		}

		o, err := observe(domain)
		if err != nil {
			return nil, err
		}

		held := claim{
			machine:   domain.Name,
			vcpus:     o.stored.PinnedCPUs().Union(o.live.PinnedCPUs()),
			emulator:  o.stored.HelperCPUs(cpus).Union(o.live.HelperCPUs(cpus)),
			exclusive: o.stored.Mark.Exclusive || o.live.Mark.Exclusive,
			leaving:   o.stored.Mark.Leaving,
		}

		if wanted, claims := tentative(o); claims {
			if !o.stored.Mark.Complete { // it is being created, so all that it has it only claims
				held.rival = domain.UUID
			}

			all = append(all, wanted)
		}

		all = append(all, held)
	}

	return all, nil
}

// tentative returns what the machine says that it is about to use, and whether it says so.
func tentative(o observed) (wanted claim, claims bool) {
	said := o.stored.Mark.Claim
	if said == (domainxml.Claim{}) {
		return claim{}, false
	}

	// What is no CPU set was not written by us, and claims nothing.
	vcpus, _ := topology.ParseCPUSet(said.VCPUs)
	emulator, _ := topology.ParseCPUSet(said.Emulator)

	return claim{
		machine: o.domain.Name, vcpus: vcpus, emulator: emulator, exclusive: said.Exclusive, rival: o.domain.UUID,
	}, true
}

// missing reports pins on CPUs that the host does not have, naming those that it has.
func missing(spec domainxml.Spec, host string, hardware topology.Host) error {
	all := hardware.CPUs()

	for vcpu, pin := range spec.Pins {
		if absent := pin.Minus(all); !absent.IsEmpty() {
			return fmt.Errorf("the vCPU %d is pinned to CPU %s, which host %q does not have. It has the CPUs %s: pin the vCPU to one of these", vcpu, absent, host, all)
		}
	}

	if absent := spec.Emulator.Minus(all); !absent.IsEmpty() {
		return fmt.Errorf("the emulator is pinned to CPU %s, which host %q does not have. It has the CPUs %s: pin it to some of these", absent, host, all)
	}

	for thread, pin := range spec.IOThreads {
		if absent := pin.Minus(all); !absent.IsEmpty() {
			return fmt.Errorf("the I/O thread %d is pinned to CPU %s, which host %q does not have. It has the CPUs %s: pin it to some of these", thread, absent, host, all)
		}
	}

	return nil
}

// conflict reports CPUs that the machine may not have because another one holds them, or because it wants for itself
// what another one uses. It names that machine and the CPUs that nobody has pinned.
func conflict(spec domainxml.Spec, host string, hardware topology.Host, others []claim) error {
	for _, other := range others {
		if fault := clash(spec, host, other); fault != "" {
			return fmt.Errorf("%s. %s", fault, unpinned(hardware, others))
		}
	}

	return nil
}

// clash says which CPUs of the other machine the spec wants and may not have, or nothing.
func clash(spec domainxml.Spec, host string, other claim) string {
	mine := spec.PinnedCPUs()
	taken := mine.Union(spec.HelperCPUs(topology.CPUSet{})).Intersect(other.vcpus)
	shared := spec.ExclusiveCPUs().Intersect(other.vcpus.Union(other.emulator))

	switch {
	case other.exclusive && !taken.IsEmpty() && other.rival != "":
		return fmt.Sprintf("CPU %s of host %q is claimed at the same time by machine %q", taken, host, other.machine)
	case other.exclusive && !taken.IsEmpty():
		return fmt.Sprintf("CPU %s of host %q belongs to machine %q alone", taken, host, other.machine)
	case shared.IsEmpty():
		return ""
	case other.rival != "":
		return fmt.Sprintf("CPU %s of host %q is claimed at the same time by machine %q, and this machine wants it for itself alone (exclusive)", shared, host, other.machine)
	default:
		return fmt.Sprintf("CPU %s of host %q is used by machine %q, and this machine wants it for itself alone (exclusive)", shared, host, other.machine)
	}
}

func unpinned(hardware topology.Host, others []claim) string {
	free := hardware.CPUs()

	for _, other := range others {
		free = free.Minus(other.vcpus).Minus(other.emulator)
	}

	if free.IsEmpty() {
		return "Machines are pinned to all CPUs of the host: free some, or use another host"
	}

	return fmt.Sprintf("Choose among the CPUs that no machine is pinned to: %s", free)
}

// overlap reports two vCPUs of one exclusive machine, or a vCPU and the emulator, that would share a CPU.
func overlap(pins []topology.CPUSet, emulator topology.CPUSet) string {
	var faults []string

	for vcpu, pin := range pins {
		for other := range vcpu {
			if shared := pin.Intersect(pins[other]); !shared.IsEmpty() {
				faults = append(faults, fmt.Sprintf("vCPUs %d and %d share CPU %s", other, vcpu, shared))
			}
		}

		if shared := pin.Intersect(emulator); !shared.IsEmpty() {
			faults = append(faults, fmt.Sprintf("vCPU %d and the emulator share CPU %s", vcpu, shared))
		}
	}

	return strings.Join(faults, "; ")
}
