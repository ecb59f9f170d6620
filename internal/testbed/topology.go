package testbed

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Topology is hardware that a host makes up: every socket is one NUMA node. CPUs are numbered as on common servers,
// the first threads of all cores of all sockets first, so that CPU n and CPU n + Sockets*CoresPerSocket are siblings.
//
// libvirt reads it from a made-up /sys/devices/system, and a preloaded library maps the CPUs on to the real ones, so
// that machines with any pinning and NUMA policy start. Memory placement and the hugepage counts are fiction: they do
// not change as guests start, and a guest on hugepages needs real ones.
type Topology struct {
	Sockets          int `json:"sockets"`
	CoresPerSocket   int `json:"cores_per_socket"`
	ThreadsPerCore   int `json:"threads_per_core"`
	MemoryGiBPerNode int `json:"memory_gib_per_node"`
	HugePages2M      int `json:"huge_pages_2m"` // per node
	HugePages1G      int `json:"huge_pages_1g"` // per node
}

const (
	maxCPUs          = 1024 // what a cpu_set_t of glibc holds
	farDistance      = "21" // SLIT distance to another node; 10 is a node's own
	kibPerGiB        = 1 << 20
	kibPerHugePage2M = 2048
)

// check says why a topology cannot be.
func (t Topology) check() error {
	if t.Sockets < 1 || t.CoresPerSocket < 1 || t.ThreadsPerCore < 1 || t.MemoryGiBPerNode < 1 {
		return errors.New("a topology needs at least one socket, core, thread and GiB of memory")
	}
	if t.cpus() > maxCPUs {
		return fmt.Errorf("a topology has at most %d CPUs, and this one has %d", maxCPUs, t.cpus())
	}
	huge := t.HugePages2M*kibPerHugePage2M + t.HugePages1G*kibPerGiB
	if t.HugePages2M < 0 || t.HugePages1G < 0 || huge > t.MemoryGiBPerNode*kibPerGiB {
		return fmt.Errorf("the huge pages of a node take %d KiB of its %d GiB", huge, t.MemoryGiBPerNode)
	}
	return nil
}

func (t Topology) cpus() int { return t.Sockets * t.CoresPerSocket * t.ThreadsPerCore }

// cpu returns the number of a thread.
func (t Topology) cpu(socket, core, thread int) int {
	return (thread*t.Sockets+socket)*t.CoresPerSocket + core
}

// siblings lists the threads of a core.
func (t Topology) siblings(socket, core int) []int {
	var cpus []int
	for thread := range t.ThreadsPerCore {
		cpus = append(cpus, t.cpu(socket, core, thread))
	}
	return cpus
}

// socketCPUs lists the threads of a socket, in order.
func (t Topology) socketCPUs(socket int) []int {
	var cpus []int
	for thread := range t.ThreadsPerCore {
		for core := range t.CoresPerSocket {
			cpus = append(cpus, t.cpu(socket, core, thread))
		}
	}
	return cpus
}

// sysfs renders what stands below /sys/devices/system: the text of each file and the target of each symbolic link,
// as the kernel's Documentation/ABI/stable/sysfs-devices-node and .../sysfs-devices-system-cpu describe them.
func (t Topology) sysfs() (files, links map[string]string) {
	files, links = map[string]string{}, map[string]string{}
	all := span(t.cpus())
	for _, name := range []string{"possible", "present", "online"} {
		files["cpu/"+name] = all
	}
	files["cpu/offline"], files["cpu/kernel_max"] = "", "8191"
	for _, name := range []string{"possible", "online", "has_memory", "has_normal_memory", "has_cpu"} {
		files["node/"+name] = span(t.Sockets)
	}
	for socket := range t.Sockets {
		t.nodeFiles(files, socket)
		for core := range t.CoresPerSocket {
			for _, cpu := range t.siblings(socket, core) {
				t.cpuFiles(files, socket, core, cpu)
				links[fmt.Sprintf("cpu/cpu%d/node%d", cpu, socket)] = fmt.Sprintf("../../node/node%d", socket)
				links[fmt.Sprintf("node/node%d/cpu%d", socket, cpu)] = fmt.Sprintf("../../cpu/cpu%d", cpu)
			}
		}
	}
	return files, links
}

func (t Topology) cpuFiles(files map[string]string, socket, core, cpu int) {
	folder := fmt.Sprintf("cpu/cpu%d/", cpu)
	files[folder+"online"] = "1"
	files[folder+"topology/physical_package_id"] = strconv.Itoa(socket)
	files[folder+"topology/core_id"] = strconv.Itoa(core)
	files[folder+"topology/die_id"] = "0"
	for _, name := range []string{"thread_siblings", "core_cpus"} {
		files[folder+"topology/"+name] = mask(t.siblings(socket, core), t.cpus())
		files[folder+"topology/"+name+"_list"] = list(t.siblings(socket, core))
	}
	for _, name := range []string{"core_siblings", "package_cpus", "die_cpus"} {
		files[folder+"topology/"+name] = mask(t.socketCPUs(socket), t.cpus())
		files[folder+"topology/"+name+"_list"] = list(t.socketCPUs(socket))
	}
}

func (t Topology) nodeFiles(files map[string]string, node int) {
	folder := fmt.Sprintf("node/node%d/", node)
	files[folder+"cpumap"] = mask(t.socketCPUs(node), t.cpus())
	files[folder+"cpulist"] = list(t.socketCPUs(node))
	distances := make([]string, t.Sockets)
	for other := range distances {
		distances[other] = farDistance
	}
	distances[node] = "10"
	files[folder+"distance"] = strings.Join(distances, " ")

	total := t.MemoryGiBPerNode * kibPerGiB
	used := total / 10
	files[folder+"meminfo"] = fmt.Sprintf("Node %[1]d MemTotal:       %[2]d kB\nNode %[1]d MemFree:        %[3]d kB\nNode %[1]d MemUsed:        %[4]d kB",
		node, total, total-used, used)
	for size, count := range map[int]int{kibPerHugePage2M: t.HugePages2M, kibPerGiB: t.HugePages1G} {
		pages := fmt.Sprintf("%shugepages/hugepages-%dkB/", folder, size)
		files[pages+"nr_hugepages"] = strconv.Itoa(count)
		files[pages+"free_hugepages"] = strconv.Itoa(count)
		files[pages+"surplus_hugepages"] = "0"
	}
}

// span renders the numbers below n as the kernel does.
func span(n int) string {
	if n == 1 {
		return "0"
	}
	return fmt.Sprintf("0-%d", n-1)
}

// list renders ascending numbers as the kernel does: "0-3,8".
func list(cpus []int) string {
	var parts []string
	for i := 0; i < len(cpus); {
		j := i
		for j+1 < len(cpus) && cpus[j+1] == cpus[j]+1 {
			j++
		}
		if i == j {
			parts = append(parts, strconv.Itoa(cpus[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", cpus[i], cpus[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ",")
}

// mask renders CPUs as the kernel does: groups of 32 bits in hexadecimal, the highest first.
func mask(cpus []int, total int) string {
	words := make([]uint32, (total+31)/32)
	for _, cpu := range cpus {
		words[cpu/32] |= 1 << (cpu % 32)
	}
	parts := make([]string, len(words))
	for i, word := range words {
		parts[len(words)-1-i] = fmt.Sprintf("%08x", word)
	}
	return strings.Join(parts, ",")
}

//go:embed files/shim.c
var shimSource string

// makeUpHardware writes the made-up part of the host's /sys and the library that host.sh preloads.
func (h *Host) makeUpHardware(ctx context.Context) error {
	if h.record.Topology == nil {
		return nil
	}
	files, links := h.record.Topology.sysfs()
	root := h.path("sysfs")
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make up hardware: %w", err)
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			return fmt.Errorf("make up hardware: %w", err)
		}
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			return fmt.Errorf("make up hardware: %w", err)
		}
	}

	library, err := cached(ctx, "shim", digest(shimSource)+".so", compileShim)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(library)
	if err != nil {
		return fmt.Errorf("make up hardware: %w", err)
	}
	return os.WriteFile(h.path("shim.so"), content, 0o600)
}

func compileShim(ctx context.Context, path string) error {
	if _, err := exec.LookPath("gcc"); err != nil {
		return errors.New("a host with made-up hardware needs a C compiler: apt-get install gcc libc6-dev")
	}
	if _, err := feed(ctx, shimSource, "gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", path, "-x", "c", "-"); err != nil {
		return fmt.Errorf("compile the library of made-up hardware: %w", err)
	}
	return nil
}
