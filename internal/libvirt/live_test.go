//go:build cgo

package libvirt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

const (
	idleUUID = "0b8f7c1e-8d3c-4f4e-9d25-6b0f2c1f6a01"
	// patience is more than any single call to a host of the test bed takes, on a busy machine.
	patience = 30 * time.Second
)

// client makes a host's client.
func client(bed *testbed.Host) *Host {
	return NewHost(bed.Name(), Config{URI: bed.URI(), ConnectTimeout: patience})
}

// sharedHost is the host of all tests that leave it as they found it.
var sharedHost = sync.OnceValues(func() (*testbed.Host, error) {
	bed, err := testbed.Open(context.Background(), testbed.Options{})
	if err != nil {
		return nil, err
	}

	sharedBed = bed

	return bed.StartHost(context.Background(), testbed.HostOptions{Name: "alpha"})
})

var sharedBed *testbed.Bed // nil until a test wants it

func TestMain(m *testing.M) {
	if uri := os.Getenv(askHost); uri != "" {
		ask(uri)

		return
	}

	code := m.Run()

	if sharedBed != nil {
		if err := sharedBed.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "Unable to close the test bed:", err)

			code = 1
		}
	}

	os.Exit(code)
}

// alpha is a client of the shared host. The machine and the volumes that the test makes are removed after it.
func alpha(t *testing.T) (*testbed.Host, *Host) {
	t.Helper()

	bed, err := sharedHost()
	must(t, err)

	host := client(bed)

	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()

		if err := host.Destroy(ctx, idleUUID); err != nil && !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}

		if err := host.Undefine(ctx, idleUUID); err != nil {
			t.Error(err)
		}

		volumes, err := host.Volumes(ctx)
		if err != nil {
			t.Error(err)
		}

		for _, volume := range volumes {
			if err := host.DeleteVolume(ctx, volume.Pool, volume.Name); err != nil {
				t.Error(err)
			}
		}
	})

	return bed, host
}

// counting puts a counter between the client and its connection.
func counting(t *testing.T, host *Host) *counter {
	t.Helper()

	conn, err := host.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	counts := newCounter(conn)
	host.conn = counts

	return counts
}

// idle is a machine without a disk: its QEMU runs, and nothing in it does.
func idle(t *testing.T, vcpus int) string {
	t.Helper()

	return fmt.Sprintf(`<domain type='%s'>
  <name>idle</name><uuid>%s</uuid>
  <metadata><other xmlns='urn:other'>kept</other></metadata>
  <memory unit='MiB'>32</memory><vcpu>%d</vcpu>
  <os><type arch='x86_64'>hvm</type></os>
</domain>`, testbed.DomainTypeFor(t), idleUUID, vcpus)
}

// defined defines the idle machine, and starts it.
func started(t *testing.T, host *Host, vcpus int) {
	t.Helper()

	must(t, host.Define(t.Context(), idle(t, vcpus)))
	must(t, host.Start(t.Context(), idleUUID))
}

func machine(t *testing.T, host *Host) Domain {
	t.Helper()

	domain, err := host.Domain(t.Context(), idleUUID)
	must(t, err)

	return domain
}

func must(t *testing.T, err error) {
	t.Helper()

	if err != nil {
		t.Fatal(err)
	}
}

// eventually polls until the probe says no more what is missing.
func eventually(t *testing.T, probe func() error) {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()

	for {
		err := probe()
		if err == nil {
			return
		}

		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("after %s still: %v", patience, err)
		}
	}
}

// virsh does something behind the client's back.
func virsh(t *testing.T, bed *testbed.Host, command ...string) {
	t.Helper()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience) // it cleans up, too
	defer cancel()

	out, err := exec.CommandContext(ctx, "virsh", append([]string{"--quiet", "--connect", bed.URI()}, command...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("virsh %s: %v: %s", strings.Join(command, " "), err, out)
	}
}
