package libvirt

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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

// blind is a connection to a host of containers that does not see the first ones that it starts, and so never their end. Those
// that it sees end when it is asked for the second time.
type blind struct {
	quiet

	mu                     sync.Mutex
	unseen, started, asked int
}

func (b *blind) runDomain(string) (string, error) { return "task", b.startDomain("task") }

func (b *blind) startDomain(string) error {
	b.mu.Lock()
	defer b.mu.Unlock()

	b.started, b.asked = b.started+1, 0

	return nil
}

func (b *blind) taskRuns(string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()

	b.asked++

	return b.started <= b.unseen || b.asked < 2, nil
}

func (b *blind) knowsInit(string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()

	return b.started > b.unseen, nil
}

// spent is a connection to a host of containers that misses the end of the first ones that it runs: they use no more CPU. Those
// that it does not miss use some more at each look, until they end.
type spent struct {
	blind

	looks int
}

func (s *spent) knowsInit(string) (bool, error) { return true, nil }

func (s *spent) taskRuns(string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.asked++

	return s.started <= s.unseen || s.asked < 3*idleLooks, nil
}

func (s *spent) cpuTime(string) (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.started > s.unseen {
		s.looks++
	}

	return time.Second + time.Duration(s.looks), nil
}

func TestContainerWhoseEndWasMissedIsRunAgain(t *testing.T) {
	for missed, want := range map[int]error{0: nil, 2: nil, 99: errUnseen} {
		synctest.Test(t, func(t *testing.T) {
			conn := &spent{blind: blind{unseen: missed}}
			host := over(newCounter(conn))
			host.config.URI = "lxc:///"

			if err := host.Run(t.Context(), "task", "<domain/>"); !errors.Is(err, want) {
				t.Errorf("With %d whose end is missed: %v, want %v", missed, err, want)
			}

			if runs := min(missed+1, mostRuns); conn.started != runs {
				t.Errorf("With %d whose end is missed: it was started %d times, want %d", missed, conn.started, runs)
			}
		})
	}
}

func TestContainerThatLibvirtLostSightOfIsStartedAgain(t *testing.T) {
	for name, start := range map[string]func(context.Context, *Host) error{
		"run":   func(ctx context.Context, host *Host) error { return host.Run(ctx, "task", "<domain/>") },
		"start": func(ctx context.Context, host *Host) error { return host.Start(ctx, "task") },
	} {
		for unseen, want := range map[int]error{0: nil, 2: nil, 99: errUnseen} {
			synctest.Test(t, func(t *testing.T) {
				conn := &blind{unseen: unseen}
				host := over(newCounter(conn))
				host.config.URI = "lxc:///"

				if err := start(t.Context(), host); !errors.Is(err, want) {
					t.Errorf("%s, with %d that are not seen: %v, want %v", name, unseen, err, want)
				}

				if runs := min(unseen+1, mostRuns); conn.started != runs {
					t.Errorf("%s, with %d that are not seen: it was started %d times, want %d", name, unseen, conn.started, runs)
				}
			})
		}
	}
}
