package vm

import (
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
)

// sets makes CPU sets of their texts, with blanks between them.
func sets(texts string) []topology.CPUSet {
	var all []topology.CPUSet
	for text := range strings.FieldsSeq(texts) {
		all = append(all, set(text))
	}

	return all
}

// hardware is a host with the CPUs.
func hardware(cpus topology.CPUSet) topology.Host {
	return topology.Host{Nodes: []topology.Node{{Cores: []topology.Core{{Threads: cpus}}}}}
}

func TestCPUsThatTheHostLacksAreNamed(t *testing.T) {
	for name, test := range map[string]struct{ pins, emulator, want string }{
		"all there":         {"0 7", "0-7", ""},
		"nothing asked":     {"", "", ""},
		"a vCPU's":          {"1 7-9", "", `vCPU 1 is pinned to CPU 8-9, which host "alpha" does not have. It has the CPUs 0-7: pin the vCPU to one of these`},
		"the emulator's":    {"1", "7,64", `the emulator is pinned to CPU 64, which host "alpha" does not have. It has the CPUs 0-7: pin it to some of these`},
		"the first of many": {"9 10", "11", `vCPU 0 is pinned to CPU 9, `},
	} {
		says(t, name, missing(domainxml.Spec{Pins: sets(test.pins), Emulator: set(test.emulator)}, "alpha", hardware(eight)), test.want)
	}
}

func TestCPUsThatAnotherMachineHoldsAreNamedWithItAndWithWhatIsFree(t *testing.T) {
	const owned, used = `belongs to machine "db" alone`, `is used by machine "db", and this machine wants it for itself alone (exclusive)`

	for name, test := range map[string]struct {
		pins, emulator string
		exclusive      bool
		others         []claim
		want           string
	}{
		"alone on the host":                   {"0-7", "0-7", true, nil, ""},
		"beside each other":                   {"0 1", "2", true, []claim{{machine: "db", vcpus: set("4-5"), emulator: set("6"), exclusive: true}}, ""},
		"sharing":                             {"0 1", "0", false, []claim{{machine: "db", vcpus: set("0-1"), emulator: set("0")}}, ""},
		"on an emulator's":                    {"0", "", false, []claim{{machine: "db", vcpus: set("1"), emulator: set("0"), exclusive: true}}, ""},
		"emulators side by side":              {"1", "0", true, []claim{{machine: "db", vcpus: set("2"), emulator: set("0"), exclusive: true}}, ""},
		"not pinned beside an exclusive one":  {"", "", true, []claim{{machine: "db", vcpus: set("0-7"), exclusive: true}}, ""},
		"on an exclusive one's":               {"0 1-2", "", false, []claim{{machine: "db", vcpus: set("2-3"), exclusive: true}}, `CPU 2 of host "alpha" ` + owned + ". Choose among the CPUs that no machine is pinned to: 0-1,4-7"},
		"the emulator on an exclusive one's":  {"0", "3", false, []claim{{machine: "db", vcpus: set("2-3"), exclusive: true}}, `CPU 3 of host "alpha" ` + owned},
		"exclusive on one that shares":        {"0-3", "", true, []claim{{machine: "db", vcpus: set("2-3")}}, `CPU 2-3 of host "alpha" ` + used + ". Choose among the CPUs that no machine is pinned to: 0-1,4-7"},
		"exclusive on an emulator's":          {"0", "", true, []claim{{machine: "db", emulator: set("0")}}, `CPU 0 of host "alpha" ` + used},
		"exclusive, its emulator on a shared": {"0", "5", true, []claim{{machine: "db", vcpus: set("5")}}, ""},
		"with the second of two":              {"4", "", true, []claim{{machine: "web", vcpus: set("0-1"), emulator: set("7"), exclusive: true}, {machine: "db", vcpus: set("4"), exclusive: true}}, `CPU 4 of host "alpha" ` + owned + ". Choose among the CPUs that no machine is pinned to: 2-3,5-6"},
		"where nothing is free":               {"4", "", true, []claim{{machine: "db", vcpus: set("0-7"), exclusive: true}}, owned + ". Machines are pinned to all CPUs of the host: free some, or use another host"},
	} {
		spec := domainxml.Spec{Pins: sets(test.pins), Emulator: set(test.emulator), Mark: domainxml.Mark{Exclusive: test.exclusive}}
		says(t, name, conflict(spec, "alpha", hardware(eight), test.others), test.want)
	}
}

func TestClaimsAreOfWhatIsStoredAndOfWhatRuns(t *testing.T) {
	xml := func(name, pins, emulator string, exclusive bool) string {
		text, err := domainxml.Render(domainxml.Spec{
			Name: name, UUID: name, Type: "kvm", VCPUs: 2, Pins: sets(pins), Emulator: set(emulator), Mark: domainxml.Mark{Exclusive: exclusive},
		})
		if err != nil {
			t.Fatal(err)
		}

		return text
	}

	threads := `<domain type='kvm'><name>threads</name><vcpu>1</vcpu><iothreads>3</iothreads><cputune><iothreadpin iothread='1' cpuset='7'/><iothreadpin iothread='2' cpuset='0-7'/></cputune></domain>`
	foreign := `<domain type='kvm'><name>foreign</name><vcpu>2</vcpu><cputune><vcpupin vcpu='1' cpuset='6'/></cputune></domain>`

	domains := []libvirt.Domain{
		{Name: "itself", UUID: "itself", XML: xml("itself", "0 1", "", true)},
		{Name: "off", UUID: "off", XML: xml("off", "0 1", "2", true)},
		{Name: "moved", UUID: "moved", Active: true, XML: xml("moved", "0 1", "2", false), LiveXML: xml("moved", "3 4", "5", true)},
		{Name: "free", UUID: "free", XML: xml("free", "", "", false)},
		{Name: "foreign", UUID: "foreign", XML: foreign},
		{Name: "threads", UUID: "threads", XML: threads},
	}

	got, err := claims(domains, "itself", eight)
	if err != nil {
		t.Fatal(err)
	}

	want := []claim{
		{machine: "off", vcpus: set("0-1"), emulator: set("2"), exclusive: true},
		{machine: "moved", vcpus: set("0-1,3-4"), emulator: set("2,5"), exclusive: true},
		{machine: "free"},
		{machine: "foreign", vcpus: set("6")},
		{machine: "threads", emulator: set("7")}, // one that may run everywhere is not pinned
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(claim{})); diff != "" {
		t.Errorf("the claims (-want +got):\n%s", diff)
	}

	if _, err := claims([]libvirt.Domain{{Name: "odd", UUID: "odd", XML: "<domain"}}, "", eight); err == nil {
		t.Error("a machine that cannot be read claims nothing")
	}
}

func TestVCPUsOfAnExclusiveMachineOverlapNowhere(t *testing.T) {
	for name, test := range map[string]struct{ pins, emulator, want string }{
		"apart":            {"0 1 2-3", "4", ""},
		"not pinned":       {"", "0", ""},
		"two vCPUs":        {"0-1 1-2", "", "vCPUs 0 and 1 share CPU 1"},
		"with the first":   {"0-1 2", "1", "vCPU 0 and the emulator share CPU 1"},
		"all of them":      {"0 0 0", "0", "vCPU 0 and the emulator share CPU 0; vCPUs 0 and 1 share CPU 0; vCPU 1 and the emulator share CPU 0; vCPUs 0 and 2 share CPU 0; vCPUs 1 and 2 share CPU 0; vCPU 2 and the emulator share CPU 0"},
		"far from another": {"0-3 5 2-5", "", "vCPUs 0 and 2 share CPU 2-3; vCPUs 1 and 2 share CPU 5"},
	} {
		if got := overlap(sets(test.pins), set(test.emulator)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// says checks that an error has a text in it, or that there is none if the text is empty.
func says(t *testing.T, name string, err error, want string) {
	t.Helper()

	if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: %v, want %q", name, err, want)
	}
}
