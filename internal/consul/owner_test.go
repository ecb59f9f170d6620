package consul_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

func TestInstanceThatAnotherStateOwnsIsNotTouchedWithoutForce(t *testing.T) {
	for label, lines := range map[string]string{"agent": "", "catalog": "node = \"node-%s\"\naddress = \"127.0.0.2\"\n"} {
		t.Run(label, func(t *testing.T) {
			name := unique(t)
			base := fmt.Sprintf("name = %q\n", name) + strings.ReplaceAll(lines, "%s", name)
			mine, theirs := block("it", base+"port = 80"), block("it", base+"port = 81")

			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: factories(consulServer.Address()),
				Steps: []resource.TestStep{
					{Config: mine},
					{
						PreConfig: func() {
							resource.UnitTest(t, resource.TestCase{ // another state
								ProtoV6ProviderFactories: factories(consulServer.Address()),
								Steps: []resource.TestStep{
									{Config: theirs, ExpectError: words("the id is taken", "another state of this provider", "force = true")},
								},
							})
						},
						Config: mine, ConfigPlanChecks: emptyPlan(),
					},
					{
						PreConfig:   func() { takeOver(t, name, label) },
						Config:      mine,
						ExpectError: words(`Unable to update Consul service "`+name+`"`, "belongs to another state", "terraform state rm"),
					},
					{Config: mine, Destroy: true, ExpectError: words(`Unable to delete Consul service "`+name+`"`, "belongs to another state")},
					{Config: block("it", base+"port = 80\nforce = true"), ConfigPlanChecks: action(plancheck.ResourceActionUpdate)},
				},
			})
		})
	}
}

// takeOver registers the instance with another port and another state's mark.
func takeOver(t *testing.T, name, where string) {
	t.Helper()

	mark := map[string]string{"managed-by": "terraform-provider-hypervisor owner=somebody"}

	var err error
	if where == "agent" {
		err = others.Agent().ServiceRegister(&api.AgentServiceRegistration{Name: name, Port: 99, Meta: mark})
	} else {
		service := &api.AgentService{ID: name, Service: name, Address: "127.0.0.2", Port: 99, Meta: mark}
		_, err = others.Catalog().Register(&api.CatalogRegistration{Node: "node-" + name, SkipNodeUpdate: true, Service: service}, nil)
	}

	if err != nil {
		t.Fatalf("register: %v", err)
	}
}

func TestInstanceIsOutOfServiceBeforeItIsDeregistered(t *testing.T) {
	for label, where := range map[string]string{"agent": "", "catalog": "node = \"node-%s\"\naddress = \"127.0.0.2\"\n"} {
		t.Run(label, func(t *testing.T) {
			name := unique(t)
			config := block("it", fmt.Sprintf("name = %q\n", name)+strings.ReplaceAll(where, "%s", name)+
				"drain = \"1500ms\"\nchecks = { web = { tcp = \"127.0.0.1:1\", interval = \"1h\", status = \"passing\" } }")
			seen := make(chan time.Duration, 1)

			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: factories(consulServer.Address()),
				Steps: []resource.TestStep{
					{Config: config, Check: func(*terraform.State) error { return inService(name, 1) }},
					{
						PreConfig: func() { go watchLeaving(name, seen) },
						Config:    config, Destroy: true,
					},
				},
			})

			if away := <-seen; away < time.Second {
				t.Errorf("the instance was out of service for %s before it was gone, want 1.5 s", away)
			}
		})
	}
}

// watchLeaving measures how long the instance is registered but out of service.
func watchLeaving(name string, seen chan<- time.Duration) {
	var out time.Time

	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()

	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-ticker.C {
		all, _, err := others.Health().Service(name, "", false, nil)
		if err != nil {
			continue
		}

		passing, _, err := others.Health().Service(name, "", true, nil)

		switch {
		case err != nil:
		case len(all) == 1 && len(passing) == 0 && out.IsZero():
			out = time.Now()
		case len(all) == 0 && !out.IsZero():
			seen <- time.Since(out)

			return
		case len(all) == 0:
			seen <- 0

			return
		}
	}

	seen <- 0
}

func inService(name string, want int) error {
	passing, _, err := others.Health().Service(name, "", true, nil)
	if err == nil && len(passing) != want {
		err = fmt.Errorf("%d instances of %s are in service, want %d", len(passing), name, want)
	}

	return err
}

func TestDeletionThatWasInterruptedIsEndedByTheNextApply(t *testing.T) {
	name := unique(t)
	config := block("it", fmt.Sprintf("name = %q\ndrain = \"1ms\"\nport = 80", name))
	draining := func(want bool) []statecheck.StateCheck {
		return []statecheck.StateCheck{statecheck.ExpectKnownValue(it, tfjsonpath.New("draining"), knownvalue.Bool(want))}
	}

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		Steps: []resource.TestStep{
			{Config: config, ConfigStateChecks: draining(false)},
			{
				PreConfig: func() { // what a killed deletion leaves
					if err := others.Agent().EnableServiceMaintenance(name, "terraform-provider-hypervisor: about to be deregistered"); err != nil {
						t.Fatalf("enable maintenance: %v", err)
					}
				},
				RefreshState: true, ExpectNonEmptyPlan: true,
			},
			{
				Config: config, ConfigPlanChecks: action(plancheck.ResourceActionUpdate), ConfigStateChecks: draining(false),
				Check: func(*terraform.State) error { return passes(name) },
			},
			{
				PreConfig: func() { // an operator's own
					if err := others.Agent().EnableServiceMaintenance(name, "repair"); err != nil {
						t.Fatalf("enable maintenance: %v", err)
					}
				},
				Config: config, ConfigPlanChecks: emptyPlan(),
			},
		},
	})
}
