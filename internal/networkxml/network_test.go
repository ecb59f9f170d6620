package networkxml

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the golden files anew")

var options = cmp.Options{cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}), cmpopts.EquateEmpty()}

func prefix(text string) netip.Prefix { return netip.MustParsePrefix(text) }

func between(start, end string) Range {
	return Range{Start: netip.MustParseAddr(start), End: netip.MustParseAddr(end)}
}

func host(mac, address string) Host { return Host{MAC: mac, Address: netip.MustParseAddr(address)} }

// full uses everything that a Spec can say.
func full() Spec {
	return Spec{
		Name: "lan", Mode: NAT, Bridge: "virbr7", Domain: "lan.example",
		Addresses: []netip.Prefix{prefix("10.20.0.1/24"), prefix("10.21.0.1/24"), prefix("fd00:20::1/64")},
		DHCP: DHCP{
			Ranges: []Range{between("10.20.0.100", "10.20.0.199"), between("fd00:20::100", "fd00:20::1ff")},
			Hosts: map[string]Host{
				"web-1":             host("52:54:00:20:00:11", "10.20.0.11"),
				"52:54:00:20:00:12": host("52:54:00:20:00:12", "10.20.0.12"),
			},
		},
	}
}

func with(change func(*Spec)) Spec {
	spec := full()
	change(&spec)

	return spec
}

func goldens() map[string]Spec {
	return map[string]Spec{
		"nat":      full(),
		"routed":   with(func(s *Spec) { s.Mode, s.Bridge, s.DHCP = Routed, "", DHCP{} }),
		"isolated": {Name: "quiet", Mode: Isolated},
		"bridge":   {Name: "office", Mode: Bridge, Bridge: "br0"},
		"tagged":   {Name: "tagged", Mode: OpenVSwitch, Bridge: "ovs0", VLANs: []uint{42}},
		"trunk":    {Name: "trunk", Mode: OpenVSwitch, Bridge: "ovs0", VLANs: []uint{10, 20}},
		"switch":   {Name: "switch", Mode: OpenVSwitch, Bridge: "ovs0"},
	}
}

func TestNetworksRenderAsTheGoldenFiles(t *testing.T) {
	for name, spec := range goldens() {
		text, err := Render(spec)
		if err != nil {
			t.Fatal(err)
		}

		file := filepath.Join("testdata", name+".xml")
		if *update {
			if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}

		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}

		if diff := cmp.Diff(string(want), text+"\n"); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}

		got, err := Parse(text)
		if diff := cmp.Diff(spec, got, options); err != nil || diff != "" {
			t.Errorf("%s reads otherwise than it was written: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// What libvirt and people write, and we do not: netmasks, natural prefixes, ports of NAT, DHCPv6 by DUID, other modes.
func TestNetworksOfOthersAreRead(t *testing.T) {
	for name, test := range map[string]struct {
		xml  string
		want Spec
	}{
		"as distributions bring it": {
			`<network><name>default</name><uuid>0b8f7c1e-8d3c-4f4e-9d25-6b0f2c1f6a01</uuid><forward mode='nat'><nat><port start='1024' end='65535'/></nat></forward>
			<bridge name='virbr0' stp='on' delay='0'/><mac address='52:54:00:cc:ec:43'/>
			<ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range start='192.168.122.2' end='192.168.122.254'><lease expiry='1' unit='hours'/></range></dhcp></ip></network>`,
			Spec{
				Name: "default", Mode: NAT, Bridge: "virbr0", Addresses: []netip.Prefix{prefix("192.168.122.1/24")},
				DHCP: DHCP{Ranges: []Range{between("192.168.122.2", "192.168.122.254")}},
			},
		},
		"natural prefixes": {
			`<network><name>a</name><forward/><ip address='10.0.0.1'/><ip address='172.16.0.1'/><ip address='192.168.0.1'/><ip family='ipv6' address='fd00::1'/></network>`,
			Spec{Name: "a", Mode: NAT, Addresses: []netip.Prefix{prefix("10.0.0.1/8"), prefix("172.16.0.1/16"), prefix("192.168.0.1/24"), prefix("fd00::1/64")}},
		},
		"guests without a MAC and in upper case": {
			`<network><name>a</name><ip address='10.0.0.1' prefix='24'><dhcp><host name='b' ip='10.0.0.2'/><host mac='52:54:00:AA:00:01' ip='10.0.0.3'/></dhcp></ip>
			<ip family='ipv6' address='fd00::1' prefix='64'><dhcp><host id='0:1:0:1' name='c' ip='fd00::2'/></dhcp></ip></network>`,
			Spec{
				Name: "a", Mode: Isolated, Addresses: []netip.Prefix{prefix("10.0.0.1/24"), prefix("fd00::1/64")},
				DHCP: DHCP{Hosts: map[string]Host{"52:54:00:aa:00:01": host("52:54:00:aa:00:01", "10.0.0.3")}},
			},
		},
		"another mode": {`<network><name>a</name><forward mode='open'/></network>`, Spec{Name: "a", Mode: "open"}},
	} {
		got, err := Parse(test.xml)
		if diff := cmp.Diff(test.want, got, options); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}

	for _, broken := range []string{"", "<network>", "<network><ip address='x'/></network>", "<network><ip address='10.0.0.1'><dhcp><range start='10.0.0.2'/></dhcp></ip></network>"} {
		if spec, err := Parse(broken); err == nil {
			t.Errorf("%q reads as %+v", broken, spec)
		}
	}
}

func TestImpossibleNetworksAreFound(t *testing.T) {
	for name, test := range map[string]struct {
		spec      Spec
		attribute string
		want      string
	}{
		"no bridge":               {Spec{Mode: Bridge}, "bridge", "needs the name of a bridge"},
		"domain on a bridge":      {Spec{Mode: Bridge, Bridge: "br0", Domain: "a"}, "domain", "get no DNS from libvirt"},
		"addresses on a bridge":   {Spec{Mode: Bridge, Bridge: "br0", Addresses: []netip.Prefix{prefix("10.0.0.1/24")}}, "addresses", "gets no addresses from libvirt"},
		"ranges on a bridge":      {Spec{Mode: Bridge, Bridge: "br0", DHCP: DHCP{Ranges: full().DHCP.Ranges}}, "ranges", "get no DHCP from libvirt"},
		"reservation on a bridge": {Spec{Mode: Bridge, Bridge: "br0", DHCP: DHCP{Hosts: full().DHCP.Hosts}}, "hosts", "get no DHCP from libvirt"},
		"a subnet as an address":  {Spec{Mode: NAT, Addresses: []netip.Prefix{prefix("10.0.0.0/24")}}, "addresses", "10.0.0.0/24 is the address of a subnet. Write that of the bridge in it, such as 10.0.0.1/24."},
		"no subnet":               {Spec{Mode: NAT, DHCP: DHCP{Ranges: full().DHCP.Ranges[:1]}}, "ranges", "10.20.0.100 is in no subnet of the network. It has none: add"},
		"another subnet":          {with(func(s *Spec) { s.DHCP.Hosts["web-1"] = host("52:54:00:20:00:11", "10.99.0.1") }), "hosts", "10.99.0.1 is in no subnet of the network. It has 10.20.0.0/24, 10.21.0.0/24, fd00:20::/64: choose"},
		"downwards":               {with(func(s *Spec) { s.DHCP.Ranges[0] = between("10.20.0.9", "10.20.0.8") }), "ranges", "The range from 10.20.0.9 to 10.20.0.8 does not go upwards within 10.20.0.0/24."},
		"out of its subnet":       {with(func(s *Spec) { s.DHCP.Ranges[0] = between("10.20.0.9", "10.21.0.8") }), "ranges", "does not go upwards within 10.20.0.0/24"},
		"two subnets with DHCP":   {with(func(s *Spec) { s.DHCP.Ranges[1] = between("10.21.0.8", "10.21.0.9") }), "ranges", "10.21.0.8 is in 10.21.0.0/24, and 10.20.0.0/24 has DHCP already."},
		"IPv6 by MAC":             {with(func(s *Spec) { s.DHCP.Hosts["web-1"] = host("52:54:00:20:00:11", "fd00:20::5") }), "hosts", "DHCPv6 does not know guests by their MAC"},
		"one MAC twice":           {with(func(s *Spec) { s.DHCP.Hosts["web-1"] = host("52:54:00:20:00:12", "10.20.0.13") }), "hosts", `52:54:00:20:00:12 is in the reservation of "52:54:00:20:00:12" already`},
		"one address twice":       {with(func(s *Spec) { s.DHCP.Hosts["web-1"] = host("52:54:00:20:00:13", "10.20.0.12") }), "hosts", `10.20.0.12 is in the reservation of "52:54:00:20:00:12" already`},
	} {
		found := test.spec.Check()
		if len(found) != 1 || found[0].Attribute != test.attribute || !strings.Contains(found[0].Text, test.want) {
			t.Errorf("%s: %+v, want one of %s with %q", name, found, test.attribute, test.want)
		}
	}

	for name, spec := range goldens() {
		if found := spec.Check(); len(found) > 0 {
			t.Errorf("%s is refused: %+v", name, found)
		}
	}
}

func TestChangesDeleteBeforeTheyAdd(t *testing.T) {
	to := full().DHCP
	to.Ranges = []Range{between("10.20.0.100", "10.20.0.250"), to.Ranges[1]}
	to.Hosts = map[string]Host{"web-1": host("52:54:00:20:00:12", "10.20.0.11"), "web-3": host("52:54:00:20:00:13", "10.20.0.13")}

	got, err := Changes(full(), to)
	want := []Change{
		{Ranges, false, 0, `<range start="10.20.0.100" end="10.20.0.199"></range>`},
		{Hosts, false, 0, `<host mac="52:54:00:20:00:12" ip="10.20.0.12"></host>`},
		{Hosts, false, 0, `<host mac="52:54:00:20:00:11" name="web-1" ip="10.20.0.11"></host>`},
		{Ranges, true, 0, `<range start="10.20.0.100" end="10.20.0.250"></range>`},
		{Hosts, true, 0, `<host mac="52:54:00:20:00:12" name="web-1" ip="10.20.0.11"></host>`},
		{Hosts, true, 0, `<host mac="52:54:00:20:00:13" name="web-3" ip="10.20.0.13"></host>`},
	}

	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}

	none, err := Changes(full(), full().DHCP)
	if err != nil || len(none) > 0 {
		t.Errorf("nothing changed, and there are changes: %+v, %v", none, err)
	}

	ipv6, err := Changes(with(func(s *Spec) { s.DHCP = DHCP{} }), DHCP{Ranges: full().DHCP.Ranges[1:]})
	if err != nil || len(ipv6) != 1 || ipv6[0].Subnet != 2 {
		t.Errorf("the range of IPv6 goes to %+v, %v, want the third subnet", ipv6, err)
	}
}

// TestEveryNetworkReadsAsItWasRendered also takes the order away from what has none.
func TestEveryNetworkReadsAsItWasRendered(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))

	for range 1000 {
		spec := Spec{Name: "n", Mode: []string{NAT, Routed, Isolated}[random.IntN(3)]}

		for i := range random.IntN(4) {
			spec.Addresses = append(spec.Addresses, prefix(fmt.Sprintf("10.%d.0.1/%d", 9-i, 16+random.IntN(9))))
		}

		if len(spec.Addresses) > 0 {
			spec.DHCP.Hosts = map[string]Host{}

			for i := range random.IntN(5) {
				spec.DHCP.Ranges = append(spec.DHCP.Ranges, between(fmt.Sprintf("10.9.0.%d", 200-i), "10.9.0.250"))
				spec.DHCP.Hosts[fmt.Sprintf("h%d", i)] = host(fmt.Sprintf("52:54:00:00:00:%02x", random.IntN(256)), fmt.Sprintf("10.9.0.%d", i+2))
			}
		}

		text, err := Render(spec)
		if err != nil {
			t.Fatal(err)
		}

		shuffled := spec
		shuffled.Addresses = slices.Clone(spec.Addresses)
		slices.Reverse(shuffled.Addresses)

		again, err := Render(shuffled)
		if err != nil || again != text {
			t.Fatalf("one network, two texts: %v\n%s\n%s", err, text, again)
		}

		got, err := Parse(text)
		if err != nil || !got.Same(spec) {
			t.Fatalf("%+v reads as %+v: %v", spec, got, err)
		}

		if changes, err := Changes(got, spec.DHCP); err != nil || len(changes) > 0 {
			t.Fatalf("what was rendered would be changed: %+v, %v\n%s", changes, err, text)
		}
	}
}
