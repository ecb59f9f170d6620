package gateway_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

const users = 200

// TestFewUsersMoveWhenAMachineIsAdded counts where the requests of each user land before a fifth machine is there, with it, and after it.
func TestFewUsersMoveWhenAMachineIsAdded(t *testing.T) {
	s := newStack(t)
	machines := []string{"web-1", "web-2", "web-3", "web-4", "web-5"}
	targets := make([]string, len(machines))

	for i, machine := range machines {
		targets[i] = fmt.Sprintf("%q = {}", backend(t, machine))
	}

	config := func(count int) string {
		return s.block + hcl(fmt.Sprintf("targets = { %s }\n balance = { algorithm = \"consistent_hashing\", hash_on = \"address\" }", strings.Join(targets[:count], ", ")), `hosts = ["shop.test"]`)
	}

	var before map[string]string

	run(t,
		resource.TestStep{Config: config(4)},
		resource.TestStep{
			PreConfig: func() {
				before = s.settled(t, 4)
				if again := s.settled(t, 4); !maps.Equal(before, again) {
					t.Error("A user's second request lands elsewhere than the first.")
				}
			},
			Config: config(5),
		},
		resource.TestStep{
			PreConfig: func() {
				moved := 0

				for user, machine := range s.settled(t, 5) {
					if machine == before[user] {
						continue
					}

					if moved++; machine != "web-5" {
						t.Errorf("%s moves from %s to %s, which was there before.", user, before[user], machine)
					}
				}

				// A fifth of 200 is 40; 10 and 80 are beyond five standard deviations.
				if moved < 10 || moved > 80 {
					t.Errorf("%d of %d users move to one of five machines.", moved, users)
				}

				t.Logf("%d of %d users moved to the fifth machine.", moved, users)
			},
			Config: config(4),
		},
		resource.TestStep{
			PreConfig: func() {
				if after := s.settled(t, 4); !maps.Equal(before, after) {
					t.Error("Without the fifth machine users land elsewhere than before it.")
				}
			},
			Config: config(4), PlanOnly: true,
		},
	)
}

// settled is which machine answers each user, once so many machines answer.
func (s stack) settled(t *testing.T, machines int) map[string]string {
	t.Helper()

	var answered map[string]string

	eventually(t, func() error {
		answered = map[string]string{}
		seen := map[string]bool{}

		for n := range users {
			user := fmt.Sprintf("127.1.%d.%d", n/100, 1+n%100)

			machine, err := s.getFrom(t.Context(), user)
			if err != nil {
				return err
			}

			answered[user], seen[machine] = machine, true
		}

		if len(seen) != machines {
			return fmt.Errorf("%d machines answer, want %d", len(seen), machines)
		}

		return nil
	})

	return answered
}

// getFrom asks for shop.test from an address of the loopback, and returns who answers.
func (s stack) getFrom(ctx context.Context, address string) (string, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, http.NoBody)
	if err != nil {
		return "", err
	}

	request.Host = "shop.test"

	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()

	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d %q", response.StatusCode, body)
	}

	return strings.TrimSpace(string(body)), err
}

// TestLeastConnectionsSpareABusyMachine has one of two machines hold its requests, and adds a third.
func TestLeastConnectionsSpareABusyMachine(t *testing.T) {
	s := newStack(t)
	held, release := make(chan struct{}), make(chan struct{})

	busy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case held <- struct{}{}:
			<-release
		case <-release:
		}
	}))
	t.Cleanup(busy.Close)
	t.Cleanup(func() { close(release) }) // before the server is closed, which waits for its requests

	targets := []string{busy.Listener.Addr().String(), backend(t, "web-2"), backend(t, "web-3")}
	config := func(count int) string {
		return s.block + hcl(fmt.Sprintf("targets = { %s }\n balance = { algorithm = \"least_connections\" }", `"`+strings.Join(targets[:count], `" = {}, "`)+`" = {}`), `hosts = ["shop.test"]`)
	}

	run(t,
		resource.TestStep{Config: config(2)},
		resource.TestStep{PreConfig: func() { s.spare(t, held, "web-2") }, Config: config(3)},
		resource.TestStep{PreConfig: func() { s.spare(t, held, "web-3") }, Config: config(3), PlanOnly: true},
	)
}

// spare asks one request after the other, until the machine has answered twenty. Meanwhile the busy one may hold a request, and another
// if an answered one still counts for a moment; taking turns it would hold ten or more.
func (s stack) spare(t *testing.T, held chan struct{}, machine string) {
	t.Helper()

	counts := map[string]int{}

	eventually(t, func() error {
		answered := make(chan string, 1)

		go func() { // it ends when the busy machine lets go
			_, body, err := s.get(context.WithoutCancel(t.Context()), "shop.test")
			if err != nil {
				body = err.Error()
			}

			answered <- body
		}()

		select {
		case <-held:
			counts["busy"]++
		case body := <-answered:
			counts[body]++
		}

		if counts[machine] < 20 {
			return fmt.Errorf("%s has not answered twenty times: %v", machine, counts)
		}

		return nil
	})

	if counts["busy"] > 5 {
		t.Errorf("A machine that holds its requests gets more of them: %v", counts)
	}
}
