//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// requestLimit is how long a client waits for an answer.
const requestLimit = 4 * time.Second

// answerTime is what a gap has beside the time that a service is away: the interval between requests, and an answer.
const answerTime = time.Second

// kinds are what clients ask for, and how often.
var kinds = map[string]time.Duration{"page": 200 * time.Millisecond, "read": 100 * time.Millisecond, "write": 100 * time.Millisecond}

// load is clients that ask for pages, and read and write the database through the virtual address, each 5, 10 and 10 times a
// second. None waits for another, and each makes a connection of its own.
type load struct {
	address string
	client  *http.Client
	stop    context.CancelFunc
	running sync.WaitGroup
	began   time.Time // when what is measured happened

	mutex     sync.Mutex
	next      int // number of the next write
	successes map[string][]time.Time
	failures  map[string][]time.Time
	words     map[string][]string // of the failures
	acked     []int
}

// startLoad begins to write with the number first.
func startLoad(ctx context.Context, address string, first int) *load {
	ctx, stop := context.WithCancel(ctx)
	l := &load{
		address: address, stop: stop, next: first, successes: map[string][]time.Time{}, failures: map[string][]time.Time{}, words: map[string][]string{},
		client: &http.Client{Timeout: requestLimit, Transport: &http.Transport{DisableKeepAlives: true}},
	}

	for kind, interval := range kinds {
		l.running.Go(func() {
			ticker := time.NewTicker(interval)
			defer ticker.Stop()

			for {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
					l.running.Go(func() { l.ask(context.WithoutCancel(ctx), kind) })
				}
			}
		})
	}

	return l
}

// ask makes one request.
func (l *load) ask(ctx context.Context, kind string) {
	var id int

	path, want := "/page.php", "web-"

	switch kind {
	case "read":
		path, want = "/order.php", "newest"
	case "write":
		l.mutex.Lock()
		id = l.next
		l.next++
		l.mutex.Unlock()

		path, want = fmt.Sprintf("/order.php?id=%d", id), fmt.Sprintf("written %d", id)
	}

	_, err := fetch(ctx, l.client, "http://"+l.address+path, want)

	l.mutex.Lock()
	defer l.mutex.Unlock()

	if err != nil {
		l.failures[kind] = append(l.failures[kind], time.Now())
		l.words[kind] = append(l.words[kind], err.Error())

		return
	}

	l.successes[kind] = append(l.successes[kind], time.Now())
	if kind == "write" {
		l.acked = append(l.acked, id)
	}
}

// fetch asks for an address and checks how the answer begins, which it returns.
func fetch(ctx context.Context, client *http.Client, url, want string) (body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}

	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()

	content, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || !strings.HasPrefix(string(content), want)) {
		err = fmt.Errorf("%s: %.100s", response.Status, content)
	}

	return string(content), err
}

// served is how many requests of a kind have succeeded since.
func (l *load) served(kind string, since time.Time) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()

	return after(l.successes[kind], since)
}

// failed is how many requests of a kind have failed since.
func (l *load) failed(kind string, since time.Time) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()

	return after(l.failures[kind], since)
}

func after(times []time.Time, since time.Time) int {
	at := slices.IndexFunc(times, since.Before)
	if at < 0 {
		return 0
	}

	return len(times) - at
}

// last are the last failures, for a message.
func (l *load) last() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()

	last := map[string]string{}

	for kind, words := range l.words {
		last[kind] = words[len(words)-1]
	}

	return fmt.Sprint(last)
}

// ways are what went wrong, how often, and from when to when after an event.
func (l *load) ways(kind string, since time.Time) string {
	type way struct {
		count       int
		first, last time.Duration
	}

	all := map[string]*way{}

	for i, at := range l.failures[kind] {
		words := l.words[kind][i]
		words = words[strings.LastIndex(words, "\": ")+1:] // without the address

		if all[words] == nil {
			all[words] = &way{first: at.Sub(since)}
		}

		all[words].count++
		all[words].last = at.Sub(since)
	}

	var text strings.Builder

	for _, words := range slices.Sorted(maps.Keys(all)) {
		w := all[words]
		fmt.Fprintf(&text, "\n\t%d times from %.1f to %.1f s after it: %s", w.count, w.first.Seconds(), w.last.Seconds(), words)
	}

	return text.String()
}

// end waits for the requests that are under way.
func (l *load) end() {
	l.stop()
	l.running.Wait()
}

// goals are how long the layout may be away, by tier, in seconds.
var goals = map[string]float64{"web": 5, "reads": 5, "writes": 15}

// report prints how the time was for clients from the event until the load ended, beside what the module said beforehand.
func (l *load) report(t *testing.T, event string, said map[string]estimate, hurry bool) {
	t.Helper()

	// A page is behind the gateway and the web machines, and an order behind the database as well.
	tiers := map[string]string{"page": "web", "read": "reads", "write": "writes"}

	for _, kind := range []string{"page", "read", "write"} {
		gap, last := time.Duration(0), l.began

		for _, at := range l.successes[kind] {
			if at.After(l.began) {
				gap, last = max(gap, at.Sub(last)), at
			}
		}

		bound := said[tiers[kind]]
		failed := l.failed(kind, l.began)
		t.Logf("%s: %s: longest gap %.1f s (estimated: %.1f to %.1f), %d of %d requests failed%s",
			event, kind, gap.Seconds(), bound.Typical, bound.Longest, failed, failed+l.served(kind, l.began), l.ways(kind, l.began))

		if hurry && gap.Seconds() > bound.Longest+answerTime.Seconds() {
			t.Errorf("The gap of %s is longer than the module says", kind)
		}

		if goal := goals[tiers[kind]]; hurry && gap.Seconds() > goal {
			t.Errorf("The gap of %s is longer than %.0f s", kind, goal)
		}
	}
}
