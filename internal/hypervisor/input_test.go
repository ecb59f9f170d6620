package hypervisor_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// flexible matches a text however Terraform breaks its lines; "..." stands for anything, such as the lines of HCL
// between a summary and its detail.
func flexible(text string) *regexp.Regexp {
	words := strings.Fields(regexp.QuoteMeta(text))
	pattern := strings.Join(words, `[\s│]+`)

	return regexp.MustCompile(strings.ReplaceAll(pattern, `\.\.\.`, `[\s\S]*`))
}

func write(t *testing.T, path, content string) {
	t.Helper()

	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// nowhere is a provider block whose host must not be reached: bad input is refused before.
const nowhere = `
provider "hypervisor" {
  hosts = { alpha = { uri = "qemu+unix:///system?socket=/nonexistent" } }
}
`

const vmHead = `
resource "hypervisor_vm" "test" {
  name   = "m1"
  host   = "alpha"
  memory = "1GiB"
  disks  = { root = { volume = "alpha/default/m1.qcow2" } }
`

// placedOn is a placement that is written by hand.
func placedOn(assignment string) string { return "\n placement = { " + assignment + " }" }

func TestBadInputIsRefusedInThePlan(t *testing.T) {
	folder := t.TempDir()
	image := filepath.Join(folder, "image.raw")
	write(t, image, strings.Repeat("image ", 1000))

	volume := func(rest string) string {
		return nowhere + "resource \"hypervisor_volume\" \"test\" {\n  name = \"v1\"\n" + rest + "\n}\n"
	}
	vm := func(rest string) string { return nowhere + vmHead + rest + "\n}\n" }

	network := func(rest string) string {
		return nowhere + "resource \"hypervisor_network\" \"test\" {\n  name = \"n1\"\n" + rest + "\n}\n"
	}
	pool := func(rest string) string {
		return nowhere + "resource \"hypervisor_pool\" \"test\" {\n  name = \"p1\"\n  host = \"alpha\"\n" + rest + "\n}\n"
	}
	lan := "host = \"alpha\"\n mode = \"nat\"\n addresses = [\"10.0.0.1/24\"]\n"

	for name, test := range map[string]struct{ config, want string }{
		"XML that is cut off": {vm(`cpu = { count = 1 }
 xml = "<devices>"`), `with hypervisor_vm.test, ... xml = "<devices>" ... This is not well-formed XML: ... Write elements as they stand below <domain>`},
		"XML of a disk": {vm(`cpu = { count = 1 }
 xml = "<devices><disk type='file'/></devices>"`), `<disk> is what the provider itself writes. Say it by disks, and leave it out`},
		"XML of a bare prefix": {vm(`cpu = { count = 1 }
 xml = "<qemu:commandline/>"`), `Nothing declares the prefix qemu of <qemu:commandline>. Declare it there`},
		"unknown host of a pool":      {strings.Replace(pool("type = \"dir\"\n path = \"/a\""), "\n  host = \"alpha\"", "\n  host = \"gamma\"", 1), `Unable to plan pool "p1" ... The provider block has no host "gamma"`},
		"folder without a path":       {pool(`type = "dir"`), `A pool of type dir needs path. Add it`},
		"folder with a source":        {pool("type = \"dir\"\n path = \"/a\"\n source = { name = \"vg0\" }"), `A pool of type dir has no source.name. Remove it`},
		"export without its host":     {pool("type = \"netfs\"\n path = \"/a\"\n source = { dir = \"/b\" }"), `A pool of type netfs needs source.host. Add it`},
		"volume group with a path":    {pool("type = \"logical\"\n path = \"/a\"\n source = { name = \"vg0\" }"), `A pool of type logical has no path. Remove it`},
		"path that is relative":       {pool("type = \"dir\"\n path = \"a/\""), `must be an absolute path without a slash at its end`},
		"unknown host of a network":   {network("host = \"gamma\"\n mode = \"nat\""), `Unable to plan network "n1" ... The provider block has no host "gamma"`},
		"mode without its bridge":     {network("host = \"alpha\"\n mode = \"bridge\""), `A network of mode bridge needs the name of a bridge that the host has`},
		"network that is no address":  {network("host = \"alpha\"\n mode = \"nat\"\n addresses = [\"10.0.0.1\"]"), `"10.0.0.1" is not an IP address with the length of its prefix`},
		"address otherwise written":   {network("host = \"alpha\"\n mode = \"nat\"\n addresses = [\"FD00:0::1/64\"]"), `Write "FD00:0::1/64" as "fd00::1/64"`},
		"range out of the network":    {network(lan + `dhcp = { ranges = [{ start = "10.1.0.2", end = "10.1.0.3" }] }`), `10.1.0.2 is in no subnet of the network. It has 10.0.0.0/24`},
		"reservation, out of it":      {network(lan + `dhcp = { hosts = { a = { mac = "52:54:00:00:00:01", address = "10.1.0.2" } } }`), `10.1.0.2 is in no subnet of the network`},
		"MAC in upper case":           {network(lan + `dhcp = { hosts = { a = { mac = "52:54:00:00:00:AA", address = "10.0.0.2" } } }`), `must be the MAC of an interface in lower case`},
		"name that is not a guest's":  {network(lan + `dhcp = { hosts = { "a b" = { mac = "52:54:00:00:00:0a", address = "10.0.0.2" } } }`), `must be a host name`},
		"bridge with too long a name": {network(lan + `bridge = "bridge-of-a-long-name"`), `at most 15 letters`},
		"unknown host of a volume": {
			volume("host = \"gamma\"\n size = \"1GiB\""),
			`Unable to plan volume "v1" ... The provider block has no host "gamma". It has alpha: use one of these names, or add the host there`,
		},
		"unknown host of a machine": {
			nowhere + strings.ReplaceAll(vmHead+"cpu = { count = 1 }\n}\n", "alpha", "gamma"),
			`The provider block has no host "gamma". It has alpha`,
		},
		"overlapping pins": {
			vm(`cpu = { pins = ["1-2", "2-3"] }`),
			`Overlapping pins`,
		},
		"overlapping pins, the cause": {
			vm(`cpu = { pins = ["1-2", "2-3"] }`),
			`vCPUs 0 and 1 share CPU 2. Give them different CPUs, or set exclusive = false`,
		},
		"vCPU where the emulator is": {
			vm(`cpu = { pins = ["1"], emulator = "0-1" }`),
			`vCPU 0 and the emulator share CPU 1`,
		},
		"malformed CPU set": {
			vm(`cpu = { pins = ["1-"] }`),
			`Malformed CPU set ... "1-" is not a CPU set: "" is not a CPU number. Write CPU numbers and ranges separated by commas, such as "0-3,8"`,
		},
		"malformed emulator set": {
			vm(`cpu = { count = 1, emulator = "all" }`),
			`"all" is not a CPU set: "all" is not a CPU number`,
		},
		"too few pins": {
			vm(`cpu = { count = 2, pins = ["1"] }`),
			`The machine has 2 vCPUs and 1 pins. Give one pin for each vCPU`,
		},
		"no vCPUs": {vm(`cpu = {}`), `Say how many vCPUs the machine has`},
		"image file missing": {
			volume("host = \"alpha\"\n source = { file = \"" + folder + "/missing.qcow2\" }"),
			`Read the image: stat ` + folder + `/missing.qcow2: no such file or directory`,
		},
		"image is a folder": {
			volume("host = \"alpha\"\n source = { file = \"" + folder + "\" }"),
			folder + ` is not a file`,
		},
		"wrong hash": {
			volume("host = \"alpha\"\n source = { file = \"" + image + "\" }\n sha256 = \"" + strings.Repeat("0", 64) + "\""),
			`was expected. Get the right image, or correct sha256`,
		},
		"image larger than the size": {
			volume("host = \"alpha\"\n source = { file = \"" + image + "\" }\n size = \"1KiB\""),
			`The image's disk has 6000B, and size is 1KiB. Give it at least as much, or leave size out`,
		},
		"reserved name": {
			strings.Replace(volume("host = \"alpha\"\n size = \"1GiB\""), `"v1"`, `"m1.seed"`, 1),
			`Names that end with ".seed" are for volumes that the provider makes by itself`,
		},
		"no size":        {volume(`host = "alpha"`), `An empty volume needs a size`},
		"malformed size": {volume("host = \"alpha\"\n size = \"20G\""), `"20G" is not a size. Write a whole number and one of the units`},
		"hash without an image": {
			volume("host = \"alpha\"\n size = \"1GiB\"\n sha256 = \"" + strings.Repeat("0", 64) + "\""),
			`sha256 is the hash of the image in source, and there is no source`,
		},
		"image and backing": {
			volume("host = \"alpha\"\n source = { file = \"" + image + "\" }\n backing = \"alpha/default/x\""),
			`Invalid Attribute Combination`,
		},
		"overlay across hosts": {
			volume("host = \"alpha\"\n backing = \"beta/default/x\""),
			`An overlay and the volume below it stand on one host`,
		},
		"disk of another host": {
			strings.Replace(vm(`cpu = { count = 1 }`), "alpha/default", "beta/default", 1),
			`The volume beta/default/m1.qcow2 is on host "beta", and the machine is on host "alpha". Give it a volume of its own host`,
		},
		"disk that is no volume": {
			strings.Replace(vm(`cpu = { count = 1 }`), "alpha/default/m1.qcow2", "m1.qcow2", 1),
			`"m1.qcow2" is not the id of a volume. Write it as "host/pool/name"`,
		},
		"network of no interface": {
			vm("cpu = { count = 1 }\n interfaces = { lan = { bridge = \"br0\" } }\n cloud_init = { network = { wan = { dhcp = true } } }"),
			`The machine has no interface "wan". It has lan: use one of these names, or add it to interfaces`,
		},
		"wait for no interface": {
			vm("cpu = { count = 1 }\n wait_for = { address = \"lan\" }"),
			`The machine has no interface "lan". It has none: add it to interfaces`,
		},
		"interface on nothing": {
			vm("cpu = { count = 1 }\n interfaces = { lan = {} }"),
			`Invalid Attribute Combination`,
		},
		"malformed address": {
			vm("cpu = { count = 1 }\n interfaces = { lan = { bridge = \"br0\" } }\n cloud_init = { network = { lan = { addresses = [\"10.0.0.5\"] } } }"),
			`"10.0.0.5" is not an IP address with its prefix length, such as 10.0.0.101/24`,
		},
		"malformed port": {vm("cpu = { count = 1 }\n wait_for = { tcp = \"10.0.0.5\" }"), `"10.0.0.5" is not an address and a port`},
		"malformed name": {strings.Replace(vm(`cpu = { count = 1 }`), `"m1"`, `"web_1"`, 1), `must be a host name`},
		"place said twice": {
			vm(placedOn(`host = "beta", pins = ["1"]`)),
			`Place said twice ... placement says the machine's host already, and host does too. Give placement, or host and cpu`,
		},
		"CPUs said twice": {
			strings.Replace(vm(`cpu = { count = 1 }`+placedOn(`host = "alpha", pins = ["1"]`)), `host   = "alpha"`, "", 1),
			`placement says the machine's CPUs already, and cpu does too`,
		},
		"no host": {strings.Replace(vm(`cpu = { count = 1 }`), `host   = "alpha"`, "", 1), `Nothing says on which host the machine runs. Give placement, or host and cpu`},
		"no CPUs": {vm(""), `Nothing says how many vCPUs the machine has. Give placement, or host and cpu`},
		"half placed": {
			strings.Replace(vm(placedOn(`host = "alpha"`)), `host   = "alpha"`, "", 1),
			`placement lacks pins. Take it from a hypervisor_placement, or say host and pins`,
		},
		"memory not counted": {
			strings.Replace(vm(placedOn(`host = "alpha", pins = ["1"], memory = "2GiB"`)), `host   = "alpha"`, "", 1),
			`The machine asks for 1GiB, and its placement counted 2GiB for it. Write the same size here and in the placement's machines`,
		},
		"placed on an unknown host": {
			strings.NewReplacer(`host   = "alpha"`, "", "alpha/default", "gamma/default").Replace(vm(placedOn(`host = "gamma", pins = ["1"]`))),
			`The provider block has no host "gamma"`,
		},
		"placed twice on a CPU": {
			strings.Replace(vm(placedOn(`host = "alpha", pins = ["1", "1"]`)), `host   = "alpha"`, "", 1),
			`vCPUs 0 and 1 share CPU 1`,
		},
		"too little memory": {
			strings.Replace(vm(`cpu = { count = 1 }`), "1GiB", "1023KiB", 1),
			`1023KiB is no amount that a machine can have`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, resource.TestStep{Config: test.config, PlanOnly: true, ExpectError: flexible(test.want)})
		})
	}
}

func TestUnreachableHostIsNamedWithWhatToDo(t *testing.T) {
	run(t, resource.TestStep{
		Config: nowhere + `
resource "hypervisor_volume" "test" {
  host = "alpha"
  name = "v1"
  size = "1MiB"
}
`,
		ExpectError: flexible(`Unable to create volume "v1" ... Connect to host "alpha" at qemu+unix:///system?socket=/nonexistent: the host cannot be reached`),
	})
}
