package catalog_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/consul/api"
)

// places are the two ways to register: through the agent, and on a node of the catalog.
func places(t *testing.T, test func(t *testing.T, node string)) {
	t.Helper()
	t.Run("agent", func(t *testing.T) { test(t, "") })
	t.Run("catalog", func(t *testing.T) { test(t, "node-"+unique(t)) })
}

// full is a service that uses every field.
func full(t *testing.T, node string) catalog.Service {
	name := unique(t)

	return catalog.Service{
		Identity: catalog.Identity{Node: node, Name: name, ID: name + "-1"},
		Mark:     catalog.Mark{Owner: "me"},
		Address:  "127.0.0.9", Port: 80, Tags: []string{"b", "a"}, Meta: map[string]string{"rack": "r1"},
		Tagged:  map[string]catalog.Endpoint{"wan": {Address: "203.0.113.9", Port: 8080}},
		Weights: catalog.Weights{Passing: 5, Warning: 2}, TagOverride: true,
		Checks: map[string]catalog.Check{
			"web":  {HTTP: "http://127.0.0.1:1/health?a=1&b=2", Interval: time.Minute, Timeout: 1500 * time.Millisecond, Status: "warning", DeregisterAfter: 90 * time.Minute},
			"port": {TCP: "127.0.0.1:1", Interval: 10 * time.Second, Timeout: 2 * time.Second, Status: "passing"},
		},
	}
}

func register(t *testing.T, client *catalog.Client, service catalog.Service) {
	t.Helper()

	if err := client.Register(t.Context(), service); err != nil {
		t.Fatalf("Register: %v", err)
	}

	t.Cleanup(func() { deregister(t, client, service) })
}

func deregister(t *testing.T, client *catalog.Client, service catalog.Service) {
	t.Helper()

	if err := client.Deregister(cleanContext(t), service.Identity, service.Mark); err != nil {
		t.Errorf("Deregister: %v", err)
	}
}

func wantInstance(t *testing.T, client *catalog.Client, want catalog.Service) {
	t.Helper()

	got, err := client.Instance(t.Context(), want.Identity)
	if err != nil {
		t.Fatalf("Instance: %v", err)
	}

	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("Instance reads another definition than was registered (-want +got):\n%s", diff)
	}
}

func TestWhatIsRegisteredIsReadBackToTheLastField(t *testing.T) {
	places(t, func(t *testing.T, node string) {
		service := full(t, node)
		service.Wait, service.Drain, service.Force = 30*time.Second, 300*time.Millisecond, true
		client := newClient(t, consulAddress)
		register(t, client, service)
		wantInstance(t, client, service)
	})
}

func TestServiceWithoutChecksTagsAndPortIsReadBack(t *testing.T) {
	places(t, func(t *testing.T, node string) {
		service := catalog.Service{Identity: catalog.Identity{Node: node, Name: unique(t), ID: unique(t)}, Weights: catalog.Weights{Passing: 1, Warning: 1}}
		if node != "" {
			service.Address = "127.0.0.9"
		}

		client := newClient(t, consulAddress)
		register(t, client, service)
		wantInstance(t, client, service)
	})
}

func TestNameIsFoundByNodeAndIDForAnImport(t *testing.T) {
	service := full(t, "node-"+unique(t))
	client := newClient(t, consulAddress)
	register(t, client, service)

	got, err := client.Instance(t.Context(), catalog.Identity{Node: service.Node, ID: service.ID})
	if err != nil || !got.Equal(service) {
		t.Errorf("Instance without a name: %+v, %v", got, err)
	}
}

func TestUpdateMakesTheInstanceWhatTheDefinitionSays(t *testing.T) {
	places(t, func(t *testing.T, node string) {
		service := full(t, node)
		client := newClient(t, consulAddress)
		register(t, client, service)

		service.Address, service.Port, service.Tags, service.Meta = "127.0.0.8", 81, []string{"c"}, nil
		service.Checks = map[string]catalog.Check{
			"web":   {TCP: "127.0.0.1:2", Interval: 5 * time.Second, Timeout: time.Second, Status: "critical"},
			"other": {TCP: "127.0.0.1:3", Interval: 5 * time.Second, Timeout: time.Second, Status: "critical"},
		}

		if err := client.Update(t.Context(), service); err != nil {
			t.Fatalf("Update: %v", err)
		}

		wantInstance(t, client, service)
	})
}

func TestDroppedCheckIsDeregistered(t *testing.T) {
	places(t, func(t *testing.T, node string) {
		service := full(t, node)
		client := newClient(t, consulAddress)
		register(t, client, service)

		delete(service.Checks, "port")

		if err := client.Update(t.Context(), service); err != nil {
			t.Fatalf("Update: %v", err)
		}

		var ids []string

		eventually(t, "the catalog has one check", func() bool {
			ids = nil

			checks, _, err := others.Health().Checks(service.Name, nil)
			if err != nil {
				t.Fatalf("list checks: %v", err)
			}

			for _, check := range checks {
				ids = append(ids, check.CheckID)
			}

			return len(ids) == 1
		})

		if ids[0] != "service:"+service.ID+":web" {
			t.Errorf("left is %q, want the check that was kept", ids[0])
		}
	})
}

func TestUpdateKeepsTheHealthThatWasSeen(t *testing.T) {
	service := full(t, "node-"+unique(t))
	client := newClient(t, consulAddress)
	register(t, client, service)

	setStatus(t, service, "passing", "200 OK")

	web := service.Checks["web"]
	web.Interval = 2 * time.Minute
	service.Checks["web"] = web
	service.Tags = []string{"new"}

	if err := client.Update(t.Context(), service); err != nil {
		t.Fatalf("Update: %v", err)
	}

	check := checkOf(t, service, "web")
	if check.Status != "passing" || check.Output != "200 OK" {
		t.Errorf("after the update the check is %s (%q), want it passing as a prober had found it", check.Status, check.Output)
	}

	if check.Definition.IntervalDuration != 2*time.Minute {
		t.Errorf("interval is %s, want 2m", check.Definition.IntervalDuration)
	}
}

func TestUpdateKeepsAMaintenance(t *testing.T) {
	service := full(t, "")
	client := newClient(t, consulAddress)
	register(t, client, service)

	if err := others.Agent().EnableServiceMaintenance(service.ID, "repair"); err != nil {
		t.Fatalf("enable maintenance: %v", err)
	}

	wantInstance(t, newClient(t, consulAddress), service) // a maintenance is no part of the definition

	service.Port = 82
	if err := client.Update(t.Context(), service); err != nil {
		t.Fatalf("Update: %v", err)
	}

	status, _, err := others.Agent().AgentHealthServiceByID(service.ID)
	if err != nil || status != api.HealthCritical {
		t.Errorf("after the update the instance is %s (%v), want it in maintenance still", status, err)
	}

	_, info, err := others.Agent().AgentHealthServiceByID(service.ID)
	if err != nil || info.AggregatedStatus != api.HealthMaint {
		t.Errorf("after the update the aggregated status is %v (%v), want maintenance", info, err)
	}
}

func TestRegistrationCanBeRepeatedButNotBeTakenOver(t *testing.T) {
	places(t, func(t *testing.T, node string) {
		service := full(t, node)
		client := newClient(t, consulAddress)
		register(t, client, service)

		if err := client.Register(t.Context(), service); err != nil {
			t.Errorf("the same registration again: %v", err)
		}

		foreign := service
		foreign.Port = 9999

		err := client.Register(t.Context(), foreign)
		if !errors.Is(err, catalog.ErrTaken) || !strings.Contains(err.Error(), "port 80") {
			t.Errorf("another definition under the same id: %v, want ErrTaken that says what is there", err)
		}

		wantInstance(t, client, service)
	})
}

func TestNodeThatRunsAnAgentIsRefused(t *testing.T) {
	agent, err := others.Agent().NodeName()
	if err != nil {
		t.Fatalf("read the agent's node name: %v", err)
	}

	service := full(t, agent)
	client := newClient(t, consulAddress)

	for verb, write := range map[string]func() error{
		"Register": func() error { return client.Register(t.Context(), service) },
		"Update":   func() error { return client.Update(t.Context(), service) },
	} {
		err := write()
		if err == nil || !strings.Contains(err.Error(), "anti-entropy") || !strings.Contains(err.Error(), "Leave out node") {
			t.Errorf("%s on a node with an agent: %v, want a refusal with its reason and what to do", verb, err)
		}
	}

	if _, err := client.Instance(t.Context(), service.Identity); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("after the refusal: %v, want ErrNotFound", err)
	}
}

func TestLastServiceTakesTheNodeThatWasMadeForIt(t *testing.T) {
	first := full(t, "node-"+unique(t))
	second := first
	second.ID = first.ID + "-second"
	client := newClient(t, consulAddress)
	register(t, client, first)
	register(t, client, second)

	node, _, err := others.Catalog().Node(first.Node, nil)
	if err != nil || node.Node.Meta["external-node"] != "true" || node.Node.Meta["external-probe"] != "true" {
		t.Fatalf("the node is %+v (%v), want it marked for consul-esm", node, err)
	}

	deregister(t, client, first)

	if node, _, err := others.Catalog().Node(first.Node, nil); err != nil || len(node.Services) != 1 {
		t.Fatalf("with one service left the node is %+v (%v)", node, err)
	}

	deregister(t, client, second)

	if node, _, err := others.Catalog().Node(first.Node, nil); err != nil || node != nil {
		t.Errorf("with no service left the node is %+v (%v), want none", node, err)
	}
}

func TestNodeThatWasMadeFollowsItsServicesAddress(t *testing.T) {
	service := full(t, "node-"+unique(t))
	client := newClient(t, consulAddress)
	register(t, client, service)

	wantAddress := func(want string) {
		t.Helper()

		node, _, err := others.Catalog().Node(service.Node, nil)
		if err != nil || node == nil || node.Node.Address != want || node.Node.Meta["managed-by"] == "" {
			t.Errorf("the node is %+v (%v), want it at %s and still ours", node, err, want)
		}
	}

	service.Address = "127.0.0.10"
	if err := client.Update(t.Context(), service); err != nil {
		t.Fatalf("Update: %v", err)
	}

	wantAddress("127.0.0.10")

	lost := &api.CatalogDeregistration{Node: service.Node, ServiceID: service.ID}
	if _, err := others.Catalog().Deregister(lost, nil); err != nil {
		t.Fatalf("deregister as somebody else: %v", err)
	}

	service.Address = "127.0.0.11"
	if err := client.Register(t.Context(), service); err != nil {
		t.Fatalf("Register: %v", err)
	}

	wantAddress("127.0.0.11")
}

func TestNodeOfOthersStays(t *testing.T) {
	service := full(t, "node-"+unique(t))
	foreign := &api.CatalogRegistration{Node: service.Node, Address: "127.0.0.7", NodeMeta: map[string]string{"owner": "else"}}

	if _, err := others.Catalog().Register(foreign, nil); err != nil {
		t.Fatalf("register a node: %v", err)
	}

	client := newClient(t, consulAddress)
	register(t, client, service)
	deregister(t, client, service)

	node, _, err := others.Catalog().Node(service.Node, nil)
	if err != nil || node == nil || node.Node.Address != "127.0.0.7" || !cmp.Equal(node.Node.Meta, foreign.NodeMeta) {
		t.Errorf("the node is %+v (%v), want it as its owner made it", node, err)
	}

	if len(node.Services) != 0 {
		t.Errorf("left on the node: %v", node.Services)
	}
}

func TestParallelLeaversOfANodeLeaveNothing(t *testing.T) {
	client := newClient(t, consulAddress)
	node := "node-" + unique(t)

	var all sync.WaitGroup

	for i := range 8 {
		service := catalog.Service{Identity: catalog.Identity{Node: node, Name: unique(t), ID: fmt.Sprintf("%s-%d", unique(t), i)}, Address: "127.0.0.9", Weights: catalog.Weights{Passing: 1, Warning: 1}}

		all.Go(func() {
			if err := client.Register(t.Context(), service); err != nil {
				t.Errorf("Register: %v", err)
			}

			if err := client.Deregister(t.Context(), service.Identity, service.Mark); err != nil {
				t.Errorf("Deregister: %v", err)
			}
		})
	}

	all.Wait()

	if left, _, err := others.Catalog().Node(node, nil); err != nil || left != nil {
		t.Errorf("the node is %+v (%v), want none", left, err)
	}
}

func TestDeregistrationOfWhatIsGoneSucceeds(t *testing.T) {
	places(t, func(t *testing.T, node string) {
		if err := newClient(t, consulAddress).Deregister(t.Context(), full(t, node).Identity, catalog.Mark{}); err != nil {
			t.Errorf("Deregister: %v", err)
		}
	})
}

func TestTooManyChecksForOneTransactionAreRefused(t *testing.T) {
	service := full(t, "node-"+unique(t))
	for i := range 130 {
		service.Checks[fmt.Sprintf("c%d", i)] = catalog.Check{TCP: "127.0.0.1:1", Interval: time.Minute, Timeout: time.Second, Status: "critical"}
	}

	err := newClient(t, consulAddress).Register(t.Context(), service)
	if err == nil || !strings.Contains(err.Error(), "128") {
		t.Errorf("Register: %v, want a refusal that says the limit", err)
	}
}
