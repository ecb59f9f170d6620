package cloudinit

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func shopSeed() Seed {
	return Seed{
		InstanceID: "6f0e2c1a-web-1",
		Hostname:   "web-1",
		MetaData:   map[string]string{"role": "web", "rack": "on"},
		UserData:   "#cloud-config\nruncmd: [\"echo done\"]\n",
		Network: []Interface{
			{
				Name: "lan", MAC: "52:54:00:12:34:56", Addresses: []string{"10.0.0.101/24", "fd00::101/64"},
				Gateway: "10.0.0.1", Gateway6: "fe80::1", Nameservers: []string{"10.0.0.21", "fd00::21"}, MTU: 9000,
			},
			{Name: "storage network", MAC: "52:54:00:AB:CD:EF", DHCP: true},
			{Name: "wan", MAC: "52:54:00:00:00:01", Addresses: []string{"192.0.2.7/32"}, Gateway: "198.51.100.1"},
		},
	}
}

func TestSeedHoldsItsFilesByteByByte(t *testing.T) {
	seed := shopSeed()
	files := readFiles(t, render(t, seed))

	if diff := cmp.Diff(seed.UserData, string(files["user-data"])); diff != "" {
		t.Errorf("user-data (-given +read):\n%s", diff)
	}

	checkGolden(t, "meta-data.yaml", files["meta-data"])
	checkGolden(t, "network-config.yaml", files["network-config"])
}

func TestSeedWithoutNetworkLeavesItToTheGuest(t *testing.T) {
	files := readFiles(t, render(t, Seed{InstanceID: "i-1"}))

	if _, found := files["network-config"]; found {
		t.Error("the seed has a network-config that nobody asked for")
	}

	// NoCloud ignores a volume that lacks either file.
	for _, name := range []string{"meta-data", "user-data"} {
		if _, found := files[name]; !found {
			t.Errorf("the seed has no %s", name)
		}
	}
}

func TestReadyMadeNetworkConfigurationIsPassedOnUnchanged(t *testing.T) {
	config := "# by hand\nnetwork: {version: 2, ethernets: {e: {match: {name: 'e*'}, dhcp4: true}}}\n"
	files := readFiles(t, render(t, Seed{InstanceID: "i-1", NetworkConfig: config}))

	if diff := cmp.Diff(config, string(files["network-config"])); diff != "" {
		t.Errorf("network-config (-given +read):\n%s", diff)
	}
}

func TestSameSeedGivesTheSameBytes(t *testing.T) {
	first := sha256.Sum256(render(t, shopSeed()))

	for range 20 {
		if again := sha256.Sum256(render(t, shopSeed())); again != first {
			t.Fatal("two images of one seed differ")
		}
	}

	other := shopSeed()
	other.UserData += "\n"

	if sha256.Sum256(render(t, other)) == first {
		t.Error("the images of two different seeds are the same")
	}
}

func TestAnyTextSurvivesAsMetaData(t *testing.T) {
	survives := func(key, value string) bool {
		key, value = strings.ToValidUTF8("k"+key, "?"), strings.ToValidUTF8(value, "?")

		document, err := renderMetaData(Seed{InstanceID: value + "i", Hostname: value, MetaData: map[string]string{key: value}})
		if err != nil {
			t.Errorf("render %q: %v", value, err)

			return false
		}

		var got map[string]string
		if err := yaml.Unmarshal(document, &got); err != nil {
			t.Errorf("read back %q: %v", document, err)

			return false
		}

		want := map[string]string{"instance-id": value + "i", key: value}
		if value != "" {
			want["local-hostname"] = value
		}

		return cmp.Equal(want, got)
	}

	for _, value := range []string{
		"", "plain", `"quoted"`, "it's", "two\nlines\n", "\ttab", "a: b", "a #b", "# c", "- d", "ünï-コード-🌍", "yes", "on", "null", "~",
		"1.0", "017", "=", "<<", "2001-01-01", "52:54:00:12:34:56", "%TAG", "&a", "*a", "!!int 3", "{}", "\x00", "\u0085\u2028\ufeff", "\\n", "a\r\nb",
	} {
		if !survives("x", value) {
			t.Errorf("the value %q does not survive", value)
		}

		if !survives(value, "x") {
			t.Errorf("the key %q does not survive", value)
		}
	}

	if err := quick.Check(survives, nil); err != nil {
		t.Error(err)
	}
}

func TestSeedRefusesWhatCannotWork(t *testing.T) {
	nic := func(change func(*Interface)) Seed {
		i := Interface{Name: "lan", MAC: "52:54:00:12:34:56"}
		change(&i)

		return Seed{InstanceID: "i", Network: []Interface{i}}
	}

	for _, test := range []struct {
		name string
		seed Seed
		want string
	}{
		{"no instance id", Seed{}, "the instance id is empty"},
		{"meta data that names the instance", Seed{InstanceID: "i", MetaData: map[string]string{"instance-id": "j"}}, `the key "instance-id" is set by the machine itself`},
		{"meta data that is not text", Seed{InstanceID: "i", MetaData: map[string]string{"k": "\xff"}}, "a text is not valid UTF-8"},
		{"user data above the limit", Seed{InstanceID: "i", UserData: strings.Repeat("x", MaxFileSize+1)}, "user-data has 16777217 bytes, more than the 16 MiB that a seed may hold"},
		{"two kinds of network", Seed{InstanceID: "i", NetworkConfig: "version: 2", Network: []Interface{{}}}, "both interfaces and a ready-made configuration are given"},
		{"broken YAML", Seed{InstanceID: "i", NetworkConfig: "version: ["}, "read the ready-made configuration: yaml: line 1"},
		{"no version", Seed{InstanceID: "i", NetworkConfig: "ethernets: {}"}, `has no "version: 2"`},
		{"a malformed MAC", nic(func(i *Interface) { i.MAC = "52-54-00-12-34-56" }), `interface "lan": "52-54-00-12-34-56" is not a MAC address`},
		{"an address without prefix", nic(func(i *Interface) { i.Addresses = []string{"10.0.0.1"} }), `"10.0.0.1" is not an address with its prefix length`},
		{"an IPv6 gateway in the IPv4 field", nic(func(i *Interface) { i.Gateway = "fe80::1" }), `the gateway "fe80::1" is not an IPv4 address`},
		{"an IPv4 gateway in the IPv6 field", nic(func(i *Interface) { i.Gateway6 = "10.0.0.1" }), `the gateway "10.0.0.1" is not an IPv6 address`},
		{"a name server by name", nic(func(i *Interface) { i.Nameservers = []string{"dns.example"} }), `the name server "dns.example" is not an IP address`},
		{"a tiny MTU", nic(func(i *Interface) { i.MTU = 67 }), "the MTU 67 is not between 68 and 65535"},
		{"a name twice", Seed{InstanceID: "i", Network: []Interface{{Name: "a", MAC: "52:54:00:00:00:01"}, {Name: "a", MAC: "52:54:00:00:00:02"}}}, `two interfaces are called "a"`},
		{"a MAC twice", Seed{InstanceID: "i", Network: []Interface{{Name: "a", MAC: "52:54:00:00:00:0a"}, {Name: "b", MAC: "52:54:00:00:00:0A"}}}, `interfaces "a" and "b" have the same MAC address`},
	} {
		t.Run(test.name, func(t *testing.T) {
			image, err := Render(test.seed)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Render: %v; want an error with %q", err, test.want)
			}

			if image != nil {
				t.Error("Render returned an image beside its error")
			}
		})
	}
}

func render(t *testing.T, seed Seed) []byte {
	t.Helper()

	image, err := Render(seed)
	if err != nil {
		t.Fatal(err)
	}

	return image
}

var update = flag.Bool("update", false, "rewrite the golden files")

// checkGolden compares with a file of testdata.
func checkGolden(t *testing.T, name string, got []byte) {
	t.Helper()

	path := filepath.Join("testdata", name)

	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}

	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	if !bytes.Equal(want, got) {
		t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(string(want), string(got)))
	}
}
