package modules_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// kinds are what clients ask for, and how often: beside the pages, ten orders a second are read and ten written.
var kinds = map[string]time.Duration{"page": 200 * time.Millisecond, "read": 100 * time.Millisecond, "write": 100 * time.Millisecond}

// load is clients that ask the shop for pages and orders. None waits for another, and each makes a connection of its own.
type load struct {
	url     string
	client  *http.Client
	stop    context.CancelFunc
	running sync.WaitGroup

	mutex    sync.Mutex
	writes   int
	answers  map[string][]answer
	failures map[string][]string
	acked    []string
}

// answer is when a request was made, and when what it asked for was there.
type answer struct{ asked, came time.Time }

// startLoad lets clients on a machine ask the shop at an address until the load ends, which it does at the latest with the test.
func startLoad(t *testing.T, from *machine, address string) *load {
	t.Helper()

	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	l := &load{
		url: "http://" + address, stop: stop, answers: map[string][]answer{}, failures: map[string][]string{},
		client: &http.Client{Timeout: visitorLimit + time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: from.dial}},
	}
	t.Cleanup(l.end)

	for kind, interval := range kinds {
		l.running.Go(func() {
			ticker := time.NewTicker(interval)
			defer ticker.Stop()

			for {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
					l.running.Go(func() { l.ask(kind) })
				}
			}
		})
	}

	return l
}

// end waits for the requests that are under way.
func (l *load) end() {
	l.stop()
	l.running.Wait()
}

// ask makes one request and notes how it ends.
func (l *load) ask(kind string) {
	id, path, want := "", "/page", "web-"

	switch kind {
	case "read":
		path, want = "/order", "newest "
	case "write":
		id = l.number()
		path, want = "/order?id="+id, "written "+id
	}

	asked := time.Now()
	err := l.fetch(path, want)

	l.mutex.Lock()
	defer l.mutex.Unlock()

	if err != nil {
		l.failures[kind] = append(l.failures[kind], err.Error())

		return
	}

	l.answers[kind] = append(l.answers[kind], answer{asked, time.Now()})
	if kind == "write" {
		l.acked = append(l.acked, id)
	}
}

// number is that of the next order.
func (l *load) number() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()

	l.writes++

	return fmt.Sprint(l.writes)
}

func (l *load) fetch(path, want string) error {
	response, err := l.client.Get(l.url + path)
	if err != nil {
		return err
	}
	defer response.Body.Close()

	body, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), want)) {
		err = fmt.Errorf("%s: %.200s", response.Status, body)
	}

	return err
}

// served fails unless enough requests of each kind that were made since then have been answered.
func (l *load) served(since time.Time, enough int) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()

	for kind := range kinds {
		count := 0

		for _, a := range l.answers[kind] {
			if a.asked.After(since) {
				count++
			}
		}

		if count < enough {
			last := "none"
			if failures := l.failures[kind]; len(failures) > 0 {
				last = failures[len(failures)-1]
			}

			return fmt.Errorf("%d requests of kind %s were answered; the last failure: %s", count, kind, last)
		}
	}

	return nil
}

// gap is the longest time without an answer of a kind since then.
func (l *load) gap(kind string, since time.Time) (longest time.Duration) {
	for _, a := range l.answers[kind] {
		if a.came.After(since) {
			longest, since = max(longest, a.came.Sub(since)), a.came
		}
	}

	return longest
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
