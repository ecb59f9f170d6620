package hypervisor_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

const network = `
resource "hypervisor_network" "lan" {
  host      = "alpha"
  name      = "lan"
  mode      = %q
  domain    = "lan.test"
  addresses = ["10.91.0.1/24", "fd00:91::1/64"]
  %s
}
`

const networkAddress = "hypervisor_network.lan"

func TestNetworkLivesThroughAllItsChanges(t *testing.T) {
	t.Parallel()

	for _, mode := range []string{"nat", "routed", "isolated"} {
		t.Run(mode, func(t *testing.T) {
			host := testbed.Hosts(t, "alpha")[0]
			config := func(rest string) string { return onHosts(fmt.Sprintf(network, mode, rest), host) }
			imported := resource.TestStep{ResourceName: networkAddress, ImportState: true, ImportStateId: "alpha/lan", ImportStateVerify: true}
			bridge := ""

			steps := []resource.TestStep{
				{
					Config: config(`dhcp = {
						ranges = [{ start = "10.91.0.100", end = "10.91.0.150" }]
						hosts  = { web-1 = { mac = "52:54:00:00:91:01", address = "10.91.0.11" }, web-2 = { mac = "52:54:00:00:91:02", address = "10.91.0.12" } }
					}`),
					Check: resource.ComposeTestCheckFunc(
						resource.TestCheckResourceAttr(networkAddress, "id", "alpha/lan"),
						resource.TestCheckResourceAttr(networkAddress, "bridge", "virbr0"),
						resource.TestCheckResourceAttr(networkAddress, "running", "true"),
						check(func() {
							bridge = bridgeIndex(t, host)
							wantDefinitions(t, host, `<domain name='lan.test'/>`, `<host mac='52:54:00:00:91:01' name='web-1' ip='10.91.0.11'/>`)
							wantFile(t, host, "lib/dnsmasq/lan.conf", "10.91.0.100,10.91.0.150")

							if info := virsh(t, host, "net-info", "lan"); strings.Count(info, "yes") != 3 {
								t.Errorf("The network is not active, persistent and started with its host:\n%s", info)
							}
						}),
					),
				},
				imported,
				{ // the addresses of both guests change places, one range moves, and IPv6 joins
					Config: config(`autostart = false
					dhcp = {
						ranges = [{ start = "fd00:91::100", end = "fd00:91::1ff" }, { start = "10.91.0.100", end = "10.91.0.200" }]
						hosts  = {
							web-1 = { mac = "52:54:00:00:91:01", address = "10.91.0.12" }
							web-2 = { mac = "52:54:00:00:91:02", address = "10.91.0.11" }
							"52:54:00:00:91:03" = { mac = "52:54:00:00:91:03", address = "10.91.0.13" }
						}
					}`),
					ConfigPlanChecks: networkPlan(plancheck.ResourceActionUpdate),
					Check: check(func() {
						wantDefinitions(t, host, `<host mac='52:54:00:00:91:01' name='web-1' ip='10.91.0.12'/>`, `<host mac='52:54:00:00:91:02' name='web-2' ip='10.91.0.11'/>`,
							`<host mac='52:54:00:00:91:03' ip='10.91.0.13'/>`, `<range start='10.91.0.100' end='10.91.0.200'/>`, `<range start='fd00:91::100' end='fd00:91::1ff'/>`)
						wantFile(t, host, "lib/dnsmasq/lan.hostsfile", "52:54:00:00:91:01,10.91.0.12,web-1")

						if now := bridgeIndex(t, host); now != bridge {
							t.Errorf("The bridge was made anew: its number was %s and is %s.", bridge, now)
						}
					}),
				},
				imported,
				{ // off: it is started, and keeps what it was told
					PreConfig:        func() { virsh(t, host, "net-destroy", "lan") },
					Config:           config(``),
					ConfigPlanChecks: networkPlan(plancheck.ResourceActionUpdate),
					Check: check(func() {
						if xml := virsh(t, host, "net-dumpxml", "lan"); strings.Contains(xml, "dhcp") {
							t.Errorf("DHCP is still there:\n%s", xml)
						}
					}),
				},
				imported,
				{ // gone: it is made anew
					PreConfig: func() { virsh(t, host, "net-destroy", "lan"); virsh(t, host, "net-undefine", "lan") },
					Config:    config(``),
					Check:     resource.TestCheckResourceAttr(networkAddress, "running", "true"),
				},
				{ // what cannot change while it runs
					Config:           strings.Replace(config(``), "10.91.0.1/24", "10.92.0.1/24", 1),
					ConfigPlanChecks: networkPlan(plancheck.ResourceActionReplace),
				},
			}

			if mode != "nat" { // they differ by what is stored, not by what is done
				steps = steps[:4]
			}

			run(t, steps...)
			wantNoNetworks(t, host)
		})
	}
}

func TestNetworkOnABridgeOfTheHostLeavesTheBridge(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := func(rest string) string {
		return onHosts("resource \"hypervisor_network\" \"lan\" {\n  host = \"alpha\"\n  name = \"lan\"\n"+rest+"\n}\n", host)
	}

	run(t,
		resource.TestStep{Config: config("mode = \"bridge\"\n bridge = \"br0\""), Check: check(func() { wantDefinitions(t, host, `<forward mode='bridge'/>`, `<bridge name='br0'/>`) })},
		resource.TestStep{ResourceName: networkAddress, ImportState: true, ImportStateId: "alpha/lan", ImportStateVerify: true},
		resource.TestStep{
			Config:      config("mode = \"bridge\"\n bridge = \"br0\"\n vlans = [42]"),
			ExpectError: flexible(`Libvirt tags frames on bridges of Open vSwitch only`),
		},
		resource.TestStep{Config: config("mode = \"openvswitch\"\n bridge = \"br0\"\n vlans = [20, 10]"), Check: check(func() {
			wantDefinitions(t, host, `<virtualport type='openvswitch'`, `<vlan trunk='yes'>`, `<tag id='10'/>`)
		})},
		resource.TestStep{ResourceName: networkAddress, ImportState: true, ImportStateId: "alpha/lan", ImportStateVerify: true},
		resource.TestStep{ // the next network does not take the host's bridge for its own
			Config:           config(`mode = "isolated"`),
			ConfigPlanChecks: networkPlan(plancheck.ResourceActionReplace),
			Check:            resource.TestCheckResourceAttr(networkAddress, "bridge", "virbr0"),
		},
	)

	wantNoNetworks(t, host)
}

// TestGoldenNetworksFollowLibvirtsSchema has libvirt check them against its schema, and not only understand them.
func TestGoldenNetworksFollowLibvirtsSchema(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]

	files, err := filepath.Glob("../networkxml/testdata/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("There are no golden networks: %v", err)
	}

	for _, file := range files {
		virsh(t, host, "net-define", "--validate", file)
		virsh(t, host, "net-undefine", strings.Fields(virsh(t, host, "net-list", "--all", "--name"))[0])
	}
}

// TestChangeOfOneDefinitionIsSeenAndRepaired changes the network that runs, and then the one that is stored.
func TestChangeOfOneDefinitionIsSeenAndRepaired(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := onHosts(fmt.Sprintf(network, "nat", `dhcp = { hosts = { web-1 = { mac = "52:54:00:00:91:01", address = "10.91.0.11" } } }`), host)
	steps := []resource.TestStep{{Config: config}}

	for _, which := range []string{"--live", "--config"} {
		steps = append(steps, resource.TestStep{
			PreConfig: func() {
				virsh(t, host, "net-update", "lan", "delete", "ip-dhcp-host", "<host mac='52:54:00:00:91:01'/>", which)
				virsh(t, host, "net-update", "lan", "add", "ip-dhcp-host", "<host mac='52:54:00:00:91:09' ip='10.91.0.19'/>", which, "--parent-index", "0")
			},
			Config:           config,
			ConfigPlanChecks: networkPlan(plancheck.ResourceActionUpdate),
			Check: check(func() {
				wantDefinitions(t, host, `<host mac='52:54:00:00:91:01' name='web-1' ip='10.91.0.11'/>`)

				if xml := virsh(t, host, "net-dumpxml", "lan") + virsh(t, host, "net-dumpxml", "--inactive", "lan"); strings.Contains(xml, "91:09") {
					t.Errorf("A reservation that nobody declared is still there:\n%s", xml)
				}
			}),
		})
	}

	run(t, steps...)
}

func TestNetworkWithAMachineOnItIsNotDeleted(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := onHosts(fmt.Sprintf(network, "nat", ""), host)

	theirs := func(source string) string {
		file := filepath.Join(t.TempDir(), "theirs.xml")
		write(t, file, fmt.Sprintf("<domain type='%s'><name>theirs</name><memory>65536</memory><os><type>hvm</type></os><devices><interface %s</interface></devices></domain>",
			testbed.DomainTypeFor(t), source))

		return file
	}

	steps := []resource.TestStep{{Config: config}}

	for _, source := range []string{"type='network'><source network='lan'/>", "type='bridge'><source bridge='virbr0'/>"} {
		steps = append(steps,
			resource.TestStep{
				PreConfig:   func() { virsh(t, host, "define", theirs(source)) },
				Config:      onHosts("", host),
				ExpectError: flexible(`Unable to delete network "lan" ... Machine "theirs" of host "alpha" is attached to it and would lose its network. Remove the machine or its interface first`),
			},
			resource.TestStep{PreConfig: func() { virsh(t, host, "undefine", "theirs") }, Config: config},
		)
	}

	run(t, steps...)
	wantNoNetworks(t, host)
}

// TestNetworkThatAKilledRunLeftIsTakenOver leaves what is left by a run that was killed between its calls to libvirt.
func TestNetworkThatAKilledRunLeftIsTakenOver(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	define := func(name, address string) {
		file := filepath.Join(t.TempDir(), "network.xml")
		write(t, file, "<network><name>"+name+"</name><domain name='lan.test'/><ip address='"+address+
			"' prefix='24'/><ip family='ipv6' address='fd00:91::1' prefix='64'/></network>")
		virsh(t, host, "net-define", file)
	}
	config := onHosts(fmt.Sprintf(network, "isolated", ""), host)

	define("lan", "10.94.0.1")
	run(t,
		resource.TestStep{Config: config, ExpectError: flexible(`Unable to create network "lan" ... Host "alpha" has a network of this name already, and it is another one. Import it`)},
		resource.TestStep{
			PreConfig: func() { virsh(t, host, "net-undefine", "lan"); define("lan", "10.91.0.1") },
			Config:    config,
			Check:     resource.TestCheckResourceAttr(networkAddress, "running", "true"),
		},
	)

	wantNoNetworks(t, host)
}

// TestNetworkThatCannotStartIsReplacedByTheNextOne gives it an address that the host has on another link.
func TestNetworkThatCannotStartIsReplacedByTheNextOne(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := onHosts(fmt.Sprintf(network, "nat", ""), host)

	run(t,
		resource.TestStep{
			Config:      strings.Replace(config, "10.91.0.1/24", host.Address()+"/24", 1),
			ExpectError: flexible(`Unable to create network "lan" ... Network is already in use by interface br0`),
		},
		resource.TestStep{Config: config, Check: resource.TestCheckResourceAttr(networkAddress, "running", "true")},
	)

	wantNoNetworks(t, host)
}

func networkPlan(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(networkAddress, action)}}
}

// wantDefinitions looks for the texts in the network that runs and in the stored one.
func wantDefinitions(t *testing.T, host *testbed.Host, texts ...string) {
	t.Helper()

	for which, definition := range map[string]string{
		"running": virsh(t, host, "net-dumpxml", "lan"), "stored": virsh(t, host, "net-dumpxml", "--inactive", "lan"),
	} {
		for _, text := range texts {
			if !strings.Contains(definition, text) {
				t.Errorf("The %s network does not have %s:\n%s", which, text, definition)
			}
		}
	}
}

// wantFile looks for a text in what libvirt tells its DHCP server.
func wantFile(t *testing.T, host *testbed.Host, name, want string) {
	t.Helper()

	if content := read(t, filepath.Join(host.Folder(), name)); !strings.Contains(content, want) {
		t.Errorf("%s does not have %q:\n%s", name, want, content)
	}
}

// bridgeIndex is the kernel's number of the network's bridge, which another bridge of the name would not have.
func bridgeIndex(t *testing.T, host *testbed.Host) string {
	t.Helper()

	libvirtd := strings.TrimSpace(read(t, filepath.Join(host.Folder(), "run/libvirtd.pid")))

	output, err := exec.CommandContext(t.Context(), "nsenter", "--net", "--target", libvirtd, "ip", "-oneline", "link", "show", "virbr0").CombinedOutput()
	if err != nil {
		t.Fatalf("Unable to look at the network's bridge: %v\n%s", err, output)
	}

	number, _, _ := strings.Cut(string(output), ":")

	return number
}

func read(t *testing.T, path string) string {
	t.Helper()

	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	return string(content)
}

func wantNoNetworks(t *testing.T, host *testbed.Host) {
	t.Helper()

	if left := virsh(t, host, "net-list", "--all", "--name"); left != "" {
		t.Errorf("These networks are left: %s", left)
	}
}
