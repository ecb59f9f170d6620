//go:build cgo

package wire

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"libvirt.org/go/libvirt"
)

const patience = 2 * time.Minute

// asClient is set to a URI for a process that is to define machines there until it is killed.
const asClient = "WIRE_TEST_CLIENT"

func TestMain(m *testing.M) {
	if uri := os.Getenv(asClient); uri != "" {
		conn, err := libvirt.NewConnect(uri)
		for number := 0; err == nil; number++ {
			_, err = conn.DomainDefineXML(definition(number))
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(m.Run())
}

func definition(number int) string {
	return fmt.Sprintf(`<domain type="qemu"><name>m%d</name><memory unit="MiB">32</memory><os><type>hvm</type></os></domain>`, number)
}

func through(t *testing.T, host *testbed.Host, options Options) *Proxy {
	t.Helper()
	proxy, err := Listen(filepath.Join(t.TempDir(), "socket"), host.Socket(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	return proxy
}

func connect(t *testing.T, uri string) *libvirt.Connect {
	t.Helper()
	conn, err := libvirt.NewConnect(uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = conn.Close() })
	return conn
}

// names lists the machines straight from the host.
func names(t *testing.T, host *testbed.Host) []string {
	t.Helper()
	domains, err := connect(t, host.URI()).ListAllDomains(0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range domains {
		name, err := domains[i].GetName()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	return all
}

func TestProxyCountsCallsAndCutsOneOfThem(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	proxy := through(t, host, Options{Counts: func(call Call) bool { return call.Procedure == 11 }}) // DOMAIN_DEFINE_XML

	for number, test := range []struct {
		after bool
		want  bool // whether the daemon has carried the call out
	}{{after: false, want: false}, {after: true, want: true}} {
		first, second := 10*number, 10*number+1
		conn := connect(t, proxy.URI())
		proxy.Arm(Fault{Action: Cut, At: 2, After: test.after})
		if _, err := conn.DomainDefineXML(definition(first)); err != nil {
			t.Fatal(err)
		}
		if fired, _ := proxy.Fired(); fired {
			t.Error("The first call was cut, not the second")
		}
		if _, err := conn.DomainDefineXML(definition(second)); err == nil {
			t.Error("A call on a connection that was cut succeeded")
		}
		if fired, err := proxy.Fired(); !fired || err != nil {
			t.Errorf("The fault fired: %t, %v", fired, err)
		}
		found := false
		for _, name := range names(t, host) {
			found = found || name == fmt.Sprintf("m%d", second)
		}
		if found != test.want {
			t.Errorf("Cut after the call: %t; the host has what the call made: %t, want %t", test.after, found, test.want)
		}
		if calls := len(proxy.Calls()); calls != 2 {
			t.Errorf("%d calls were counted, want 2", calls)
		}
		if _, err := connect(t, proxy.URI()).GetLibVersion(); err != nil {
			t.Errorf("The next connection is not served: %v", err)
		}
	}
}

func TestProxyKillsTheClientAndNeverItself(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	proxy := through(t, host, Options{Counts: func(call Call) bool { return call.Procedure == 11 }})
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}

	proxy.Arm(Fault{Action: Kill, At: 3, After: true})
	client := exec.CommandContext(t.Context(), program)
	client.Env = append(os.Environ(), asClient+"="+proxy.URI())

	var exit *exec.ExitError
	if output, err := client.CombinedOutput(); !errors.As(err, &exit) {
		t.Fatalf("The client ended with %v: %s", err, output)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("The client ended with %v, want it killed", exit)
	}
	if got := names(t, host); len(got) != 3 {
		t.Errorf("The host has the machines %v, want those of three calls", got)
	}

	proxy.Arm(Fault{Action: Kill, At: 1})
	if _, err := connect(t, proxy.URI()).DomainDefineXML(definition(9)); err == nil {
		t.Error("The call was carried out")
	}
	if fired, err := proxy.Fired(); !fired || err == nil || !strings.Contains(err.Error(), "it is this process") {
		t.Errorf("The proxy was to kill the process that it is in, and fired: %t, %v", fired, err)
	}
}

func TestStalledHostAnswersWhenTheStallEnds(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	proxy := through(t, host, Options{})
	conn := connect(t, proxy.URI())
	proxy.Arm(Fault{Action: Stall, At: 1})

	answered := make(chan error, 1)
	go func() {
		_, err := conn.GetLibVersion()
		answered <- err
	}()

	deadline := time.Now().Add(patience)
	for fired := false; !fired; fired, _ = proxy.Fired() {
		if time.Now().After(deadline) {
			t.Fatal("The call never arrived")
		}
	}
	select {
	case err := <-answered:
		t.Fatalf("A stalled host answered: %v", err)
	default:
	}
	proxy.Resume()
	select {
	case err := <-answered:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("The host does not answer after the stall")
	}
}

// TestLatencyIsAddedToEachCallAndNotToTheirSum has calls in parallel, as an apply does.
func TestLatencyIsAddedToEachCallAndNotToTheirSum(t *testing.T) {
	const latency, calls = 50 * time.Millisecond, 40

	host := testbed.Hosts(t, "alpha")[0]
	conn := connect(t, through(t, host, Options{Latency: latency}).URI())
	began := time.Now()
	var calling sync.WaitGroup
	for range calls {
		calling.Go(func() {
			if _, err := conn.GetLibVersion(); err != nil {
				t.Error(err)
			}
		})
	}
	calling.Wait()
	if took := time.Since(began); took < 2*latency || took > calls*latency {
		t.Errorf("%d calls at once took %s, want at least %s, and less than %s", calls, took, 2*latency, calls*latency)
	}
}

func TestPacketThatIsNotLibvirtsIsRefused(t *testing.T) {
	for _, text := range []string{"GET / HTTP/1.1\r\n", "\x00\x00\x00\x04", "\x00\x00\x00\x08abcd"} {
		if _, err := readPacket(strings.NewReader(text)); err == nil {
			t.Errorf("%q was taken for a packet", text)
		}
	}
}
