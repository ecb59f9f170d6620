package hypervisor_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// TestMachineWithFirmwareOfItsOwnIsReplacedAndRemovedWhole has a creation fail, and a replacement, of a machine for which libvirt
// keeps a file of its firmware's variables, because of which it refuses to remove a definition unless told otherwise. The MAC address
// outlives the replacement. What fails the creation is a bridge that is none of Linux's, as those of Open vSwitch.
func TestMachineWithFirmwareOfItsOwnIsReplacedAndRemovedWhole(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	code := filepath.Join(host.Folder(), "lib", "code.fd")

	if err := os.WriteFile(code, bytes.Repeat([]byte{0xf4}, 256<<10), 0o600); err != nil { // it halts
		t.Fatal(err)
	}

	xml := `xml = "<os><loader readonly='yes' type='pflash'>/var/lib/libvirt/code.fd</loader><nvram template='/var/lib/libvirt/code.fd'>/var/lib/libvirt/m1.fd</nvram></os>"`
	variables := func(there bool) {
		if _, err := os.Stat(filepath.Join(host.Folder(), "lib/m1.fd")); (err == nil) != there {
			t.Errorf("The firmware's variables are there: %t, want %t (%v)", err == nil, there, err)
		}
	}
	config := func(rest string) string {
		return onHosts(fmt.Sprintf(machine, "m1", testbed.DomainTypeFor(t), "cpu = { count = 1 }\n  allow_change = \"replace\"\n  "+xml+"\n  "+rest), host)
	}
	uuid, mac := "", ""

	run(t,
		resource.TestStep{
			Config:      strings.Replace(config(""), `"br0"`, `"eth0"`, 1),
			ExpectError: flexible(`Unable to create VM "m1" ... Unable to add bridge eth0 port ... If that is a bridge of Open vSwitch, declare a hypervisor_network of the mode "openvswitch" on it`),
		},
		resource.TestStep{
			Config: config(""),
			Check: check(func() {
				variables(true)

				uuid, mac = virsh(t, host, "domuuid", "m1"), macOf(t, host)
			}),
		},
		resource.TestStep{
			Config:           config(`machine = "pc"`),
			ConfigPlanChecks: planned(plancheck.ResourceActionReplace),
			Check: check(func() {
				if now := virsh(t, host, "domuuid", "m1"); now == uuid {
					t.Errorf("The machine %s was not replaced", now)
				}

				if now := macOf(t, host); now != mac {
					t.Errorf("The machine has the MAC address %s after it was replaced, and had %s", now, mac)
				}
			}),
		},
	)

	wantNames(t, host, nil, nil)
	variables(false)
}

// macOf is the address of m1's only interface.
func macOf(t *testing.T, host *testbed.Host) string {
	t.Helper()

	fields := strings.Fields(virsh(t, host, "domiflist", "m1"))

	return fields[len(fields)-1]
}
