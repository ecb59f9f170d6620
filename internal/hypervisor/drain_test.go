package hypervisor_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// drainWait is long against what it takes to look at Consul and at the host.
const drainWait = 4 * time.Second

// drained watches whether a machine ever stops while Consul still sends requests to it.
type drained struct {
	consul     *api.Client
	host       *testbed.Host
	violations atomic.Int64
	looks      atomic.Int64
}

func (d *drained) inService(t *testing.T) bool {
	t.Helper()

	found, _, err := d.consul.Health().Service("up", "", true, nil)
	if err != nil {
		t.Errorf("list the instances: %v", err)
	}

	return len(found) > 0
}

// watch looks until the test ends. A look that took as long as a drain proves nothing.
func (d *drained) watch(t *testing.T) {
	t.Helper()

	done, ended := make(chan struct{}), make(chan struct{})

	t.Cleanup(func() { close(done); <-ended })

	go func() {
		defer close(ended)

		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()

		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}

			began := time.Now()

			found, _, err := d.consul.Health().Service("up", "", true, nil)
			if err != nil {
				continue
			}

			serving := len(found) > 0

			names, err := exec.Command("virsh", "-q", "-c", d.host.URI(), "list", "--name").Output()
			if err != nil {
				continue
			}

			runs := slices.Contains(strings.Fields(string(names)), "m1")

			if d.looks.Add(1); serving && !runs && time.Since(began) < drainWait/2 {
				d.violations.Add(1)
			}
		}
	}()
}

func TestMachineIsDrainedBeforeItIsDisturbedAndComesBackWhenItPasses(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	kind := testbed.DomainTypeFor(t)

	consul, err := host.Bed().StartConsul(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	t.Setenv("CONSUL_HTTP_ADDR", consul.Address())

	client, err := api.NewClient(&api.Config{Address: consul.Address()})
	if err != nil {
		t.Fatal(err)
	}

	d := &drained{consul: client, host: host}

	service := &api.AgentServiceRegistration{Name: "up", Address: "10.77.0.55", Port: 80, Check: &api.AgentServiceCheck{
		HTTP: consul.Address() + "/v1/status/leader", Interval: "1s", Timeout: "500ms", Status: "passing",
	}}
	if err := client.Agent().ServiceRegister(service); err != nil {
		t.Fatal(err)
	}

	config := func(rest string) string {
		return onHosts(fmt.Sprintf(machine, "m1", kind, `
  allow_change = "replace"
  drain        = { services = ["up"], wait = "`+drainWait.String()+`" }
  cloud_init   = { user_data = "#cloud-config", network = { lan = { addresses = ["10.77.0.55/24"] } } }
  cpu          = { pins = ["1"] }
  `+rest), host)
	}
	want := func(serving bool) resource.TestCheckFunc {
		return check(func() {
			if d.inService(t) != serving {
				t.Errorf("in service is %t, want %t", !serving, serving)
			}
		})
	}
	marker := func() { // what a killed apply leaves
		if err := client.Agent().EnableServiceMaintenance("up", "terraform-provider-hypervisor: machine m1 is being changed"); err != nil {
			t.Errorf("enable maintenance: %v", err)
		}
	}

	undisturbed := 0
	goesOn := resource.ComposeTestCheckFunc(want(true), check(func() {
		if now := pid(t, host); now != undisturbed {
			t.Errorf("The machine has the process %d after a change of what it is drained by, and had %d", now, undisturbed)
		}
	}))
	longer := strings.Replace(config(`machine = "pc"`), drainWait.String(), (2 * drainWait).String(), 1)

	run(t,
		resource.TestStep{Config: config(""), Check: want(true)},
		resource.TestStep{PreConfig: func() { d.watch(t) }, Config: config(`machine = "pc"`), ConfigPlanChecks: planned(plancheck.ResourceActionReplace), Check: want(true)},
		resource.TestStep{Config: config("machine = \"pc\"\n  running = false"), ConfigPlanChecks: planned(plancheck.ResourceActionUpdate), Check: want(false)},
		resource.TestStep{
			Config: config(`machine = "pc"`), ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: resource.ComposeTestCheckFunc(want(true), check(func() { undisturbed = pid(t, host) })),
		},
		resource.TestStep{PreConfig: marker, Config: config(`machine = "pc"`), ConfigPlanChecks: planned(plancheck.ResourceActionUpdate), Check: goesOn},
		resource.TestStep{Config: longer, ConfigPlanChecks: planned(plancheck.ResourceActionUpdate), Check: goesOn},
		resource.TestStep{ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/m1", ImportStateVerify: true},
	)

	if d.looks.Load() < 10 || d.violations.Load() > 0 {
		t.Errorf("in %d of %d looks the machine was stopped while Consul sent requests to it", d.violations.Load(), d.looks.Load())
	}
}
