package domainxml

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRunningMachineIsOnTheNetworkThatItWasGiven has what libvirt 9.0 tells of a running machine: on a network of Open vSwitch, on one
// with a bridge of its own, and on a bridge without a network.
func TestRunningMachineIsOnTheNetworkThatItWasGiven(t *testing.T) {
	const text = `<domain type='qemu'><name>web</name><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os><devices>
	<interface type='bridge'><mac address='52:54:00:00:00:01'/><source network='shop' portid='74cea643-8bb2-46fd-a58c-a09ec962d120' bridge='ovs0'/>
		<vlan><tag id='42'/></vlan><virtualport type='openvswitch'><parameters interfaceid='fd8e65c3-86fd-433b-95d2-26969186d6bb'/></virtualport></interface>
	<interface type='network'><mac address='52:54:00:00:00:02'/><source network='lan' portid='569569b6-fe33-40e3-929b-a36f956d8174' bridge='virbr0'/></interface>
	<interface type='bridge'><mac address='52:54:00:00:00:03'/><source bridge='br0'/></interface>
	</devices></domain>`

	got, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}

	want := map[string]Interface{
		"net0": {Network: "shop", MAC: "52:54:00:00:00:01"},
		"net1": {Network: "lan", MAC: "52:54:00:00:00:02"},
		"net2": {Bridge: "br0", MAC: "52:54:00:00:00:03"},
	}
	if diff := cmp.Diff(want, got.Interfaces); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
