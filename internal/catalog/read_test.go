package catalog_test

import (
	"fmt"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
)

func TestReadsAreSharedUntilAWrite(t *testing.T) {
	places(t, func(t *testing.T, node string) {
		address, requests := counted(t)
		client := newClient(t, address)
		name := unique(t)
		perRefresh := int64(1)

		if node == "" {
			perRefresh = 2 // the agent's services and its checks
		}

		var all []catalog.Identity

		for i := range 20 {
			service := catalog.Service{Identity: catalog.Identity{Node: node, Name: name, ID: fmt.Sprintf("%s-%d", name, i)}, Address: "127.0.0.9", Weights: catalog.Weights{Passing: 1, Warning: 1}}
			register(t, client, service)
			all = append(all, service.Identity)
		}

		refresh := func() int64 {
			before := requests.Load()

			for _, who := range all {
				if _, err := client.Instance(t.Context(), who); err != nil {
					t.Fatalf("Instance: %v", err)
				}
			}

			return requests.Load() - before
		}

		if took := refresh(); took != perRefresh {
			t.Errorf("the first refresh of %d instances took %d requests, want %d", len(all), took, perRefresh)
		}

		if took := refresh(); took != 0 {
			t.Errorf("the second refresh took %d requests, want none", took)
		}

		if err := client.Update(t.Context(), catalog.Service{Identity: all[0], Address: "127.0.0.10", Weights: catalog.Weights{Passing: 1, Warning: 1}}); err != nil {
			t.Fatalf("Update: %v", err)
		}

		if took := refresh(); took != perRefresh {
			t.Errorf("the refresh after a write took %d requests, want %d", took, perRefresh)
		}
	})
}

func TestFailedReadIsNotKept(t *testing.T) {
	service := full(t, "node-"+unique(t))
	register(t, newClient(t, consulAddress), service)

	failing := true
	client := newClient(t, flaky(t, &failing))

	if _, err := client.Instance(t.Context(), service.Identity); err == nil {
		t.Fatal("Instance succeeded though Consul failed")
	}

	failing = false

	wantInstance(t, client, service)
}
