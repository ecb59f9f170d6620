//go:build e2e

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/load"
)

// visitTime is how long a visitor waits for an answer.
const visitTime = 30 * time.Second

// visitors never stop asking for pages through the virtual address, and remember who answered. Some keep their connection, as browsers do, and
// some make one for each page. A page that fails is never asked for again: each failure counts.
type visitors struct {
	stop    context.CancelFunc
	running sync.WaitGroup

	mutex    sync.Mutex
	asked    int
	failures []string
	first    map[string]time.Time // when a machine answered for the first time
	recent   []string             // who answered, since the last look
}

func startVisitors(ctx context.Context, address string) *visitors {
	ctx, stop := context.WithCancel(ctx)
	v := &visitors{stop: stop, first: map[string]time.Time{}}

	for number := range 6 {
		client := &http.Client{Timeout: visitTime, Transport: &http.Transport{DisableKeepAlives: number%2 == 0}}

		v.running.Go(func() {
			defer client.CloseIdleConnections()

			load.Every(ctx, 100*time.Millisecond, func(ctx context.Context) {
				v.note(load.Fetch(ctx, client, "http://"+address+"/page.php", "web-")) // a page is the name of who made it
			})
		})
	}

	return v
}

func (v *visitors) note(machine string, err error) {
	v.mutex.Lock()
	defer v.mutex.Unlock()

	v.asked++

	if err != nil {
		v.failures = append(v.failures, time.Now().Format("15:04:05.0 ")+err.Error())

		return
	}

	v.recent = append(v.recent, machine)

	if _, known := v.first[machine]; !known {
		v.first[machine] = time.Now()
	}
}

// forget begins to count who answers anew.
func (v *visitors) forget() {
	v.mutex.Lock()
	defer v.mutex.Unlock()

	v.recent = nil
}

// shares is how many percent of the last hundred pages each machine made, or none if there were fewer.
func (v *visitors) shares() map[string]int {
	v.mutex.Lock()
	defer v.mutex.Unlock()

	if len(v.recent) < 100 {
		return nil
	}

	shares := map[string]int{}
	for _, machine := range v.recent[len(v.recent)-100:] {
		shares[machine]++
	}

	return shares
}

// since is when a machine made a page for the first time.
func (v *visitors) since(machine string) time.Time {
	v.mutex.Lock()
	defer v.mutex.Unlock()

	return v.first[machine]
}

// served waits until a hundred pages from now on are made by just these machines, each with its share.
func (v *visitors) served(t *testing.T, machines ...string) {
	t.Helper()

	v.forget()

	eventually(t, "visitors to be served by "+strings.Join(machines, ", "), func(context.Context) error {
		shares := v.shares()
		if shares == nil {
			return errors.New("there were no hundred pages")
		}

		for _, machine := range machines {
			if share, fair := shares[machine], 100/len(machines); share < fair/2 || share > 2*fair {
				return fmt.Errorf("the shares in percent are %v", shares)
			}
		}

		if len(shares) != len(machines) {
			return fmt.Errorf("the shares in percent are %v", shares)
		}

		return nil
	})

	t.Logf("shares in percent of the last hundred pages: %v", v.shares())
}

// leave waits for the last page, and wants none to have failed.
func (v *visitors) leave(t *testing.T) {
	t.Helper()

	v.stop()
	v.running.Wait()

	t.Logf("%d pages were asked for, %d failed; %d machines made them: %v", v.asked, len(v.failures), len(v.first), slices.Sorted(maps.Keys(v.first)))

	if len(v.failures) > 0 {
		t.Errorf("%d pages failed; the first: %s", len(v.failures), strings.Join(v.failures[:min(len(v.failures), 5)], "\n"))
	}
}
