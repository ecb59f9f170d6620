package catalog_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/hashicorp/consul/api"
)

// passing reports whether Consul's DNS and gateways would use the instance.
func passing(t *testing.T, service catalog.Service) bool {
	t.Helper()

	found, _, err := others.Health().Service(service.Name, "", true, nil)
	if err != nil {
		t.Fatalf("list instances: %v", err)
	}

	return len(found) > 0
}

func TestMachineIsDrainedAndComesBackOnlyWhenItPasses(t *testing.T) {
	places(t, func(t *testing.T, node string) {
		service := full(t, node)
		service.Address = "127.0.0.77"
		service.Checks = map[string]catalog.Check{"web": {TCP: "127.0.0.1:1", Interval: time.Second, Timeout: time.Millisecond, Status: "passing"}}

		if node == "" {
			service.Checks = map[string]catalog.Check{"web": {TCP: strings.TrimPrefix(consulAddress, "http://"), Interval: time.Second, Timeout: 500 * time.Millisecond, Status: "passing"}}
		}

		client := newClient(t, consulAddress)
		register(t, client, service)
		eventually(t, "the instance is in service", func() bool { return passing(t, service) })

		machine := catalog.Machine{Name: "elsewhere", Addresses: []string{"127.0.0.77"}, Services: []string{service.Name}}
		if node != "" {
			machine = catalog.Machine{Name: node, Services: []string{service.Name}}
		}

		began := time.Now()

		if err := client.Drain(t.Context(), machine, 300*time.Millisecond); err != nil {
			t.Fatalf("Drain: %v", err)
		}

		if took := time.Since(began); took < 300*time.Millisecond {
			t.Errorf("Drain took %s, want the time it was given", took)
		}

		if passing(t, service) {
			t.Error("the instance is still in service after Drain")
		}

		wantInstance(t, newClient(t, consulAddress), service) // a drain is no part of the definition

		if drained, err := newClient(t, consulAddress).IsDrained(t.Context(), machine); err != nil || !drained {
			t.Errorf("IsDrained: %t, %v", drained, err)
		}

		if node != "" {
			setStatus(t, service, "critical", "refused")

			limited, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()

			if err := client.Restore(limited, machine); err == nil || !strings.Contains(err.Error(), `check "web" is critical`) {
				t.Errorf("Restore of a failing instance: %v, want an error that says which check fails", err)
			}

			if passing(t, service) {
				t.Error("the failing instance is back in service")
			}

			setStatus(t, service, "passing", "")
		}

		if err := client.Restore(t.Context(), machine); err != nil {
			t.Fatalf("Restore: %v", err)
		}

		eventually(t, "the instance is back in service", func() bool { return passing(t, service) })
	})
}

func TestMaintenanceOfSomebodyElseOutlastsADrain(t *testing.T) {
	service := full(t, "")
	service.Checks = nil
	client := newClient(t, consulAddress)
	register(t, client, service)

	if err := others.Agent().EnableServiceMaintenance(service.ID, "repair"); err != nil {
		t.Fatalf("enable maintenance: %v", err)
	}

	eventually(t, "the catalog knows of it", func() bool { return !passing(t, service) })

	machine := catalog.Machine{Name: "m", Addresses: []string{service.Address}, Services: []string{service.Name}}
	if err := client.Drain(t.Context(), machine, time.Millisecond); err != nil {
		t.Fatalf("Drain: %v", err)
	}

	if err := client.Restore(t.Context(), machine); err != nil {
		t.Fatalf("Restore: %v", err)
	}

	if _, info, err := others.Agent().AgentHealthServiceByID(service.ID); err != nil || info.AggregatedStatus != "maintenance" {
		t.Errorf("after the drain the instance is %v (%v), want its maintenance as it was", info, err)
	}
}

func TestMachineWithoutInstancesIsNotWaitedFor(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	machine := catalog.Machine{Name: "nobody", Services: []string{unique(t)}}
	if err := newClient(t, consulAddress).Drain(ctx, machine, time.Hour); err != nil {
		t.Errorf("Drain: %v", err)
	}
}

func TestDrainIsCountedFromWhenTheServersKnow(t *testing.T) {
	const late, wait = time.Second, 500 * time.Millisecond

	service := full(t, "")
	service.Checks, service.Drain = nil, wait

	machine := catalog.Machine{Name: "m", Addresses: []string{service.Address}, Services: []string{service.Name}}
	drains := map[string]func(client *catalog.Client) error{
		"of a machine": func(client *catalog.Client) error { return client.Drain(t.Context(), machine, wait) },
		"before it is deregistered": func(client *catalog.Client) error {
			return client.Deregister(t.Context(), service.Identity, service.Mark)
		},
	}

	for name, drain := range drains {
		t.Run(name, func(t *testing.T) {
			register(t, newClient(t, consulAddress), service)
			eventually(t, "the catalog knows of it", func() bool { return passing(t, service) })

			var before []api.ServiceEntry
			if _, err := others.Raw().Query("/v1/health/service/"+service.Name, &before, nil); err != nil {
				t.Fatal(err)
			}

			// The agent takes it, and the servers answer as before for a while.
			var told atomic.Int64

			address := proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/v1/agent/service/maintenance/") {
					told.CompareAndSwap(0, time.Now().UnixNano())
				}

				known := told.Load() > 0 && time.Since(time.Unix(0, told.Load())) > late
				if known || !strings.HasPrefix(r.URL.Path, "/v1/health/service/") {
					return false
				}

				if err := json.NewEncoder(w).Encode(before); err != nil {
					t.Error(err)
				}

				return true
			})

			began := time.Now()
			if err := drain(newClient(t, address)); err != nil {
				t.Fatal(err)
			}

			if took := time.Since(began); took < late+wait {
				t.Errorf("It took %s, so it ended %s after the servers knew, and not %s", took, took-late, wait)
			}

			if err := others.Agent().DisableServiceMaintenance(service.ID); err != nil && !strings.Contains(err.Error(), "404") {
				t.Fatal(err)
			}
		})
	}
}
