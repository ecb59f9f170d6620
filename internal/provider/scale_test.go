package provider_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// customers never stop asking, and remember who answered.
type customers struct {
	mu      sync.Mutex
	first   map[string]time.Time // when a machine answered for the first time
	counts  map[string]int
	failure error
}

// TestAWebMachineComesAndGoesUnderCustomersThatNeverStop adds a machine to two, as before a sale, grows the other two from one vCPU to two, one of
// them as it runs and one by a restart that drains it first, and takes the third away again.
func TestAWebMachineComesAndGoesUnderCustomersThatNeverStop(t *testing.T) {
	s := startStack(t)
	run := s.quickstart(t, "terraform")

	// Two machines of a host share what few CPUs it has. Checks have the time that a busy test machine needs: that a slow guest is not listed is another test's subject.
	edit(t, run, "main.tf", `pins = ["1"], emulator`, `pins = contains(var.grown, each.key) ? ["1", "0"] : ["1"], maximum = each.key == "web-1" ? 2 : null, exclusive = false, emulator`)
	edit(t, run, "main.tf", `interval = "1s", timeout = "1s"`, `interval = "1s", timeout = "20s"`)
	edit(t, run, "main.tf", `wait_for_passing = "30s"`, "wait_for_passing = \"2m\"\n  drain            = \"3s\"")
	edit(t, run, "main.tf", `wait_for = { tcp`, "allow_change = each.key == \"web-2\" ? \"reboot\" : \"live\"\n  drain        = { services = [\"up\"], wait = \"3s\" }\n  wait_for     = { tcp")
	write(t, filepath.Join(run.Folder, "grown.tf"), "variable \"grown\" {\n  type    = set(string)\n  default = []\n}\n")

	apply(t, run)
	s.wantAnswers(t, "web-1", "web-2")

	crowd, leave := s.crowd(t)

	s.declare(t, run, map[string]string{"web-1": "alpha", "web-2": "beta", "web-3": "alpha"})

	began := time.Now()

	apply(t, run)
	eventually(t, func() error {
		if share, of := crowd.share("web-3"); of < 60 || share < 20 || share > 47 {
			return fmt.Errorf("the third machine answered %.0f %% of %d requests", share, of)
		}

		return nil
	})
	t.Logf("The first request was answered by the new machine %.1f s after the apply began.", crowd.since("web-3").Sub(began).Seconds())

	s.growUnder(t, run, crowd)

	s.declare(t, run, machines)
	apply(t, run)
	crowd.forget()
	eventually(t, func() error {
		share, of := crowd.share("web-3")
		if share > 0 {
			crowd.forget()
		}

		if of < 60 || share > 0 {
			return fmt.Errorf("a machine that is gone answered %.0f %% of %d requests", share, of)
		}

		return nil
	})
	leave()

	if crowd.failure != nil {
		t.Errorf("A request failed: %v", crowd.failure)
	}

	if err := run.Destroy(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	s.wantNothingLeft(t)
}

// growUnder gives two machines a second vCPU each, while customers go on asking all three.
func (s *stack) growUnder(t *testing.T, run *cli.CLI, crowd *customers) {
	t.Helper()

	before := s.pids(t)

	for n, grown := range []string{"web-1", "web-2"} {
		write(t, filepath.Join(run.Folder, "grown.auto.tfvars"), []string{`grown = ["web-1"]`, `grown = ["web-1", "web-2"]`}[n]+"\n")
		apply(t, run)
		crowd.forget()
		eventually(t, func() error {
			if share, of := crowd.share(grown); of < 60 || share < 20 {
				return fmt.Errorf("the machine that has grown answered %.0f %% of %d requests", share, of)
			}

			return nil
		})

		threads, err := s.hosts[machines[grown]].Threads(grown)
		if err != nil {
			t.Fatal(err)
		}

		vcpus := slices.DeleteFunc(threads, func(thread testbed.Thread) bool { return !strings.HasPrefix(thread.Name, "CPU ") })
		if len(vcpus) != 2 {
			t.Errorf("%s has the vCPUs %v after it has grown", grown, vcpus)
		}
	}

	if after := s.pids(t); after["web-1"] != before["web-1"] || after["web-2"] == before["web-2"] {
		t.Errorf("Only web-2 is to be restarted, and the processes %v are %v", before, after)
	}
}

// crowd has customers ask until the returned function is called.
func (s *stack) crowd(t *testing.T) (c *customers, leave func()) {
	t.Helper()

	ctx, cancel := context.WithCancel(t.Context())
	c = &customers{first: map[string]time.Time{}, counts: map[string]int{}}

	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for ctx.Err() == nil {
				// The last request is answered, too.
				body, err := get(context.WithoutCancel(ctx), s.traefik.URL()+"/", "shop.example.com")
				c.note(body, err)
			}
		})
	}

	leave = sync.OnceFunc(func() { cancel(); all.Wait() })
	t.Cleanup(leave)

	return c, leave
}

func (c *customers) note(body string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()

	machine := strings.TrimPrefix(body, "Hello from ") // "Hello from web-1 on alpha"
	machine, _, _ = strings.Cut(machine, " ")
	c.counts[machine]++

	if _, known := c.first[machine]; !known {
		c.first[machine] = time.Now()
	}

	if err != nil && c.failure == nil {
		c.failure = err
	}
}

// since is when the machine answered for the first time.
func (c *customers) since(machine string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.first[machine]
}

// forget starts the counting anew.
func (c *customers) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.counts = map[string]int{}
}

// share is how many percent of the requests since the last look with enough of them the machine answered, and of how many.
func (c *customers) share(machine string) (percent float64, of int) {
	c.mu.Lock()
	defer c.mu.Unlock()

	for _, count := range c.counts {
		of += count
	}

	percent = 100 * float64(c.counts[machine]) / float64(max(of, 1))

	if of >= 60 {
		c.counts = map[string]int{}
	}

	return percent, of
}
