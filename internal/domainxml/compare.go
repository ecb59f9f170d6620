package domainxml

import "slices"

// A Difference is one part of a machine in which two of its definitions differ.
type Difference struct {
	Attribute string // in the words of the resource type: "memory", "cpu.count", "disks", "interfaces"
	Name      string // of the disk or the interface
	Boots     bool   // only a start of the machine brings it about
}

// Compare lists what it takes to bring a running machine from one definition to another, but for the pins of its threads,
// its mark and its texts, which can change at any time.
func Compare(running, want Spec) []Difference {
	var all []Difference

	boots := func(attribute string, same bool) {
		if !same {
			all = append(all, Difference{Attribute: attribute, Boots: true})
		}
	}

	if running.TopMemory() != want.TopMemory() && running.MaxMemory == 0 && want.MaxMemory == 0 {
		boots("memory", false)
	} else {
		boots("memory_maximum", running.TopMemory() == want.TopMemory())
	}

	switch top := running.TopVCPUs() == want.TopVCPUs(); {
	case !top && running.MaxVCPUs == 0 && want.MaxVCPUs == 0, top && want.VCPUs < running.VCPUs:
		boots("cpu.count", false)
	case !top:
		boots("cpu.maximum", false)
	case want.VCPUs > running.VCPUs:
		all = append(all, Difference{Attribute: "cpu.count"})
	}

	boots("cpu_model", sameModel(running.CPU.Model, want.CPU.Model))
	running.CPU.Model = want.CPU.Model
	boots("cpu_topology", running.CPU == want.CPU)
	boots("memory_backing", running.SameBacking(want))
	boots("numa_nodes", slices.EqualFunc(running.Nodes, want.Nodes, Node.Equal))
	boots("xml", SameXML(running.XML, want.XML))
	boots("io_threads", len(running.IOThreads) == len(want.IOThreads))

	return append(append(all, compareDisks(running, want)...), compareInterfaces(running, want)...)
}

// hostModel is a model that a running machine has under another name.
const hostModel = "host-model"

func sameModel(running, want string) bool { return running == want || want == hostModel }

func compareDisks(running, want Spec) (all []Difference) {
	boot := BootFrom(want.Disks)

	for _, name := range union(running.Disks, want.Disks) {
		was, had := running.Disks[name]
		is, has := want.Disks[name]

		if had != has || !sameDisk(was, is) {
			all = append(all, Difference{Attribute: "disks", Name: name, Boots: name == boot || name == BootFrom(running.Disks)})
		}
	}

	return all
}

// sameDisk takes a path for the volume that it is found to be.
func sameDisk(a, b Disk) bool {
	if a.File != "" && a.File == b.File {
		a.Volume = b.Volume
	}

	return a == b
}

func compareInterfaces(running, want Spec) (all []Difference) {
	for _, name := range union(running.Interfaces, want.Interfaces) {
		was, had := running.Interfaces[name]
		is, has := want.Interfaces[name]

		if had != has || was != is {
			all = append(all, Difference{Attribute: "interfaces", Name: name})
		}
	}

	return all
}

func union[V any](a, b map[string]V) []string {
	names := append(sortedKeys(a), sortedKeys(b)...)
	slices.Sort(names)

	return slices.Compact(names)
}
