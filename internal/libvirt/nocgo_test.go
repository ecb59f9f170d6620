//go:build !cgo

package libvirt

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestHostWithoutCgoIsUnsupported(t *testing.T) {
	host := NewHost("alpha", Config{URI: "qemu:///system", ConnectTimeout: time.Minute})

	if host.Name() != "alpha" || !host.Known() {
		t.Errorf("the host is %q, known: %t", host.Name(), host.Known())
	}

	for what, use := range map[string]func() error{
		"read":  func() error { _, err := host.Domains(t.Context()); return err },
		"write": func() error { return host.Define(t.Context(), "<domain/>") },
		"undo":  func() error { return host.Undefine(t.Context(), "id") },
	} {
		err := use()
		if !errors.Is(err, ErrUnsupported) || errors.Is(err, ErrUnreachable) || !strings.HasPrefix(err.Error(), `connect to host "alpha": `) {
			t.Errorf("%s: %v, want ErrUnsupported", what, err)
		}
	}
}
