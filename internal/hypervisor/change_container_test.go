package hypervisor_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

const (
	ofContainer = "of a container"
	staying     = "of a container, or on Xen"
)

// containerEdits has one for each rule that a container shows. FOLDER is its root file system, and OTHER another one.
func containerEdits() map[string]edit {
	bridged, inside := `{ lan = { bridge = "br0" } }`, `{ lan = { network = "inside" } }`
	address := func(last int) attributes {
		return attributes{"interfaces": bridged, "cloud_init": fmt.Sprintf(`{ network = { lan = { addresses = ["10.9.8.%d/24"] } } }`, last)}
	}
	archive := func(name string) attributes {
		return attributes{"container": fmt.Sprintf("{ archive = hypervisor_volume.%s.id }", name)}
	}

	return map[string]edit{
		"memory " + ofContainer:               {nil, attributes{"memory": `"96MiB"`}},
		"cpu.count " + ofContainer:            {nil, attributes{"cpu": `{ count = 2 }`}},
		"cpu.emulator " + ofContainer:         {nil, attributes{"cpu": `{ count = 1, emulator = "1" }`}},
		"interfaces " + ofContainer:           {nil, attributes{"interfaces": bridged}},
		"interfaces.*.bridge " + ofContainer:  {attributes{"interfaces": bridged}, attributes{"interfaces": inside}},
		"interfaces.*.network " + ofContainer: {attributes{"interfaces": inside}, attributes{"interfaces": bridged}},
		"interfaces.*.mac " + ofContainer:     {attributes{"interfaces": bridged}, attributes{"interfaces": `{ lan = { bridge = "br0", mac = "52:54:00:12:34:56" } }`}},
		"cloud_init.network " + ofContainer:   {address(7), address(8)},
		"cloud_init " + ofContainer:           {attributes{"interfaces": bridged}, address(9)},
		"container.directory " + anyChange:    {nil, attributes{"container": `{ directory = "OTHER" }`}},
		"container.archive " + anyChange:      {archive("a"), archive("b")},
		"container.init " + anyChange:         {nil, attributes{"container": `{ directory = "FOLDER", init = ["/bin/sh", "-c", "exec /sbin/init"] }`}},
		"container " + anyChange: {nil, attributes{
			"host": `"machines"`, "container": "", "domain_type": `"qemu"`, "machine": `"pc"`, "disks": `{ root = { volume = hypervisor_volume.disk.id } }`,
		}},
		"host " + staying: {nil, attributes{"host": `"again"`}},
	}
}

func TestEachRuleOfContainersIsTrue(t *testing.T) {
	host := containerHost(t)
	all := containerEdits()
	shown := rulesOf(t, all)

	root := func(name string) string { return filepath.Join(host.Bed().Folder(), "roots", name) } // the same folder on the host

	for number := range 2 * len(shown) {
		folder := root(fmt.Sprint(number))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}

		if output, err := exec.CommandContext(t.Context(), "tar", "--extract", "--file", testbed.ArchiveFor(t), "--directory", folder).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}

	network := filepath.Join(t.TempDir(), "network.xml")
	write(t, network, "<network><name>inside</name><bridge name='virbr9'/></network>")
	virsh(t, host, "net-create", network)

	config := func(after bool) string {
		// One daemon serves them all: as a host of containers, as the same once more, and as one of machines.
		text := fmt.Sprintf("provider \"hypervisor\" {\n  hosts = { alpha = { uri = %[1]q }, again = { uri = %[1]q }, machines = { uri = %[2]q } }\n}\n", host.ContainerURI(), host.URI())
		text += "resource \"hypervisor_volume\" \"disk\" {\n  host = \"machines\"\n  name = \"disk.qcow2\"\n  size = \"1MiB\"\n}\n"

		for _, name := range []string{"a", "b"} {
			text += fmt.Sprintf("resource \"hypervisor_volume\" %[1]q {\n  host = \"alpha\"\n  name = \"%[1]s.tar.gz\"\n  source = { file = %[2]q }\n}\n", name, testbed.ArchiveFor(t))
		}

		for i, rule := range shown {
			box := attributes{
				"name": fmt.Sprintf("\"m%d\"", i), "host": `"alpha"`, "memory": `"64MiB"`, "cpu": `{ count = 1 }`, "shutdown_timeout": `"0s"`,
				"allow_change": `"replace"`, "container": `{ directory = "FOLDER" }`,
			}
			text += strings.NewReplacer("FOLDER", root(fmt.Sprint(i)), "OTHER", root(fmt.Sprint(len(shown)+i))).
				Replace(all[rule.Attribute+" "+rule.When.String()].machine(box, i, after))
		}

		return text
	}

	wantClasses(t, shown, func(name string) standing {
		if slices.Contains(strings.Fields(virsh(t, host, "list", "--name")), name) {
			return standing{uuid: virsh(t, host, "domuuid", name), pid: process(t, host, name)}
		}

		return standing{uuid: lxc(t, host, "domuuid", name), pid: initPID(t, host, name)}
	}, config)
}
