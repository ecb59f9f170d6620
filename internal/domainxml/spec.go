// Package domainxml turns the description of a virtual machine into libvirt's domain XML and back. It is pure: the
// same Spec always gives the same XML, and reading what was rendered gives the Spec again.
package domainxml

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// Spec is a virtual machine as we declare it.
type Spec struct {
	Name    string
	UUID    string
	Type    string // hypervisor: "kvm", "qemu" (software emulation), Xen or LXC
	Machine string // QEMU machine type, such as "q35", which libvirt may write back with its version; MachineXenFV or MachineXenPV; none for LXC

	Title       string // one line for people
	Description string // any text for people

	Memory    uint64 // what the guest has, in bytes: a multiple of 1024
	MaxMemory uint64 // what it can be given as it runs; 0 if Memory is all
	VCPUs     int
	MaxVCPUs  int // how many it can be given as it runs; 0 if VCPUs is all

	CPU CPU

	// Pages are the huge pages that back the memory; the zero Pages stands for ordinary memory.
	Pages        Pages
	Locked       bool // the memory is never swapped out
	Preallocated bool // all of the memory is taken when the machine starts
	// Nodes are the guest's own NUMA nodes; none stands for a guest without them.
	Nodes []Node

	// Pins has a set of host CPUs for each vCPU in order; it is empty if vCPUs are not pinned.
	Pins []topology.CPUSet
	// Emulator is where QEMU's own threads run, and of a container all threads; empty means wherever the host likes.
	Emulator topology.CPUSet
	// IOThreads has the host CPUs of each I/O thread, over which the disks are spread; an empty set stands for all CPUs.
	IOThreads []topology.CPUSet

	Disks      map[string]Disk      // by name
	Interfaces map[string]Interface // by name
	XML        string               // elements below <domain> that no other field has, in a user's words
	Seed       *Volume              // NoCloud seed, attached as a read-only disk
	Container  *Container           // of a machine of type LXC, and of no other

	Mark Mark
}

// CPU is the processor that the guest sees.
type CPU struct {
	Model   string // "host-passthrough" or a named model; empty for what the domain type has by default
	Sockets int    // with Cores and Threads how the vCPUs are laid out; 0 in all three for one socket each
	Cores   int    // of a socket
	Threads int    // of a core
}

// Node is a NUMA node of the guest.
type Node struct {
	CPUs   topology.CPUSet // numbers of the vCPUs on it
	Memory uint64          // bytes, a multiple of 1024
	Host   int             // number of the host's node that its memory is taken from; -1 for any
}

// Pages are huge pages of the host.
type Pages struct {
	Size  uint64          // bytes, a multiple of 1024
	Nodes topology.CPUSet // numbers of the NUMA nodes that they are taken from, and from no other
}

// Volume is a storage volume of the machine's host.
type Volume struct {
	Pool string
	Name string
}

// Disk is a virtio disk. Its name is its serial number, so the guest finds it at /dev/disk/by-id/virtio-<name>.
type Disk struct {
	Volume Volume
	// File is the path on the host of a disk that is not given as a volume. Render takes such disks for Xen only, where all are
	// given so.
	File     string
	Format   string // of the volume: "qcow2" or "raw"
	ReadOnly bool
}

// Interface is a virtio network interface. Exactly one of Bridge and Network is set.
type Interface struct {
	Bridge  string // a bridge of the host
	Network string // a libvirt network
	MAC     string // "52:54:00:12:34:56"
}

// Mark is what we note about a machine in its own definition, so that an interrupted creation is recognised and other
// runs know which CPUs are taken.
type Mark struct {
	// Managed tells our machines from others; Parse sets it if the definition carries a mark at all.
	Managed bool
	// Exclusive says that no other machine may use the CPUs that vCPUs are pinned to.
	Exclusive bool
	// Complete says that creation went through to the end.
	Complete bool
	// Leaving says that the machine is being removed, so that others may wait for its CPUs.
	Leaving bool
	// Digest identifies what the machine was created from. It has no other meaning here.
	Digest string
	// Settings is text of the resource's that the definition has no other place for. It has no meaning here.
	Settings string
	// Claim is what the machine is about to use; it is the zero Claim at any other time.
	Claim Claim
	// Move is what is to be known of a machine that is being moved between hosts; it is the zero Move at any other time.
	Move Move
}

// Move is noted in the definitions that a machine has on two hosts while it is being moved, so that an interrupted move is
// recognised by whoever finds one of them.
type Move struct {
	To    string // on the host that it leaves: the one that it is moved to
	From  string // on the host that it is moved to: the one that it leaves
	Disks string // where From is: names of the disks, and of the seed, that were copied; the originals go when it has arrived
}

// Claim is what a machine is about to use of its host's CPUs. It is written down before the machine looks whether it
// may, so that of two that want the same CPU at once at least one sees the other.
type Claim struct {
	VCPUs     string // CPU set, as text so that marks can be compared; empty for none
	Emulator  string // CPU set, as VCPUs, with that of the I/O threads
	Exclusive bool   // whether VCPUs are to be the machine's alone
}

// Claim returns the claim to what the machine uses as it is described. A machine that is pinned nowhere claims nothing.
func (s Spec) Claim() Claim {
	claim := Claim{VCPUs: s.PinnedCPUs().String(), Emulator: s.HelperCPUs(topology.CPUSet{}).String()}
	claim.Exclusive = s.Mark.Exclusive && claim.VCPUs != ""

	return claim
}

// TopVCPUs is the number of vCPUs that the machine can have as it runs.
func (s Spec) TopVCPUs() int { return max(s.VCPUs, s.MaxVCPUs) }

// TopMemory is the memory that the machine can have as it runs, in bytes.
func (s Spec) TopMemory() uint64 { return max(s.Memory, s.MaxMemory) }

// SameBacking reports whether the memory of both comes from the same place.
func (s Spec) SameBacking(other Spec) bool {
	return s.Pages.Size == other.Pages.Size && s.Pages.Nodes.Equal(other.Pages.Nodes) && s.Locked == other.Locked && s.Preallocated == other.Preallocated
}

// Equal reports whether both are the same node.
func (n Node) Equal(other Node) bool {
	return n.CPUs.Equal(other.CPUs) && n.Memory == other.Memory && n.Host == other.Host
}

// HelperCPUs are the CPUs of the threads that work for the guest: the emulator's and the I/O threads', as far as they are pinned.
// all is the set of the host's CPUs: an I/O thread that may run on all of them is not pinned, since libvirt writes that when a pin
// is removed.
func (s Spec) HelperCPUs(all topology.CPUSet) topology.CPUSet {
	helpers := s.Emulator

	for _, thread := range s.IOThreads {
		if !thread.Equal(all) {
			helpers = helpers.Union(thread)
		}
	}

	return helpers
}

// PinnedCPUs returns the union of the vCPUs' pins.
func (s Spec) PinnedCPUs() topology.CPUSet {
	var all topology.CPUSet
	for _, pin := range s.Pins {
		all = all.Union(pin)
	}

	return all
}

// ExclusiveCPUs returns the CPUs that no other machine may use.
func (s Spec) ExclusiveCPUs() topology.CPUSet {
	if !s.Mark.Exclusive {
		return topology.CPUSet{}
	}

	return s.PinnedCPUs()
}
