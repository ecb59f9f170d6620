package disruption

// A Rule says what the change of one attribute does to a running machine. The first rule that fits decides.
type Rule struct {
	Attribute string // with "*" for a name that the user gives: "disks.*.volume"
	When      Condition
	Class     Class
	Reason    string // why it is this class; continues a sentence
}

// A Condition is when a rule holds.
type Condition int

const (
	always Condition = iota
	added
	removed
	within
	ofBootDisk
	undecided
	ofContainer
	staying
)

// String is the condition as the documentation's table has it.
func (c Condition) String() string {
	return [...]string{"any", "added", "removed", "up to the maximum that it was started with", "of the disk that it boots from", "not known before the apply", "of a container", "of a container, or on Xen"}[c]
}

func (c Condition) holds(change Change) bool {
	switch c {
	case added:
		return change.Kind == Added
	case removed:
		return change.Kind == Removed
	case within:
		return change.Within
	case ofBootDisk:
		return change.Boot
	case ofContainer:
		return change.Container
	case staying:
		return change.Staying
	case undecided:
		return change.Kind == Undecided
	default:
		return true
	}
}

const (
	notes     = "it is kept beside the machine, which knows nothing of it"
	byDrivers = "the threads move as they run"
	guestSees = "the guest found its hardware when it booted"

	setUpAtStart = "libvirt sets up its network when it starts"
)

// Rules are all rules, in the order in which they are looked at.
func Rules() []Rule { return append([]Rule(nil), rules...) }

var rules = []Rule{
	{"memory", ofContainer, Live, "its limit is raised or lowered as it runs"},
	{"cpu.count", ofContainer, Live, "its share of CPU time changes as it runs"},
	{"cpu.emulator", ofContainer, Reboot, "libvirt gives it its CPUs when it starts"},
	{"interfaces", ofContainer, Reboot, setUpAtStart},
	{"interfaces.*.bridge", ofContainer, Reboot, setUpAtStart},
	{"interfaces.*.network", ofContainer, Reboot, setUpAtStart},
	{"interfaces.*.mac", ofContainer, Reboot, setUpAtStart},
	{"cloud_init", ofContainer, Reboot, setUpAtStart},
	{"container.directory", always, Reboot, "it has another root file system from its next start"},
	{"container.archive", always, Replace, "its root file system was unpacked from the archive when it was made"},
	{"container.init", always, Reboot, "it is the first process"},
	{"container", always, Replace, "a machine does not become another kind of machine"},
	{"name", always, Replace, "a machine keeps the name that it was made with, on its host and in its guest"},
	{"host", staying, Replace, "only machines on QEMU move as they run"},
	{"host", always, Live, "it moves there with its disks as it runs"},
	{"domain_type", always, Replace, guestSees},
	{"machine", always, Replace, guestSees},
	{"memory", always, Replace, guestSees},
	{"cpu.count", always, Replace, guestSees},
	{"cpu.pins", always, Live, byDrivers},
	{"cpu.emulator", always, Live, byDrivers},
	{"cpu.exclusive", always, None, "other machines are kept off its CPUs, and it stays where it is"},
	{"placement.host", always, None, "`host` says it, and its rule holds"},
	{"placement.pins", always, None, "`cpu.pins` says them, and its rule holds"},
	{"placement.emulator", always, None, "`cpu.emulator` says it, and its rule holds"},
	{"placement.memory", always, None, "it is what the placement counted; `memory` decides"},
	{"placement.page_size", always, Replace, "QEMU takes its memory when it starts"},
	{"placement.nodes", always, Replace, "QEMU takes its memory when it starts"},
	{"placement", always, None, "`host` and `cpu` say what follows from it"},
	{"disks", added, Replace, guestSees},
	{"disks", removed, Replace, guestSees},
	{"disks.*.volume", always, Replace, guestSees},
	{"disks.*.read_only", always, Replace, guestSees},
	{"interfaces", added, Replace, guestSees},
	{"interfaces", removed, Replace, guestSees},
	{"interfaces.*.bridge", always, Replace, guestSees},
	{"interfaces.*.network", always, Replace, guestSees},
	{"interfaces.*.mac", always, Replace, "cloud-init writes the guest's network by MAC address, once for each machine made"},
	{"cloud_init", always, Replace, "cloud-init does its work once for each machine made"},
	{"wait_for", always, None, notes},
	{"drain", always, None, "it says what happens before the next disturbance"},
	{"drained", always, None, "its services come back"},
	{"running", always, None, "it is what it says: the machine is started or powered off, as asked"},
	{"autostart", always, None, "its host keeps it"},
	{"shutdown_timeout", always, None, notes},
	{"allow_change", always, None, notes},
	{"migration", always, None, notes},
	{"timeouts", always, None, notes},
}
