//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/load"
)

// How many requests of each kind have to succeed for a service to count as being back, and for a loss to count as unnoticed.
const (
	steady = 10
	quiet  = 60 // a page every 200 ms: longer than any of the timers
)

// TestTwoHostsSurviveEachOther loses the host of the primary under load. With E2E_LOSSES it does so that many times, goes on to
// whatever else may happen to two hosts, and wants clients to wait no longer than the goals and the module say.
func TestTwoHostsSurviveEachOther(t *testing.T) {
	losses, whole := 1, os.Getenv("E2E_LOSSES")

	if whole != "" {
		number, err := strconv.Atoi(whole)
		if err != nil {
			t.Fatal(err)
		}

		losses = number
	}

	p := raise(t, whole != "")
	p.primary = p.paired(t, "alpha")

	if _, err := p.hosts[p.primary].Inside(t.Context(), members[p.primary], "mysql", "--execute", "CREATE TABLE shop.orders (id INT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}

	for number := range losses {
		p.step(t, fmt.Sprintf("loss %d, of %s", number+1, p.primary), p.lose)
	}

	if whole == "" {
		return
	}

	p.step(t, "maintenance of "+p.primary, p.maintain)
	p.step(t, "a new host for "+p.primary, p.replace)
	p.step(t, "link", p.isolate)
	p.step(t, "witness", p.loseWitness)
}

// step runs a part as a test of its own.
func (p *platform) step(t *testing.T, name string, part func(t *testing.T)) {
	t.Helper()

	t.Run(name, part)
}

var others = map[string]string{"alpha": "beta", "beta": "alpha"}

// lose lets the primary's host die under load and come back as the replica's.
func (p *platform) lose(t *testing.T) {
	host, other := p.primary, others[p.primary]

	p.underLoad(t, "loss of "+host, other, steady, func() error { return p.hosts[host].Kill(t.Context()) })

	if err := p.hosts[host].Restart(t.Context()); err != nil {
		t.Fatal(err)
	}

	back := time.Now()
	p.wantPrimary(t, other)
	t.Logf("return of %s: its MySQL server was a replica in sync after %.0f s", host, time.Since(back).Seconds())
}

// isolate cuts the primary's host off from the other one and from the witness, while all of them live.
func (p *platform) isolate(t *testing.T) {
	const stray = "-1"

	host, other := p.primary, others[p.primary]

	p.underLoad(t, "isolation of "+host, other, steady, func() error { return p.hosts[host].SetLink(t.Context(), false) })

	output, err := p.hosts[host].Inside(t.Context(), members[host], "timeout", "5", "mysql", "--execute", "INSERT INTO shop.orders VALUES ("+stray+")")
	if err == nil {
		t.Errorf("The server that is cut off took a write while the other one was primary: %s", output)
	}

	if err := p.hosts[host].SetLink(t.Context(), true); err != nil {
		t.Fatal(err)
	}

	p.wantPrimary(t, other)

	for name := range members {
		if p.orders(t, name)[stray] {
			t.Errorf("%s has the write that nobody was told of", name)
		}
	}
}

// loseWitness lets the witness die, which nobody may notice.
func (p *platform) loseWitness(t *testing.T) {
	p.unnoticed(t, "loss of the witness", p.primary, func() error { return p.hosts["gamma"].Kill(t.Context()) })

	if err := p.hosts["gamma"].Restart(t.Context()); err != nil {
		t.Fatal(err)
	}

	p.wantPrimary(t, p.primary)
}

// unnoticed lets something happen under load, and wants no request to fail.
func (p *platform) unnoticed(t *testing.T, event, left string, happen func() error) {
	t.Helper()

	clients, began := p.underLoad(t, event, left, quiet, happen)

	for kind := range load.Kinds {
		if failed := clients.Failed(kind, began); failed > 0 {
			t.Errorf("%d requests of kind %s failed:%s", failed, kind, clients.Ways(kind, began))
		}
	}
}

// underLoad lets something happen under load, waits until all is served again, and wants every acknowledged write to be on
// the host that is left. It returns when the event began.
func (p *platform) underLoad(t *testing.T, event, left string, enough int, happen func() error) (clients *load.Clients, began time.Time) {
	t.Helper()

	clients = startLoad(t.Context(), p.address, p.next)
	defer clients.End()

	p.serves(t, clients, steady, "before the "+event)

	began = time.Now()

	if err := happen(); err != nil {
		t.Fatal(err)
	}

	p.serves(t, clients, enough, "after the "+event)
	clients.End()
	p.report(t, clients, event, began)

	p.next = clients.Next()
	acknowledged, stored, missing := clients.Acknowledged(), p.orders(t, left), 0

	for _, id := range acknowledged {
		if !stored[strconv.Itoa(id)] {
			missing++
		}
	}

	t.Logf("%s: %d writes were acknowledged, %d of them are missing", event, len(acknowledged), missing)

	if missing > 0 {
		t.Errorf("%d acknowledged writes are lost", missing)
	}

	return clients, began
}

// wantPrimary waits until both members have every write, and wants the primary to be on a host.
func (p *platform) wantPrimary(t *testing.T, host string) {
	t.Helper()

	if p.primary = p.paired(t, host); p.primary != host && p.hurry { // a busy machine may be taken for a lost one
		t.Errorf("The primary is on %s, and not on %s", p.primary, host)
	}
}

// serves waits until clients of each kind are served from now on.
func (p *platform) serves(t *testing.T, clients *load.Clients, enough int, when string) {
	t.Helper()

	since := time.Now()

	eventually(t, "clients to be served "+when, func(context.Context) error { return clients.Served(since, enough) })
}
