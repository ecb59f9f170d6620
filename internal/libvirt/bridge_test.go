package libvirt

import (
	"fmt"
	"strings"
	"testing"
)

// unbridged is a connection to a host that cannot attach machines to their bridge.
type unbridged struct{ quiet }

func (unbridged) startDomain(string) error {
	return fmt.Errorf("%s ovsbr0 port vnet0: Operation not supported", notALinuxBridge)
}

func TestMachineOnABridgeThatIsNotLinuxsIsToldToTakeANetwork(t *testing.T) {
	err := over(newCounter(unbridged{})).Start(t.Context(), "u")
	if err == nil || !strings.HasSuffix(err.Error(), `ovsbr0 port vnet0: Operation not supported. If that is a bridge of Open vSwitch, declare a hypervisor_network of the mode "openvswitch" on it, and give the interface this network`) {
		t.Errorf("the machine did not start: %v", err)
	}
}
