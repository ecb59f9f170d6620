package modules_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/load"
	"golang.org/x/sys/unix"
)

// startLoad lets clients on a machine ask the shop at an address until the load ends, which it does at the latest with the test. Each
// makes a connection of its own.
func startLoad(t *testing.T, from *machine, address string) *load.Clients {
	t.Helper()

	clients := load.Start(context.WithoutCancel(t.Context()), load.Shop{
		URL: "http://" + address, Page: "/page", Order: "/order",
		Client: &http.Client{Timeout: visitorLimit + time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: from.dial}},
	}, 1)
	t.Cleanup(clients.End)

	return clients
}

// dial connects from the machine: a socket belongs to the network of the thread that makes it.
func (m *machine) dial(ctx context.Context, network, address string) (net.Conn, error) {
	there, err := os.Open(m.network())
	if err != nil {
		return nil, err
	}
	defer there.Close()

	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer here.Close()

	runtime.LockOSThread()

	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()

		return nil, fmt.Errorf("enter the network of %s: %w", m.name, err)
	}

	connection, err := new(net.Dialer).DialContext(ctx, network, address)

	// A thread that cannot go back ends with its goroutine.
	if unix.Setns(int(here.Fd()), unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}

	return connection, err
}
