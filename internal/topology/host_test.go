package topology

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// one-node.xml and two-sockets.xml are what libvirt 9.0 printed on hosts of the test bed; odd-nodes.xml is written by
// hand, after the machines that the schema of capabilities allows.
func TestHostReadsAsItIs(t *testing.T) {
	for name, want := range map[string]Host{
		"one-node.xml": {Arch: "x86_64", DomainTypes: []string{"qemu"}, Nodes: []Node{{
			ID: 0, Memory: 14117068 << 10,
			Cores: []Core{{Threads: NewCPUSet(0)}, {Threads: NewCPUSet(1)}},
			Pages: []Page{{Size: 2 << 20}, {Size: 1 << 30}},
		}}},
		"two-sockets.xml": {Arch: "x86_64", DomainTypes: []string{"qemu"}, Nodes: []Node{socket(0), socket(1)}},
		"odd-nodes.xml": {Arch: "x86_64", DomainTypes: []string{"kvm", "lxc", "qemu"}, Nodes: []Node{
			{ID: 0, Memory: 2 << 30, Cores: []Core{{Threads: NewCPUSet(0)}, {Threads: NewCPUSet(1)}}},
			{ID: 2, Memory: 16 << 30},
			{ID: 3, Memory: 512 << 10},
			{
				ID: 8, Memory: 1 << 30,
				Cores: []Core{{Socket: 1, Threads: NewCPUSet(2, 10)}, {Socket: 1, Threads: NewCPUSet(3)}},
				Pages: []Page{{Size: 2 << 20, Count: 3}, {Size: 1 << 30, Count: 1}},
			},
		}},
	} {
		got, err := ParseHost(load(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)

			continue
		}

		if name != "odd-nodes.xml" && (got.MaxVCPUs["q35"] != 288 || got.MaxVCPUs["pc-i440fx-1.4"] != 255) {
			t.Errorf("%s: the machine types have up to %v vCPUs", name, got.MaxVCPUs)
		}

		got.MaxVCPUs = nil

		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Host{}, "Processor")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestHostSaysWhatItsProcessorIs(t *testing.T) {
	host, err := ParseHost(load(t, "one-node.xml"))
	if err != nil || !strings.HasPrefix(host.Processor, "AMD kvm64 3dnowprefetch abm adx ") {
		t.Errorf("the processor is %q: %v", host.Processor, err)
	}

	if host, err = ParseHost(load(t, "odd-nodes.xml")); err != nil || host.Processor != "" {
		t.Errorf("a processor that nobody describes is %q: %v", host.Processor, err)
	}
}

// socket is one of the two of a host with 16 cores of two threads on each, CPU n and CPU n+32 being siblings.
func socket(id int) Node {
	node := Node{ID: id, Memory: 128 << 30, Pages: []Page{{Size: 2 << 20, Count: 1024}, {Size: 1 << 30, Count: 16}}}
	for core := 16 * id; core < 16*(id+1); core++ {
		node.Cores = append(node.Cores, Core{Socket: id, Threads: NewCPUSet(core, core+32)})
	}

	return node
}

func TestHostsCPUsAndMemoryAreThoseOfItsNodes(t *testing.T) {
	for name, want := range map[string]struct {
		cpus   string
		memory uint64
	}{
		"one-node.xml":    {"0-1", 14117068 << 10},
		"two-sockets.xml": {"0-63", 256 << 30},
		"odd-nodes.xml":   {"0-3,10", 19<<30 + 512<<10},
	} {
		host, err := ParseHost(load(t, name))
		if err != nil {
			t.Fatal(err)
		}

		if got := host.CPUs().String(); got != want.cpus {
			t.Errorf("%s: the CPUs are %q, want %q", name, got, want.cpus)
		}

		if got := host.Memory(); got != want.memory {
			t.Errorf("%s: the memory is %d bytes, want %d", name, got, want.memory)
		}
	}
}

func TestCPUsOfANodeIncludeTheSiblings(t *testing.T) {
	host, err := ParseHost(load(t, "two-sockets.xml"))
	if err != nil {
		t.Fatal(err)
	}

	for node, want := range []string{"0-15,32-47", "16-31,48-63"} {
		if got := host.Nodes[node].CPUs().String(); got != want {
			t.Errorf("node %d has the CPUs %q, want %q", node, got, want)
		}
	}
}

func TestParseHostSaysWhatIsWrong(t *testing.T) {
	good := load(t, "odd-nodes.xml")

	for want, text := range map[string]string{
		"parse the host's capabilities: EOF":                                           "",
		"parse the host's capabilities: they name no NUMA node":                        "<capabilities><host><cpu><arch>x86_64</arch></cpu></host></capabilities>",
		`parse the host's capabilities: NUMA node 2: memory has the unknown unit "GB"`: strings.Replace(good, "'GiB'", "'GB'", 1),
		`parse the host's capabilities: NUMA node 8: pages have the unknown unit "kB"`: strings.Replace(good, "unit='KiB' size", "unit='kB' size", 1),
		`parse the host's capabilities: NUMA node 8: siblings of CPU 10: parse CPU set "2;10": "2;10" is not a CPU number`: strings.Replace(good,
			"'2,10'", "'2;10'", 1),
	} {
		if _, err := ParseHost(text); err == nil || err.Error() != want {
			t.Errorf("ParseHost: %v, want %q", err, want)
		}
	}
}

func load(t *testing.T, name string) string {
	t.Helper()

	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}

	return string(text)
}
