package domainxml

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// box is the least that a container has.
func box() Spec {
	return Spec{
		Name: "box-1", UUID: "5f1c7c1e-8d3c-4f4e-9d25-6b0f2c1f6a02", Type: LXC, Memory: 64 << 20, VCPUs: 1,
		Container: &Container{Root: "/srv/containers/box-1", Init: []string{"/sbin/init"}},
		Mark:      Mark{Managed: true},
	}
}

// fullBox uses everything that a container's Spec can say.
func fullBox() Spec {
	spec := box()
	spec.VCPUs, spec.Emulator = 2, topology.NewCPUSet(0, 1)
	spec.Interfaces = map[string]Interface{
		"lan":     {Bridge: "br0", MAC: "52:54:00:00:00:01"},
		"storage": {Network: "default", MAC: "52:54:00:00:00:02"},
		"spare":   {Bridge: "br1", MAC: "52:54:00:00:00:03"},
	}
	spec.Container.Init = []string{"/bin/web", "--root=/www", "a b"}
	spec.Container.Networks = map[string]Network{
		"lan":     {Addresses: []string{"10.0.0.101/24", "fd00::101/64"}, Gateways: []string{"10.0.0.1", "fd00::1"}},
		"storage": {Addresses: []string{"10.1.0.101/32"}},
	}
	spec.Mark = Mark{Managed: true, Complete: true, Digest: "9f86d081", Settings: `{"wait_tcp":"10.0.0.1:80"}`}

	return spec
}

// The files are what libvirt 9.0 printed of the golden container "lxc-full": box.xml as it was defined, and box-live.xml as
// it ran, after its memory became 96 MiB and its time that of one CPU.
func TestContainerReadsTheSameAfterLibvirtHasHadIt(t *testing.T) {
	same(t, "box.xml", fullBox(), parse(t, load(t, "box.xml")))

	changed := fullBox()
	changed.Memory, changed.VCPUs = 96<<20, 1
	same(t, "box-live.xml", changed, parse(t, load(t, "box-live.xml")))
}

func TestContainerOfSomebodyElseReadsAsFarAsASpecGoes(t *testing.T) {
	got := parse(t, `<domain type="lxc"><name>old</name><memory unit="KiB">65536</memory><vcpu>3</vcpu>
		<os><type>exe</type><init>/bin/sh</init></os>
		<devices><filesystem type="mount"><source dir="/data"/><target dir="/data"/></filesystem>
		<filesystem type="file"><source file="/srv/old.img"/><target dir="/"/></filesystem></devices></domain>`)

	want := Spec{Name: "old", Type: LXC, Memory: 64 << 20, VCPUs: 3, Container: &Container{Init: []string{"/bin/sh"}}}
	same(t, "a container on an image", want, got)
}

func TestShareOfCPUTimeIsAWholeNumberOfCPUs(t *testing.T) {
	for _, test := range []struct {
		tune string
		want int
	}{
		{"<period>100000</period><quota>200000</quota>", 2},
		{"<period>50000</period><quota>120000</quota>", 3},
		{"<quota>100000</quota>", 1},
		{"<quota>-1</quota>", 7}, // no limit: what else the definition says
	} {
		got := parse(t, fmt.Sprintf(`<domain type="lxc"><name>x</name><vcpu>7</vcpu><cputune>%s</cputune></domain>`, test.tune))
		if got.VCPUs != test.want {
			t.Errorf("%s is read as %d CPUs, want %d", test.tune, got.VCPUs, test.want)
		}
	}
}

func TestContainerNeverHasTheNetworkOfItsHost(t *testing.T) {
	if text := render(t, box()); !strings.Contains(text, "<privnet") {
		t.Errorf("a container without interfaces would have those of its host:\n%s", text)
	}
}

func TestContainerOnCPUsThatAreNoneIsRefused(t *testing.T) {
	_, err := Parse(`<domain type="lxc"><name>x</name><vcpu cpuset="a">1</vcpu></domain>`)
	if want := `parse domain "x": parse CPU set "a": "a" is not a CPU number`; err == nil || err.Error() != want {
		t.Errorf("Parse: %v, want %q", err, want)
	}
}

func TestEveryContainerReadsAsItWasRendered(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))

	for range rounds / 10 {
		want := randomBox(random)
		text := render(t, want)
		wellFormed(t, text)
		same(t, text, want, parse(t, text))

		if again := render(t, parse(t, text)); again != text {
			t.Errorf("what was read renders otherwise:\n%s\n%s", text, again)
		}

		if t.Failed() {
			return
		}
	}
}

func randomBox(random *rand.Rand) Spec {
	spec := randomSpec(random)
	spec.Type, spec.Machine, spec.Pins, spec.Disks, spec.Seed, spec.Pages = LXC, "", nil, nil, nil, Pages{}
	spec.Container = &Container{Root: "/" + text(random), Init: []string{"/" + text(random)}}

	for range random.IntN(3) {
		spec.Container.Init = append(spec.Container.Init, "-"+text(random))
	}

	for name := range spec.Interfaces {
		network := Network{}
		if random.IntN(2) == 0 {
			network.Addresses = append(network.Addresses, fmt.Sprintf("10.%d.%d.7/%d", random.IntN(256), random.IntN(256), 1+random.IntN(32)))
		}

		if random.IntN(2) == 0 {
			network.Addresses = append(network.Addresses, fmt.Sprintf("fd00::%x/%d", 1+random.IntN(65535), 1+random.IntN(128)))
		}

		if random.IntN(2) == 0 {
			network.Gateways = append(network.Gateways, "10.0.0.1")
		}

		if len(network.Addresses)+len(network.Gateways) > 0 {
			if spec.Container.Networks == nil {
				spec.Container.Networks = map[string]Network{}
			}

			spec.Container.Networks[name] = network
		}
	}

	return spec
}
