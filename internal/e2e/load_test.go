//go:build e2e

package e2e_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/load"
)

// requestLimit is how long a client waits for an answer.
const requestLimit = 4 * time.Second

// answerTime is what a gap has beside the time that a service is away: the interval between requests, and an answer.
const answerTime = time.Second

// startLoad lets clients ask through the virtual address, each with a connection of its own. The first order has the number first.
func startLoad(ctx context.Context, address string, first int) *load.Clients {
	return load.Start(ctx, load.Shop{
		URL: "http://" + address, Page: "/page.php", Order: "/order.php",
		Client: &http.Client{Timeout: requestLimit, Transport: &http.Transport{DisableKeepAlives: true}},
	}, first)
}

// goals are how long the layout may be away, by tier, in seconds.
var goals = map[string]float64{"web": 5, "reads": 5, "writes": 15}

// report prints how the time was for clients from the event until the load ended, beside what the module said beforehand.
func (p *platform) report(t *testing.T, clients *load.Clients, event string, began time.Time) {
	t.Helper()

	// A page is behind the gateway and the web machines, and an order behind the database as well.
	tiers := map[string]string{"page": "web", "read": "reads", "write": "writes"}

	for _, kind := range []string{"page", "read", "write"} {
		gap, bound := clients.Gap(kind, began).Seconds(), p.estimate[tiers[kind]]
		failed := clients.Failed(kind, began)

		t.Logf("%s: %s: longest gap %.1f s (estimated: %.1f to %.1f), %d of %d requests failed%s",
			event, kind, gap, bound.Typical, bound.Longest, failed, failed+clients.Answered(kind, began), clients.Ways(kind, began))

		if p.hurry && gap > bound.Longest+answerTime.Seconds() {
			t.Errorf("The gap of %s is longer than the module says", kind)
		}

		if goal := goals[tiers[kind]]; p.hurry && gap > goal {
			t.Errorf("The gap of %s is longer than %.0f s", kind, goal)
		}
	}
}
