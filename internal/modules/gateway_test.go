package modules_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

// TestGatewaysShareAnAddress runs keepalived and Traefik by what the module tells two machines.
func TestGatewaysShareAnAddress(t *testing.T) {
	program, err := testbed.Tool(t.Context(), "traefik")
	if err != nil {
		t.Fatal(err)
	}

	told := render(t, read(t, "testdata/gateway.tf"), map[string]any{})
	lan := newLAN(t)
	gateways := map[string]*machine{}
	traefiks := map[string]*testbed.Beside{}

	for name, address := range map[string]string{"gateway-1": "10.0.0.31", "gateway-2": "10.0.0.32"} {
		// The test's folder is open to root only, and so is what nobody may run.
		gateways[name] = lan.add(t, name, address, told[name], "script_user nobody", "script_user root")
		traefiks[name] = gateways[name].start(t, program, "--configfile="+gateways[name].path("/etc/traefik/traefik.yml"))
		gateways[name].startKeepalived(t)
	}

	first := holder(t, gateways, "")

	t.Run("a gateway that does not answer gives the address up", func(t *testing.T) {
		traefiks[first].Kill()
		holder(t, gateways, first)
	})

	other := map[string]string{"gateway-1": "gateway-2", "gateway-2": "gateway-1"}[first]

	t.Run("one that answers again takes it when the other's machine dies", func(t *testing.T) {
		back := gateways[first]
		back.start(t, program, "--configfile="+back.path("/etc/traefik/traefik.yml"))

		eventually(t, func() error {
			_, err := back.run(t, back.path("/usr/local/sbin/gateway-check"))

			return err
		})

		gateways[other].cut(t)
		holder(t, gateways, other)
	})
}

// TestKeepalivedComplainsOfNothing also holds what the test looks for against a configuration with a mistake.
func TestKeepalivedComplainsOfNothing(t *testing.T) {
	lan, told := newLAN(t), render(t, read(t, "testdata/gateway.tf"), map[string]any{})

	for name, want := range map[string]string{"script_user": "", "script_suer": "Unknown keyword"} {
		m := lan.add(t, "gateway-"+name, map[string]string{"script_user": "10.0.0.31", "script_suer": "10.0.0.32"}[name], told["gateway-1"],
			"script_user nobody", name+" root")

		said, _ := m.run(t, "setsid", "--wait", "keepalived", "--config-test", "--log-console", "--dont-fork", "--use-file="+m.path("/etc/keepalived/keepalived.conf"))
		if (want == "" && said != "") || !strings.Contains(said, want) { // it ends itself by a signal, so its status says nothing
			t.Errorf("keepalived says %q of a configuration with %s.", said, name)
		}
	}
}

func (m *machine) startKeepalived(t *testing.T) {
	t.Helper()

	m.start(t, "keepalived", "--dont-fork", "--log-console", "--log-detail",
		"--pid="+m.path("keepalived.pid"), "--vrrp_pid="+m.path("vrrp.pid"), "--use-file="+m.path("/etc/keepalived/keepalived.conf"))
}

// holder waits until one of the gateways has the address, not regarding the one that lost it, and returns its name.
func holder(t *testing.T, gateways map[string]*machine, but string) string {
	t.Helper()

	var name string

	eventually(t, func() error {
		var has []string

		for candidate, m := range gateways {
			addresses, err := m.run(t, "ip", "-4", "-oneline", "address", "show", "dev", "lan")
			if err != nil {
				return fmt.Errorf("look for the address: %w: %s", err, addresses)
			}

			if candidate != but && strings.Contains(addresses, " 10.0.0.100/32 ") {
				has = append(has, candidate)
			}
		}

		if len(has) != 1 {
			return errors.New("the address is at " + fmt.Sprint(has))
		}

		name = has[0]

		return nil
	})

	return name
}
