package consul_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// recorded returns the address of a Consul whose requests are recorded, and takes what has been recorded.
func recorded(t *testing.T) (address string, take func() map[string]int) {
	t.Helper()

	var (
		mu       sync.Mutex
		requests = map[string]int{}
	)

	address = proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()

		requests[r.Method+" "+r.URL.Path]++

		return false
	})

	return address, func() map[string]int {
		mu.Lock()
		defer mu.Unlock()

		taken := requests
		requests = map[string]int{}

		return taken
	}
}

func TestRefreshReadsOnceHoweverManyInstances(t *testing.T) {
	for label, test := range map[string]struct {
		count int
		lines string
		want  map[string]int
	}{
		"agent":   {60, "", map[string]int{"GET /v1/agent/services": 1, "GET /v1/agent/checks": 1}},
		"catalog": {130, `node = "NAME-${count.index}"`, map[string]int{"GET /v1/health/service/NAME": 1}},
	} {
		t.Run(label, func(t *testing.T) {
			name := unique(t)
			address, take := recorded(t)
			config := block("it", fmt.Sprintf(`
  count   = %d
  name    = %q
  id      = "%[2]s-${count.index}"
  address = "127.0.0.2"
  port    = 8000 + count.index
  checks  = { web = { tcp = "127.0.0.1:1", interval = "10m", status = "passing" } }
  %s`, test.count, name, strings.ReplaceAll(test.lines, "NAME", name)))

			want := map[string]int{}
			for request, times := range test.want {
				want[strings.ReplaceAll(request, "NAME", name)] = times
			}

			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: factories(address),
				CheckDestroy:             func(*terraform.State) error { return agentHasNot(name) },
				Steps: []resource.TestStep{
					{Config: config},
					{
						PreConfig:    func() { take() },
						RefreshState: true,
						Check: func(*terraform.State) error {
							if diff := cmp.Diff(want, take()); diff != "" {
								return fmt.Errorf("the refresh sent other requests (-want +got):\n%s", diff)
							}

							return nil
						},
					},
				},
			})
		})
	}
}
