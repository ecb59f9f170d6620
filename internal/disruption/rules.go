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
	return [...]string{
		"any", "added", "removed", "within what it was started for", "of the disk that it boots from", "not known before the apply",
		"of a container", "of a container, or on Xen",
	}[c]
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
	threads   = "the threads move as they run"
	atBoot    = "the guest finds it when it boots"
	atStart   = "QEMU takes its memory when it starts"
	hotplug   = "the guest is told, and has to let go of what is taken away"
	seed      = "the seed is written anew; cloud-init reads it at the next boot, and does not repeat what it does once for each machine"
	addresses = "cloud-init sets the guest's network up once for each machine"

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
	{"cloud_init.network", ofContainer, Reboot, setUpAtStart},
	{"cloud_init", ofContainer, Reboot, setUpAtStart},
	{"container.directory", always, Reboot, "it has another root file system from its next start"},
	{"container.archive", always, Replace, "its root file system was unpacked from the archive when it was made"},
	{"container.init", always, Reboot, "it is the first process"},
	{"container", always, Replace, "a machine does not become another kind of machine"},
	{"name", always, Replace, "a machine keeps the name that it was made with, on its host and in its guest"},
	{"title", always, None, "only people read it"},
	{"description", always, None, "only people read it"},
	{"host", staying, Replace, "only machines on QEMU move as they run"},
	{"host", always, Live, "it moves there with its disks as it runs"},
	{"domain_type", always, Replace, "it is other hardware"},
	{"machine", always, Replace, "it is other hardware"},
	{"memory", within, Live, "the guest's balloon driver gives and takes"},
	{"memory", always, Reboot, "the running machine has no room for more, and no balloon takes it below what it was started with"},
	{"memory_maximum", always, Reboot, atBoot},
	{"memory_backing", always, Reboot, atStart},
	{"cpu.count", within, Live, "more are plugged in"},
	{"cpu.count", always, Reboot, "a guest does not give vCPUs back, and has no more than it was started for"},
	{"cpu.maximum", always, Reboot, atBoot},
	{"cpu.pins", always, Live, threads},
	{"cpu.emulator", always, Live, threads},
	{"cpu.exclusive", always, None, "other machines are kept off its CPUs, and it stays where it is"},
	{"cpu_model", always, Reboot, atBoot},
	{"cpu_topology", always, Reboot, atBoot},
	{"numa_nodes", always, Reboot, atBoot},
	{"xml", always, Reboot, "libvirt makes the machine of it when it starts"},
	{"io_threads", added, Reboot, "the disks are spread over the threads when the machine starts"},
	{"io_threads", removed, Reboot, "the disks are spread over the threads when the machine starts"},
	{"io_threads", within, Live, threads},
	{"io_threads", always, Reboot, "the disks are spread over the threads when the machine starts"},
	{"placement.page_size", always, Reboot, atStart},
	{"placement.nodes", always, Reboot, atStart},
	{"placement", always, None, "`host` and `cpu` say what follows from it, and `memory` what it counted"},
	{"disks", ofBootDisk, Reboot, "the guest runs from it"},
	{"disks", added, Live, hotplug},
	{"disks", removed, Live, hotplug},
	{"disks.*.volume", undecided, Replace, "a volume that is made anew has to be let go first"},
	{"disks.*.volume", ofBootDisk, Reboot, "the guest runs from it"},
	{"disks.*.volume", always, Live, "the disk is taken away and comes back with the other volume"},
	{"disks.*.read_only", ofBootDisk, Reboot, "the guest runs from it"},
	{"disks.*.read_only", always, Live, "the disk is taken away and comes back"},
	{"interfaces", added, Live, hotplug},
	{"interfaces", removed, Live, hotplug},
	{"interfaces.*.bridge", always, Live, "the guest keeps its interface, whose cable goes elsewhere"},
	{"interfaces.*.network", always, Live, "the guest keeps its interface, whose cable goes elsewhere"},
	{"interfaces.*.mac", always, Replace, addresses + ", by MAC address"},
	{"cloud_init.user_data", always, Live, seed},
	{"cloud_init.user_data_wo", always, Live, seed},
	{"cloud_init.user_data_wo_version", always, Live, seed},
	{"cloud_init.meta_data", always, Live, seed},
	{"cloud_init.network", always, Replace, addresses},
	{"cloud_init.network_config", always, Replace, addresses},
	{"cloud_init", always, Replace, "a machine has its seed from the beginning"},
	{"wait_for", always, None, notes},
	{"drain", always, None, "it says what happens before the next disturbance"},
	{"drained", always, None, "its services come back"},
	{"running", always, None, "it is what it says: the machine is started or powered off, as asked"},
	{"autostart", always, None, "its host keeps it"},
	{"shutdown_timeout", always, None, notes},
	{"force_restart", always, None, notes},
	{"allow_change", always, None, notes},
	{"migration", always, None, notes},
	{"timeouts", always, None, notes},
}
