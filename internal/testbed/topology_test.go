package testbed

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// twoSockets is the made-up machine of the tests: 64 threads on two NUMA nodes.
var twoSockets = Topology{Sockets: 2, CoresPerSocket: 16, ThreadsPerCore: 2, MemoryGiBPerNode: 128, HugePages2M: 1024, HugePages1G: 16}

func TestMadeUpSysfsReadsAsTheKernelsWould(t *testing.T) {
	files, links := twoSockets.sysfs()

	for name, want := range map[string]string{
		"cpu/online":                                              "0-63",
		"cpu/offline":                                             "",
		"node/has_cpu":                                            "0-1",
		"cpu/cpu0/online":                                         "1",
		"cpu/cpu0/topology/thread_siblings_list":                  "0,32",
		"cpu/cpu0/topology/thread_siblings":                       "00000001,00000001",
		"cpu/cpu63/topology/thread_siblings_list":                 "31,63",
		"cpu/cpu63/topology/physical_package_id":                  "1",
		"cpu/cpu63/topology/core_id":                              "15",
		"cpu/cpu20/topology/package_cpus_list":                    "16-31,48-63",
		"cpu/cpu20/topology/package_cpus":                         "ffff0000,ffff0000",
		"node/node0/cpulist":                                      "0-15,32-47",
		"node/node0/cpumap":                                       "0000ffff,0000ffff",
		"node/node0/distance":                                     "10 21",
		"node/node1/distance":                                     "21 10",
		"node/node1/hugepages/hugepages-2048kB/nr_hugepages":      "1024",
		"node/node1/hugepages/hugepages-1048576kB/free_hugepages": "16",
	} {
		if got, exists := files[name]; !exists || got != want {
			t.Errorf("%s is %q (exists: %t), want %q", name, got, exists, want)
		}
	}
	if got, _, _ := strings.Cut(files["node/node1/meminfo"], "\n"); got != "Node 1 MemTotal:       134217728 kB" {
		t.Errorf("the memory of node 1 is %q", got)
	}
	if got, want := links["cpu/cpu48/node1"], "../../node/node1"; got != want {
		t.Errorf("cpu48 links to %q, want %q", got, want)
	}
	if got, want := links["node/node1/cpu48"], "../../cpu/cpu48"; got != want {
		t.Errorf("node1 links to %q, want %q", got, want)
	}
}

func TestEveryCPUOfATopologyHasOnePlace(t *testing.T) {
	for _, topology := range []Topology{
		{Sockets: 1, CoresPerSocket: 1, ThreadsPerCore: 1, MemoryGiBPerNode: 1},
		{Sockets: 1, CoresPerSocket: 6, ThreadsPerCore: 2, MemoryGiBPerNode: 8},
		{Sockets: 4, CoresPerSocket: 12, ThreadsPerCore: 1, MemoryGiBPerNode: 64},
		twoSockets,
	} {
		seen := map[int]int{}
		for socket := range topology.Sockets {
			for _, cpu := range topology.socketCPUs(socket) {
				seen[cpu]++
			}
		}
		want := map[int]int{}
		for cpu := range topology.cpus() {
			want[cpu] = 1
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("%+v: times that each CPU occurs (-want +got):\n%s", topology, diff)
		}
	}
}

func TestImpossibleTopologyIsRefused(t *testing.T) {
	for want, topology := range map[string]Topology{
		"at least one socket":           {CoresPerSocket: 1, ThreadsPerCore: 1, MemoryGiBPerNode: 1},
		"at most 1024 CPUs":             {Sockets: 8, CoresPerSocket: 128, ThreadsPerCore: 2, MemoryGiBPerNode: 1},
		"take 3145728 KiB of its 2 GiB": {Sockets: 1, CoresPerSocket: 1, ThreadsPerCore: 1, MemoryGiBPerNode: 2, HugePages1G: 3},
		"take -2048 KiB of its 1 GiB":   {Sockets: 1, CoresPerSocket: 1, ThreadsPerCore: 1, MemoryGiBPerNode: 1, HugePages2M: -1},
	} {
		if err := topology.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("check of %+v says %v, want %q in it", topology, err, want)
		}
	}
	if err := twoSockets.check(); err != nil {
		t.Errorf("check of a possible topology: %v", err)
	}
}
