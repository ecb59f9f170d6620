package consul_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

const itsNode = "consul_node.it"

func nodeBlock(lines string) string {
	return "resource \"consul_node\" \"it\" {\n  provider = hypervisor\n" + lines + "\n}\n"
}

func nodeAction(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{
		PreApply:            []plancheck.PlanCheck{plancheck.ExpectResourceAction(itsNode, action)},
		PostApplyPreRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
	}
}

// nodeHas compares the node's address, its meta data and the ids of its checks with what they should be.
func nodeHas(name, address string, meta map[string]string, checks ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		node, _, err := others.Catalog().Node(name, nil)
		if err != nil || node == nil {
			return fmt.Errorf("the node is %v: %w", node, err)
		}

		found, _, err := others.Health().Node(name, nil)
		if err != nil {
			return err
		}

		var ids []string
		for _, check := range found {
			ids = append(ids, check.CheckID)
		}

		delete(node.Node.Meta, "managed-by")

		if diff := cmp.Diff([]any{address, meta, checks}, []any{node.Node.Address, node.Node.Meta, ids}); diff != "" {
			return fmt.Errorf("the node is something else (-want +got):\n%s", diff)
		}

		return nil
	}
}

func nodeIsGone(name string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		if node, _, err := others.Catalog().Node(name, nil); err != nil || node != nil {
			return fmt.Errorf("the node is %v (%w), want none", node, err)
		}

		return nil
	}
}

func TestNodeLivesThroughAllItsChanges(t *testing.T) {
	name := unique(t)
	first := nodeBlock(fmt.Sprintf(`
  name    = %q
  address = "127.0.0.2"
  meta    = { rack = "r1" }
  checks  = {
    dropped = { tcp = "127.0.0.1:1" }
    web     = { http = "http://127.0.0.1:1/", request = { method = "HEAD", headers = { Accept = "text/plain" } } }
  }`, name))
	second := nodeBlock(fmt.Sprintf(`
  name             = %q
  address          = "127.0.0.3"
  tagged_addresses = { wan = "203.0.113.3" }
  probe            = false
  checks           = { web = { tcp = "127.0.0.1:2", tls = { server_name = "web" } } }`, name))

	hasFirst := nodeHas(name, "127.0.0.2", map[string]string{"rack": "r1", "external-node": "true", "external-probe": "true"}, "node:dropped", "node:web")
	hasSecond := nodeHas(name, "127.0.0.3", map[string]string{"external-node": "true", "external-probe": "false"}, "node:web")
	change := func(change func(*api.CatalogRegistration)) func() {
		return func() {
			registration := &api.CatalogRegistration{Node: name, Address: "127.0.0.3"}
			change(registration)

			if _, err := others.Catalog().Register(registration, nil); err != nil {
				t.Fatalf("change the node as somebody else: %v", err)
			}
		}
	}
	lose := func() {
		if _, err := others.Catalog().Deregister(&api.CatalogDeregistration{Node: name}, nil); err != nil {
			t.Fatalf("lose the node: %v", err)
		}
	}

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		CheckDestroy:             nodeIsGone(name),
		Steps: []resource.TestStep{
			{Config: first, ConfigPlanChecks: nodeAction(plancheck.ResourceActionCreate), Check: hasFirst},
			{ResourceName: itsNode, ImportState: true, ImportStateId: name, ImportStateVerify: true, ImportStateVerifyIdentifierAttribute: "name"},
			{ResourceName: itsNode, ImportState: true, ImportStateKind: resource.ImportBlockWithID, ImportStateId: name},
			{Config: second, ConfigPlanChecks: nodeAction(plancheck.ResourceActionUpdate), Check: hasSecond},
			{PreConfig: change(func(r *api.CatalogRegistration) { r.Address = "127.0.0.9" }), Config: second, ConfigPlanChecks: nodeAction(plancheck.ResourceActionUpdate), Check: hasSecond},
			{PreConfig: lose, Config: second, ConfigPlanChecks: nodeAction(plancheck.ResourceActionCreate), Check: hasSecond},
			{Config: first, ConfigPlanChecks: nodeAction(plancheck.ResourceActionUpdate), Check: hasFirst},
			{Config: first, ConfigPlanChecks: emptyPlan()},
		},
	})
}

func TestServicesStandOnANodeOfTheirConfiguration(t *testing.T) {
	name := unique(t)
	config := nodeBlock(fmt.Sprintf("name = %q\naddress = \"127.0.0.2\"", name)) +
		block("it", fmt.Sprintf("name = %q\nnode = consul_node.it.name\naddress = \"127.0.0.2\"", name))

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		CheckDestroy:             nodeIsGone(name),
		Steps: []resource.TestStep{
			{Config: config, Check: func(*terraform.State) error { return catalogHas(name, name, "127.0.0.2", 0, nil, nil) }},
			{Config: config, ConfigPlanChecks: emptyPlan()},
			{ // the node of the configuration outlives its last service
				Config: nodeBlock(fmt.Sprintf("name = %q\naddress = \"127.0.0.2\"", name)),
				Check:  nodeHas(name, "127.0.0.2", map[string]string{"external-node": "true", "external-probe": "true"}, []string(nil)...),
			},
		},
	})
}

func TestNodeWithServicesOfOthersIsNotRemoved(t *testing.T) {
	name := unique(t)
	config := nodeBlock(fmt.Sprintf("name = %q\naddress = \"127.0.0.2\"", name))
	register := func() {
		service := &api.AgentService{ID: "theirs", Service: "theirs"}
		if _, err := others.Catalog().Register(&api.CatalogRegistration{Node: name, SkipNodeUpdate: true, Service: service}, nil); err != nil {
			t.Fatalf("register: %v", err)
		}
	}
	deregister := func() {
		if _, err := others.Catalog().Deregister(&api.CatalogDeregistration{Node: name, ServiceID: "theirs"}, nil); err != nil {
			t.Fatalf("deregister: %v", err)
		}
	}

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		CheckDestroy:             nodeIsGone(name),
		Steps: []resource.TestStep{
			{Config: config},
			{PreConfig: register, Config: config, Destroy: true, ExpectError: words("Unable to delete Consul node", `service "theirs" stands on it`)},
			{PreConfig: deregister, Config: config, ConfigPlanChecks: emptyPlan()},
		},
	})
}

func TestBadNodeIsRefusedAtPlanTime(t *testing.T) {
	agent, err := others.Agent().NodeName()
	if err != nil {
		t.Fatalf("read the agent's node name: %v", err)
	}

	for name, input := range map[string]struct {
		lines string
		want  []string
	}{
		"runs an agent": {fmt.Sprintf("name = %q", agent), []string{"Unable to plan Consul node", "runs a Consul agent"}},
		"partition":     {"name = \"n1\"\npartition = \"ap1\"", []string{"Unable to plan Consul node", "not Consul Enterprise", "Leave partition out"}},
		"name":          {`name = "n_1"`, []string{"DNS label"}},
		"meta":          {"name = \"n1\"\nmeta = { external-node = \"false\" }", []string{"external-node"}},
		"check's kind":  {"name = \"n1\"\nchecks = { ping = { udp = \"127.0.0.1:1\" } }", []string{"Check that nobody would run", "consul-esm"}},
	} {
		t.Run(name, func(t *testing.T) {
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: factories(consulServer.Address()),
				Steps:                    []resource.TestStep{{Config: nodeBlock(input.lines + "\naddress = \"127.0.0.2\""), PlanOnly: true, ExpectError: words(input.want...)}},
			})
		})
	}
}
