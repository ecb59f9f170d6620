// Package load is clients of a shop, which a test lets ask while something happens to what answers them.
package load

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kinds are what clients ask for, and how often: beside the pages, ten orders a second are read and ten written.
var Kinds = map[string]time.Duration{"page": 200 * time.Millisecond, "read": 100 * time.Millisecond, "write": 100 * time.Millisecond}

// Shop is what is asked. A page begins with the name of the machine that made it, "web-". An order is read by its path alone, which is
// answered by "newest" and a number, and written with ?id= and its number, which is answered by "written" and that.
type Shop struct {
	URL         string
	Page, Order string       // their paths, such as "/page.php"
	Client      *http.Client // what asks, with the time that it waits for an answer
}

// Clients ask for each kind at its interval. None waits for another.
type Clients struct {
	shop    Shop
	stop    context.CancelFunc
	running sync.WaitGroup

	mutex        sync.Mutex
	next         int // number of the next order
	answers      map[string][]answer
	failures     map[string][]failure
	acknowledged []int
}

// answer is when a request was made, and when what it asked for was there.
type answer struct{ asked, came time.Time }

type failure struct {
	at    time.Time
	words string
}

// Start lets clients ask until End, or until the context ends. The first order that they write has the number first.
func Start(ctx context.Context, shop Shop, first int) *Clients {
	ctx, stop := context.WithCancel(ctx)
	c := &Clients{shop: shop, stop: stop, next: first, answers: map[string][]answer{}, failures: map[string][]failure{}}

	for kind, interval := range Kinds {
		c.running.Go(func() {
			Every(ctx, interval, func(ctx context.Context) { c.running.Go(func() { c.ask(ctx, kind) }) })
		})
	}

	return c
}

// Every asks at an interval until the context ends, which does not cut off what is under way. It waits for ask: what takes longer than
// the interval delays the next.
func Every(ctx context.Context, interval time.Duration, ask func(context.Context)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()

	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			ask(context.WithoutCancel(ctx))
		}
	}
}

// End waits for the requests that are under way.
func (c *Clients) End() {
	c.stop()
	c.running.Wait()
}

// ask makes one request and notes how it ends.
func (c *Clients) ask(ctx context.Context, kind string) {
	var id int

	path, want := c.shop.Page, "web-"

	switch kind {
	case "read":
		path, want = c.shop.Order, "newest"
	case "write":
		id = c.number()
		path, want = fmt.Sprintf("%s?id=%d", c.shop.Order, id), fmt.Sprintf("written %d", id)
	}

	asked := time.Now()
	_, err := Fetch(ctx, c.shop.Client, c.shop.URL+path, want)

	c.mutex.Lock()
	defer c.mutex.Unlock()

	if err != nil {
		c.failures[kind] = append(c.failures[kind], failure{time.Now(), err.Error()})

		return
	}

	c.answers[kind] = append(c.answers[kind], answer{asked, time.Now()})
	if kind == "write" {
		c.acknowledged = append(c.acknowledged, id)
	}
}

// number is that of the next order, which nobody else gets.
func (c *Clients) number() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()

	c.next++

	return c.next - 1
}

// Fetch asks for an address and checks how the answer begins, which it returns.
func Fetch(ctx context.Context, client *http.Client, url, want string) (body string, err error) {
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
		err = fmt.Errorf("%s: %.200s", response.Status, content)
	}

	return string(content), err
}

// Served fails unless enough requests of each kind that were made since then have been answered.
func (c *Clients) Served(since time.Time, enough int) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()

	for kind := range Kinds {
		if count := count(c.answers[kind], since, func(a answer) time.Time { return a.asked }); count < enough {
			return fmt.Errorf("%d requests of kind %s were answered; the last failures: %v", count, kind, c.last())
		}
	}

	return nil
}

// count is how many there are after a time.
func count[T any](all []T, since time.Time, when func(T) time.Time) (number int) {
	for _, one := range all {
		if when(one).After(since) {
			number++
		}
	}

	return number
}

// Answered is how many requests of a kind were answered since then.
func (c *Clients) Answered(kind string, since time.Time) int {
	c.mutex.Lock()
	defer c.mutex.Unlock()

	return count(c.answers[kind], since, func(a answer) time.Time { return a.came })
}

// Failed is how many requests of a kind failed since then.
func (c *Clients) Failed(kind string, since time.Time) int {
	c.mutex.Lock()
	defer c.mutex.Unlock()

	return count(c.failures[kind], since, func(f failure) time.Time { return f.at })
}

// last are the last failures by kind.
func (c *Clients) last() map[string]string {
	last := map[string]string{}
	for kind, failures := range c.failures {
		last[kind] = failures[len(failures)-1].words
	}

	return last
}

// Gap is the longest time without an answer of a kind since then.
func (c *Clients) Gap(kind string, since time.Time) (longest time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()

	for _, a := range c.answers[kind] {
		if a.came.After(since) {
			longest, since = max(longest, a.came.Sub(since)), a.came
		}
	}

	return longest
}

// Ways are what went wrong with a kind, a line each: how often, and from when to when after an event.
func (c *Clients) Ways(kind string, event time.Time) string {
	type way struct {
		count       int
		first, last time.Duration
	}

	c.mutex.Lock()
	defer c.mutex.Unlock()

	all := map[string]*way{}

	for _, f := range c.failures[kind] {
		words := f.words[strings.LastIndex(f.words, "\": ")+1:] // without the address

		if all[words] == nil {
			all[words] = &way{first: f.at.Sub(event)}
		}

		all[words].count++
		all[words].last = f.at.Sub(event)
	}

	var text strings.Builder

	for _, words := range slices.Sorted(maps.Keys(all)) {
		w := all[words]
		fmt.Fprintf(&text, "\n\t%d times from %.1f to %.1f s after it: %s", w.count, w.first.Seconds(), w.last.Seconds(), words)
	}

	return text.String()
}

// Acknowledged are the numbers of the orders that were answered.
func (c *Clients) Acknowledged() []int {
	c.mutex.Lock()
	defer c.mutex.Unlock()

	return slices.Clone(c.acknowledged)
}

// Next is the number of the next order.
func (c *Clients) Next() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()

	return c.next
}
