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
	emulator  topology.CPUSet
	exclusive bool
}

// claims collects what the host's machines use, running or not, but for the machine with the UUID.
func claims(domains []libvirt.Domain, except string) ([]claim, error) {
	var all []claim

	for _, domain := range domains {
		if domain.UUID == except {
			continue
		}

		o, err := observe(domain)
		if err != nil {
			return nil, err
		}

		all = append(all, claim{
			machine:   domain.Name,
			vcpus:     o.stored.PinnedCPUs().Union(o.live.PinnedCPUs()),
			emulator:  o.stored.Emulator.Union(o.live.Emulator),
			exclusive: o.stored.Mark.Exclusive || o.live.Mark.Exclusive,
		})
	}

	return all, nil
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

	return nil
}

// conflict reports CPUs that the machine may not have because another one holds them, or because it wants for itself
// what another one uses. It names that machine and the CPUs that nobody has pinned.
func conflict(spec domainxml.Spec, host string, hardware topology.Host, others []claim) error {
	mine := spec.PinnedCPUs()
	wanted := mine.Union(spec.Emulator)

	for _, other := range others {
		if taken := wanted.Intersect(other.vcpus); other.exclusive && !taken.IsEmpty() {
			return fmt.Errorf("CPU %s of host %q belongs to machine %q alone. %s", taken, host, other.machine, unpinned(hardware, others))
		}

		if shared := spec.ExclusiveCPUs().Intersect(other.vcpus.Union(other.emulator)); !shared.IsEmpty() {
			return fmt.Errorf("CPU %s of host %q is used by machine %q, and this machine wants it for itself alone (exclusive). %s",
				shared, host, other.machine, unpinned(hardware, others))
		}
	}

	return nil
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
