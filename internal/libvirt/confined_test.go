package libvirt

import (
	"errors"
	"strings"
	"testing"
)

// TestDiskThatAppArmorKeepsBackSaysWhatToDo has the words of libvirt 9.0 on Debian 12.
func TestDiskThatAppArmorKeepsBackSaysWhatToDo(t *testing.T) {
	kept := errors.New("internal error: process exited while connecting to monitor: 2026-11-28T20:06:15.392102Z qemu-system-x86_64: -blockdev " +
		`{"driver":"file","filename":"/var/lib/libvirt/images/web.qcow2"}: Could not open '/var/lib/libvirt/images/web.qcow2': Permission denied`)

	if err := explained(kept); !errors.Is(err, kept) || !strings.Contains(err.Error(), "/etc/apparmor.d/local/abstractions/libvirt-qemu") {
		t.Errorf("it says %v", err)
	}

	for _, other := range []error{nil, errors.New("Could not open '/x': No such file or directory"), errors.New("connect: Permission denied")} {
		if err := explained(other); !errors.Is(err, other) || (err != nil && err.Error() != other.Error()) {
			t.Errorf("%v became %v", other, err)
		}
	}
}
