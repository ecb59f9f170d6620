//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// steady is how many requests of each kind have to succeed for a service to count as being back.
const steady = 10

// TestTwoHostsSurviveEachOther loses the host of the primary as often as E2E_LOSSES says, each time under load.
func TestTwoHostsSurviveEachOther(t *testing.T) {
	losses := 1

	if text := os.Getenv("E2E_LOSSES"); text != "" {
		number, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}

		losses = number
	}

	p := raise(t)
	next := 1
	primary := p.paired(t, "alpha")

	if _, err := p.hosts[primary].Inside(t.Context(), members[primary], "mysql", "--execute", "CREATE TABLE shop.orders (id INT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}

	for number := range losses {
		t.Run(fmt.Sprintf("loss %d of %s", number+1, primary), func(t *testing.T) { next = p.lose(t, primary, next) })

		if t.Failed() {
			return
		}

		primary = p.paired(t, primary) // the lost host has come back
	}
}

// lose lets a host die under load and come back. It returns the number of the next write.
func (p *platform) lose(t *testing.T, host string, first int) int {
	other := map[string]string{"alpha": "beta", "beta": "alpha"}[host]

	clients := startLoad(t.Context(), p.address, first)
	defer clients.end()

	p.serves(t, clients, "before the loss")

	if err := p.hosts[host].Kill(t.Context()); err != nil {
		t.Fatal(err)
	}

	died := time.Now()

	p.serves(t, clients, "after the loss")
	clients.end()
	clients.report(t, "loss of "+host, died)

	missing := 0
	stored := p.orders(t, other)

	for _, id := range clients.acked {
		if !stored[strconv.Itoa(id)] {
			missing++
		}
	}

	t.Logf("loss of %s: %d writes were acknowledged, %d of them are missing", host, len(clients.acked), missing)

	if missing > 0 {
		t.Errorf("%d acknowledged writes are lost", missing)
	}

	if err := p.hosts[host].Restart(t.Context()); err != nil {
		t.Fatal(err)
	}

	back := time.Now()
	if now := p.paired(t, other); now != other {
		t.Errorf("The primary is on %s, and %s has every write and took over", now, other)
	}

	t.Logf("return of %s: its MySQL server was a replica in sync after %.0f s", host, time.Since(back).Seconds())

	return clients.next
}

// serves waits until clients of each kind are served from now on.
func (p *platform) serves(t *testing.T, clients *load, when string) {
	t.Helper()

	since := time.Now()

	eventually(t, "clients to be served "+when, func(context.Context) error {
		for kind := range kinds {
			if count := clients.served(kind, since); count < steady {
				return fmt.Errorf("%d requests of kind %s were; the last failures are %s", count, kind, clients.last())
			}
		}

		return nil
	})
}
