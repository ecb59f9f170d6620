//go:build cgo

package libvirt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

func TestHostIsDialledOnFirstUseAndOnceForAll(t *testing.T) {
	bed, _ := alpha(t)
	host := client(bed)

	if host.Name() != "alpha" || !host.Known() || host.conn != nil {
		t.Errorf("a new host is %q, known: %t, connected: %t", host.Name(), host.Known(), host.conn != nil)
	}

	if NewHost("alpha", Config{}).Known() {
		t.Error("a host without a URI is known")
	}

	connections := make([]connection, 8)

	var users sync.WaitGroup
	for i := range connections {
		users.Go(func() {
			var err error
			if connections[i], err = host.connect(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}

	users.Wait()

	for _, conn := range connections {
		if conn != connections[0] {
			t.Fatal("one host has two connections")
		}

		conn.close()
	}

	if _, err := host.Domains(t.Context()); err != nil {
		t.Errorf("after its users have let go of the connection: %v", err)
	}
}

func TestStoppedHostIsUnreachableAndFoundAgainWhenItIsBack(t *testing.T) {
	bed := testbed.Hosts(t, "alpha")[0]
	host := NewHost("alpha", Config{URI: bed.URI(), ConnectTimeout: time.Second})

	eventually(t, func() error { return host.Define(t.Context(), idle(t, 1)) })
	must(t, bed.Stop(t.Context()))

	for what, use := range map[string]func() error{
		"read a machine": func() error { _, err := host.Domain(t.Context(), idleUUID); return err },
		"read a volume":  func() error { _, err := host.Volume(t.Context(), "default", "root"); return err },
		"undefine":       func() error { return host.Undefine(t.Context(), idleUUID) },
		"delete":         func() error { return host.DeleteVolume(t.Context(), "default", "root") },
	} {
		err := use()
		if err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("%s on a stopped host: %v, want another error than ErrNotFound", what, err)
		}
	}

	// The first use may still have met the connection that was just lost.
	_, err := host.Domain(t.Context(), idleUUID)
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), `connect to host "alpha" at `+bed.URI()) {
		t.Errorf("a stopped host: %v, want ErrUnreachable with the host's name and URI", err)
	}

	must(t, bed.Restart(t.Context()))

	eventually(t, func() error {
		_, err := host.Domain(t.Context(), idleUUID)

		return err
	})
}

func TestHostThatNeverAnswersIsGivenUpInTime(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })

	uri := fmt.Sprintf("qemu+tcp://%s/system", listener.Addr()) // the kernel accepts, and nobody speaks
	host := NewHost("mute", Config{URI: uri, ConnectTimeout: 500 * time.Millisecond})

	began := time.Now()

	var users sync.WaitGroup
	for range 10 {
		users.Go(func() {
			want := fmt.Sprintf("connect to host %q at %s: the host cannot be reached: no answer within 500ms. Check that it is up, or raise its connect_timeout", "mute", uri)
			if _, err := host.Active(t.Context(), idleUUID); !errors.Is(err, ErrUnreachable) || err.Error() != want {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}

	users.Wait()

	if took := time.Since(began); took < 500*time.Millisecond || took > 5*time.Second {
		t.Errorf("ten users gave up after %s, want little more than 500ms", took)
	}

	hasty := NewHost("mute", Config{URI: uri, ConnectTimeout: patience})

	limited, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()

	if _, err := hasty.Domains(limited); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnreachable) {
		t.Errorf("a user in a hurry: %v; its own deadline says nothing about the host", err)
	}
}

func TestHostThatCannotBeReachedIsNamed(t *testing.T) {
	uri := "qemu+unix:///system?socket=" + filepath.Join(t.TempDir(), "none")
	host := NewHost("beta", Config{URI: uri, ConnectTimeout: patience})

	_, err := host.Domains(t.Context())
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), fmt.Sprintf("connect to host %q at %s: ", "beta", uri)) {
		t.Errorf("got %v", err)
	}
}

// askHost is set to a host's URI for a process that is to connect to it and to print what comes of it.
const askHost = "HYPERVISOR_TEST_ASK_HOST"

func ask(uri string) {
	_, err := NewHost("alpha", Config{URI: uri, ConnectTimeout: patience}).Domains(context.Background())
	fmt.Fprintln(os.Stdout, errors.Is(err, ErrNoLibrary), errors.Is(err, ErrUnreachable), err)
}

func TestMissingLibraryIsSaid(t *testing.T) {
	program, err := os.Executable()
	must(t, err)

	empty := filepath.Join(t.TempDir(), "empty")
	must(t, os.WriteFile(empty, nil, 0o600))

	// In a mount namespace of its own the process sees nothing in place of the library, wherever that is installed.
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", "sh", "-ec",
		`PATH=$PATH:/usr/sbin:/sbin; for library in $(ldconfig -p | sed -n 's/.* => \(.*\/libvirt\.so\.0\)$/\1/p'); do mount --bind "$1" "$library"; done; exec "$2"`, "sh", empty, program)
	cmd.Env = append(os.Environ(), askHost+"=test:///default")

	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}

	want := fmt.Sprintf("true false connect to host %q: %s", "alpha", ErrNoLibrary)
	if got := strings.TrimSpace(string(out)); got != want {
		t.Errorf("without libvirt's library the host says\n%s\nwant\n%s", got, want)
	}
}
