package libvirt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/networkxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
)

func TestEveryWriteDropsWhatWasRead(t *testing.T) {
	one := topology.NewCPUSet(1)

	for name, write := range map[string]func(context.Context, *Host) error{
		"define":                         func(ctx context.Context, h *Host) error { return h.Define(ctx, "<domain/>") },
		"start":                          func(ctx context.Context, h *Host) error { return h.Start(ctx, "id") },
		"shutdown":                       func(ctx context.Context, h *Host) error { return h.Shutdown(ctx, "id") },
		"destroy":                        func(ctx context.Context, h *Host) error { return h.Destroy(ctx, "id") },
		"undefine":                       func(ctx context.Context, h *Host) error { return h.Undefine(ctx, "id") },
		"autostart":                      func(ctx context.Context, h *Host) error { return h.SetAutostart(ctx, "id", true) },
		"pin":                            func(ctx context.Context, h *Host) error { return h.PinVCPU(ctx, "id", 0, one, one) },
		"pin emulator":                   func(ctx context.Context, h *Host) error { return h.PinEmulator(ctx, "id", one, one) },
		"metadata":                       func(ctx context.Context, h *Host) error { return h.SetMetadata(ctx, "id", "<a/>", "a", "urn:a") },
		"resize disk":                    func(ctx context.Context, h *Host) error { return h.ResizeDisk(ctx, "id", "/a", 1) },
		"define network":                 func(ctx context.Context, h *Host) error { return h.DefineNetwork(ctx, "<network/>") },
		"start network":                  func(ctx context.Context, h *Host) error { return h.StartNetwork(ctx, "n") },
		"remove network":                 func(ctx context.Context, h *Host) error { return h.RemoveNetwork(ctx, "n") },
		"autostart of a network":         func(ctx context.Context, h *Host) error { return h.SetNetworkAutostart(ctx, "n", true) },
		"change of a network":            func(ctx context.Context, h *Host) error { return h.UpdateNetwork(ctx, "n", networkxml.Change{}, true) },
		"refresh the volumes":            func(ctx context.Context, h *Host) error { return h.RefreshPool(ctx, "p") },
		"define a pool of volumes":       func(ctx context.Context, h *Host) error { return h.DefinePool(ctx, PoolSpec{Name: "p", Type: "dir"}) },
		"build a pool of volumes":        func(ctx context.Context, h *Host) error { return h.BuildPool(ctx, "p") },
		"start a pool of volumes":        func(ctx context.Context, h *Host) error { return h.StartPool(ctx, "p") },
		"remove a pool of volumes":       func(ctx context.Context, h *Host) error { return h.RemovePool(ctx, "p") },
		"autostart of a pool of volumes": func(ctx context.Context, h *Host) error { return h.SetPoolAutostart(ctx, "p", true) },
		"create volume": func(ctx context.Context, h *Host) error {
			return h.CreateVolume(ctx, VolumeSpec{Pool: "p", Name: "v", Format: "raw"})
		},
		"resize volume": func(ctx context.Context, h *Host) error { return h.ResizeVolume(ctx, "p", "v", 1) },
		"delete volume": func(ctx context.Context, h *Host) error { return h.DeleteVolume(ctx, "p", "v") },
		"upload":        func(ctx context.Context, h *Host) error { return h.Upload(ctx, "p", "v", &bytes.Buffer{}, 0) },
	} {
		conn := newCounter(quiet{})
		host := over(conn)
		read := func() map[string]int {
			if _, err := host.Domains(t.Context()); err != nil {
				t.Fatal(err)
			}

			if _, err := host.pools(t.Context()); err != nil {
				t.Fatal(err)
			}

			if _, err := host.volumesOf(t.Context(), "p"); err != nil {
				t.Fatal(err)
			}

			if _, err := host.Networks(t.Context()); err != nil {
				t.Fatal(err)
			}

			return map[string]int{
				"domains": conn.counted("domains"), "pools": conn.counted("pools"), "volumes": conn.counted("volumes"), "networks": conn.counted("networks"),
			}
		}

		for range 3 {
			read()
		}

		if diff := cmp.Diff(map[string]int{"domains": 1, "pools": 1, "volumes": 1, "networks": 1}, read()); diff != "" {
			t.Errorf("calls of four readers before %s (-want +got):\n%s", name, diff)
		}

		if err := write(t.Context(), host); err != nil {
			t.Fatalf("%s: %v", name, err)
		}

		want := map[string]int{"domains": 2, "pools": 1, "volumes": 1, "networks": 1}
		if strings.Contains(name, "volume") || name == "upload" || name == "resize disk" {
			want = map[string]int{"domains": 1, "pools": 2, "volumes": 2, "networks": 1}
		}

		if strings.Contains(name, "network") {
			want = map[string]int{"domains": 1, "pools": 1, "volumes": 1, "networks": 2}
		}

		if diff := cmp.Diff(want, read()); diff != "" {
			t.Errorf("calls after %s (-want +got):\n%s", name, diff)
		}
	}
}

// An apply that makes a hundred machines would otherwise list a hundred after each.
func TestAfterAWriteOneMachineOrVolumeIsAskedForAlone(t *testing.T) {
	conn := newCounter(quiet{})
	host := over(conn)

	if err := errors.Join(host.Define(t.Context(), "<domain/>"), host.DeleteVolume(t.Context(), "p", "v"), host.StartNetwork(t.Context(), "n")); err != nil {
		t.Fatal(err)
	}

	if domain, err := host.Domain(t.Context(), "id"); err != nil || domain.UUID != "id" {
		t.Errorf("Domain: %+v, %v", domain, err)
	}

	if domain, err := host.DomainByName(t.Context(), "web-1"); err != nil || domain.Name != "web-1" {
		t.Errorf("DomainByName: %+v, %v", domain, err)
	}

	if volume, err := host.Volume(t.Context(), "p", "v"); err != nil || volume.Name != "v" || volume.Pool != "p" {
		t.Errorf("Volume: %+v, %v", volume, err)
	}

	if network, err := host.Network(t.Context(), "n"); err != nil || network.Name != "n" {
		t.Errorf("Network: %+v, %v", network, err)
	}

	if pool, err := host.Pool(t.Context(), "p"); err != nil || pool.Active {
		t.Errorf("Pool: %+v, %v", pool, err)
	}

	if lists := conn.counted("domains") + conn.counted("pools") + conn.counted("volumes") + conn.counted("networks"); lists != 0 {
		t.Errorf("five reads made %d lists, want none", lists)
	}
}

func TestReadersAtOneTimeShareOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		conn := newCounter(quiet{})
		conn.domainsFunc = func() ([]Domain, error) {
			<-release

			return []Domain{{Name: "web-1"}}, nil
		}
		host := over(conn)

		var readers sync.WaitGroup
		for range 20 {
			readers.Go(func() {
				if domain, err := host.DomainByName(t.Context(), "web-1"); err != nil || domain.Name != "web-1" {
					t.Errorf("a reader got %+v, %v", domain, err)
				}
			})
		}

		synctest.Wait()
		close(release)
		readers.Wait()

		if calls := conn.counted("domains"); calls != 1 {
			t.Errorf("20 readers made %d calls, want 1", calls)
		}
	})
}

func TestReadThatBeganBeforeAWriteServesNobodyAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := make(chan struct{})
		conn := newCounter(quiet{})
		conn.domainsFunc = func() ([]Domain, error) {
			if conn.counted("domains") > 1 {
				return []Domain{{Name: "new"}}, nil
			}

			<-old

			return []Domain{{Name: "old"}}, nil
		}
		host := over(conn)

		first := func() string {
			domains, err := host.Domains(t.Context())
			if err != nil || len(domains) != 1 {
				return fmt.Sprintf("%v, %v", domains, err)
			}

			return domains[0].Name
		}

		early := make(chan string, 1)
		go func() { early <- first() }()

		synctest.Wait()

		if err := host.Define(t.Context(), "<domain/>"); err != nil {
			t.Fatal(err)
		}

		if got := first(); got != "new" {
			t.Errorf("a reader after the write got %s", got)
		}

		close(old)

		if got := <-early; got != "old" {
			t.Errorf("the reader before the write got %s", got)
		}

		if got := first(); got != "new" {
			t.Errorf("a reader after the late answer got %s", got)
		}
	})
}

func TestFailedReadIsAskedAgain(t *testing.T) {
	conn := newCounter(quiet{})
	conn.domainsFunc = func() ([]Domain, error) {
		if conn.counted("domains") == 1 {
			return nil, errors.New("out of memory")
		}

		return nil, nil
	}
	host := over(conn)

	want := `list the machines on host "alpha": out of memory`
	if _, err := host.Domains(t.Context()); err == nil || err.Error() != want {
		t.Errorf("the first read: %v, want %q", err, want)
	}

	if _, err := host.Domains(t.Context()); err != nil {
		t.Errorf("the second read: %v", err)
	}
}

func TestReaderWhoGivesUpFailsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		conn := newCounter(quiet{})
		conn.domainsFunc = func() ([]Domain, error) {
			<-release

			return []Domain{{Name: "web-1"}}, nil
		}
		host := over(conn)

		hasty, giveUp := context.WithCancel(t.Context())
		hastyErr, patientErr := make(chan error, 1), make(chan error, 1)

		go func() {
			_, err := host.Domains(hasty)
			hastyErr <- err
		}()

		synctest.Wait() // the hasty one has asked

		go func() {
			_, err := host.DomainByName(t.Context(), "web-1")
			patientErr <- err
		}()

		synctest.Wait() // the patient one waits for its answer
		giveUp()

		if err := <-hastyErr; !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up got %v", err)
		}

		synctest.Wait()
		close(release)

		if err := <-patientErr; err != nil {
			t.Errorf("who waited got %v", err)
		}
	})
}

func TestWaiterStopsWhenItsTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		conn := newCounter(quiet{})
		conn.domainsFunc = func() ([]Domain, error) {
			<-release

			return nil, nil
		}
		host := over(conn)

		go func() { _, _ = host.Domains(t.Context()) }()

		synctest.Wait()

		limited, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		want := `list the machines on host "alpha": context deadline exceeded`
		if _, err := host.Domains(limited); err == nil || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}

		close(release)
	})
}

// Libvirt frees a connection with its last reference, also under a call that is on its way.
func TestDeadConnectionIsFreedAfterItsLastUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		conn := newCounter(quiet{})
		conn.domainsFunc = func() ([]Domain, error) {
			<-release

			return nil, errors.New("connection lost")
		}
		host := over(conn)

		hasty, giveUp := context.WithCancel(t.Context())
		done := make(chan struct{})

		go func() {
			defer close(done)

			_, _ = host.Domains(hasty)
		}()

		synctest.Wait()

		conn.mu.Lock()
		conn.dead = true
		conn.mu.Unlock()

		if next, err := host.connected(); next != nil || err != nil {
			t.Errorf("in place of a dead connection there is %v, %v", next, err)
		}

		giveUp() // nobody waits for the call; it is still on its way
		<-done

		if conn.closed {
			t.Error("the connection was freed under a call")
		}

		close(release)
		synctest.Wait()

		if !conn.closed {
			t.Errorf("the connection is still held %d times", conn.holds)
		}
	})
}

func TestCallEndsWithItsConnection(t *testing.T) {
	release := make(chan struct{})
	defer close(release)

	conn := newCounter(quiet{})
	conn.domainsFunc = func() ([]Domain, error) {
		conn.mu.Lock()
		conn.dead = true // as keep-alive finds in another call
		conn.mu.Unlock()

		<-release

		return nil, nil
	}

	limited, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	if _, err := over(conn).Domains(limited); !errors.Is(err, errLost) {
		t.Errorf("got %v, want %v", err, errLost)
	}
}

func TestWhatIsGoneAlreadyIsRemovedWithoutError(t *testing.T) {
	host := over(gone{})

	if err := host.Undefine(t.Context(), "id"); err != nil {
		t.Errorf("undefine a machine that is gone: %v", err)
	}

	if err := host.DeleteVolume(t.Context(), "p", "v"); err != nil {
		t.Errorf("delete a volume that is gone: %v", err)
	}

	if err := host.Start(t.Context(), "id"); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "start the machine") {
		t.Errorf("start a machine that is gone: %v", err)
	}
}
