package libvirt

import (
	"fmt"
	"strings"
)

// confined adds what to do about a disk that the host's AppArmor keeps from a machine: libvirt's helper, which writes the machines'
// profiles on Debian and Ubuntu, does not know disks that are given by their pool (libvirt 9.0).
func confined(err error) error {
	if err == nil || !strings.Contains(err.Error(), "Could not open '") || !strings.Contains(err.Error(), "Permission denied") {
		return err
	}

	return fmt.Errorf("%w. If the host has AppArmor (aa-status), let machines open what is in the pool: add a line such as \"/var/lib/libvirt/images/** rwk,\" to /etc/apparmor.d/local/abstractions/libvirt-qemu there, or \"/dev/dm-[0-9]* rwk,\" for a volume group", err)
}
