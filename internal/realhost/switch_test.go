//go:build realhost

package realhost_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// switched is a network on the bridge of Open vSwitch.
func switched(name, vlans string) string {
	return fmt.Sprintf(`
resource "hypervisor_network" %[1]q {
  host   = "server"
  name   = %[1]q
  mode   = "openvswitch"
  bridge = "ovs0"
  %[2]s
}
`, name, vlans)
}

// TestMachinesAreOnVLANsOfOpenVSwitch asks the switch for the tags of a machine's ports.
func TestMachinesAreOnVLANsOfOpenVSwitch(t *testing.T) {
	on(t, "ovs-vsctl add-br ovs0")
	undo(t, "ovs-vsctl del-br ovs0")

	networks := switched("shop", "vlans = [42]") + switched("trunk", "vlans = [10, 20]") + switched("plain", "")
	machine := func(interfaces string) string {
		return idle("web", small+"  interfaces = {"+interfaces+"}")
	}
	three := `
    a = { network = hypervisor_network.shop.name }
    b = { network = hypervisor_network.trunk.name }
    c = { network = hypervisor_network.plain.name }
  `
	port := func(at int, column, text string) {
		t.Helper()
		want(t, fmt.Sprintf("ovs-vsctl get port $(virsh domiflist web | awk '/virtio/ { print $1 }' | sed -n %dp) %s", at, column), text)
	}

	apply(t,
		resource.TestStep{
			Config: networks + machine(three),
			Check: check(func() {
				port(1, "tag", "42")
				port(1, "trunks", "[]")
				port(2, "tag", "[]")
				port(2, "trunks", "[10, 20]")
				port(3, "tag trunks", "[] []")
				want(t, "ovs-vsctl list-ports ovs0 | wc -l", "3")
			}),
		},
		imported("hypervisor_network.shop", "server/shop"),
		imported("hypervisor_network.trunk", "server/trunk"),
		imported("hypervisor_network.plain", "server/plain"),
		imported("hypervisor_vm.web", "server/web"),
		resource.TestStep{ // under a machine it stays as it is
			Config:      switched("shop", "vlans = [43]") + switched("trunk", "vlans = [10, 20]") + switched("plain", "") + machine(three),
			ExpectError: flexible(`Unable to delete network "shop" ... Machine "web"`),
		},
		resource.TestStep{ // a machine that stops takes its ports along; there is no system in it that would let go of a single one
			Config:           networks + idle("web", small+"  running = false\n  interfaces = { a = { network = hypervisor_network.shop.name } }"),
			ConfigPlanChecks: planned("hypervisor_vm.web", plancheck.ResourceActionUpdate),
			Check:            check(func() { want(t, "ovs-vsctl list-ports ovs0 | wc -l", "0") }),
		},
		resource.TestStep{
			Config: networks + machine("a = { network = hypervisor_network.shop.name }"),
			Check:  check(func() { want(t, "ovs-vsctl list-ports ovs0 | wc -l", "1"); port(1, "tag", "42") }),
		},
		resource.TestStep{ // two more while it runs
			Config: networks + machine(three),
			Check:  check(func() { want(t, "ovs-vsctl list-ports ovs0 | wc -l", "3"); port(2, "trunks", "[10, 20]") }),
		},
		resource.TestStep{Config: networks, Check: check(func() { want(t, "ovs-vsctl list-ports ovs0 | wc -l", "0") })},
		resource.TestStep{ // with nobody on it it is made anew
			Config:           switched("shop", "vlans = [43]"),
			ConfigPlanChecks: planned("hypervisor_network.shop", plancheck.ResourceActionReplace),
		},
		resource.TestStep{
			Config: switched("shop", "vlans = [43]") + machine("a = { network = hypervisor_network.shop.name }"),
			Check:  check(func() { port(1, "tag", "43") }),
		},
	)

	want(t, "virsh net-list --all --name | grep -v default; ovs-vsctl list-ports ovs0; ovs-vsctl list-br", "ovs0")
}
