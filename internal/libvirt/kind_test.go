package libvirt

import "testing"

func TestKindOfAHostStandsInItsURI(t *testing.T) {
	for uri, want := range map[string]Kind{
		"qemu:///system": QEMU, "qemu+ssh://root@10.0.0.11/system": QEMU, "test:///default": QEMU, "": QEMU,
		"lxc:///": LXC, "LXC:///system": LXC, "lxc+ssh://root@lxc.example.com/system": LXC, "qemu+ssh://root@lxc/system": QEMU,
		"xen:///system": Xen, "xen+tls://xen.example.com/": Xen,
	} {
		if got := NewHost("alpha", Config{URI: uri}).Kind(); got != want {
			t.Errorf("%q is a host of kind %s, want %s", uri, got, want)
		}
	}
}
