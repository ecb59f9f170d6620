package libvirt

import (
	"errors"
	"strings"
	"testing"
)

// TestWhatAppArmorKeepsBackSaysWhatToDo has the words of libvirt 9.0 on Debian 12.
func TestWhatAppArmorKeepsBackSaysWhatToDo(t *testing.T) {
	kept := errors.New("internal error: process exited while connecting to monitor: 2026-11-28T20:06:15.392102Z qemu-system-x86_64: -blockdev " +
		`{"driver":"file","filename":"/var/lib/libvirt/images/web.qcow2"}: Could not open '/var/lib/libvirt/images/web.qcow2': Permission denied`)

	if err := explained(kept); !errors.Is(err, kept) || !strings.Contains(err.Error(), "/etc/apparmor.d/local/abstractions/libvirt-qemu") {
		t.Errorf("it says %v", err)
	}

	blind := errors.New("internal error: process exited while connecting to monitor: libnuma: Warning: /sys not mounted or invalid. Assuming one node: Permission denied\n" +
		"2026-11-28T22:49:20.423409Z qemu-system-x86_64: The nodes select no CPUs")

	if err := explained(blind); !errors.Is(err, blind) || !strings.Contains(err.Error(), `add the line "/sys/devices/system/node/** r," to /etc/apparmor.d/local/abstractions/libvirt-qemu`) {
		t.Errorf("it says %v", err)
	}

	for _, other := range []error{nil, errors.New("Could not open '/x': No such file or directory"), errors.New("connect: Permission denied")} {
		if err := explained(other); !errors.Is(err, other) || (err != nil && err.Error() != other.Error()) {
			t.Errorf("%v became %v", other, err)
		}
	}
}
