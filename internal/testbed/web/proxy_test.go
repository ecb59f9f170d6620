package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/wire"
	"github.com/google/go-cmp/cmp"
)

// asClient is set to a URL for a process that is to ask for it until it is killed.
const asClient = "WEB_TEST_CLIENT"

func TestMain(m *testing.M) {
	if address := os.Getenv(asClient); address != "" {
		response, err := http.Get(address)
		if err == nil {
			err = response.Body.Close()
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// through returns a proxy before a server that counts what it carries out.
func through(t *testing.T) (proxy *Proxy, carriedOut *atomic.Int64) {
	t.Helper()
	carriedOut = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { carriedOut.Add(1) }))
	t.Cleanup(server.Close)
	proxy, err := Listen(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	return proxy, carriedOut
}

// put sends a request that no client repeats by itself.
func put(t *testing.T, proxy *Proxy, path string) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, proxy.URL()+path, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func TestProxyCountsRequestsAndCutsOneOfThem(t *testing.T) {
	for _, after := range []bool{false, true} {
		proxy, carriedOut := through(t)
		proxy.Arm(wire.Fault{Action: wire.Cut, At: 2, After: after})
		var failed []bool
		for _, path := range []string{"/a", "/b", "/c"} {
			failed = append(failed, put(t, proxy, path) != nil)
		}
		if diff := cmp.Diff([]bool{false, true, false}, failed); diff != "" {
			t.Errorf("cut after %t: failures differ (-want +got):\n%s", after, diff)
		}
		if diff := cmp.Diff([]string{"PUT /a", "PUT /b", "PUT /c"}, proxy.Calls()); diff != "" {
			t.Errorf("cut after %t: counted requests differ (-want +got):\n%s", after, diff)
		}
		want := int64(2)
		if after {
			want = 3
		}
		if got := carriedOut.Load(); got != want {
			t.Errorf("cut after %t: the server carried out %d requests, want %d", after, got, want)
		}
		if fired, err := proxy.Fired(); !fired || err != nil {
			t.Errorf("cut after %t: fired %t, %v", after, fired, err)
		}
	}
}

func TestProxyCallsTheTestBeforeARequest(t *testing.T) {
	proxy, carriedOut := through(t)
	seen := int64(-1)
	proxy.Call(func(calls []string) bool { return len(calls) == 2 }, func() { seen = carriedOut.Load() })
	for range 3 {
		if err := put(t, proxy, "/"); err != nil {
			t.Fatal(err)
		}
	}
	if seen != 1 || carriedOut.Load() != 3 {
		t.Errorf("the call came after %d requests, and %d were carried out; want 1 and 3", seen, carriedOut.Load())
	}
}

func TestProxyKillsTheClientAndNeverItself(t *testing.T) {
	proxy, _ := through(t)
	proxy.Arm(wire.Fault{Action: wire.Kill, At: 1})
	client := exec.CommandContext(t.Context(), os.Args[0])
	client.Env = append(os.Environ(), asClient+"="+proxy.URL())
	output, err := client.CombinedOutput()
	if status, ok := client.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("the client ended otherwise: %v\n%s", err, output)
	}
	if fired, err := proxy.Fired(); !fired || err != nil {
		t.Errorf("fired %t, %v", fired, err)
	}

	proxy.Arm(wire.Fault{Action: wire.Kill, At: 1})
	if err := put(t, proxy, "/"); err == nil {
		t.Error("the connection of this process was not cut")
	}
	if _, err := proxy.Fired(); err == nil || !strings.Contains(err.Error(), "it is this process") {
		t.Errorf("killing this process: %v", err)
	}
}
