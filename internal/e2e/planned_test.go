//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

// gateways are the machines that share the virtual address, by their hosts.
var gateways = map[string]string{"alpha": "gateway-1", "beta": "gateway-2"}

// maintain takes the host of the primary and of the virtual address out of service as the guide "Maintenance" has it, restarts it,
// and puts it back, which nobody may notice.
func (p *platform) maintain(t *testing.T) {
	host, other := p.primary, others[p.primary]
	p.wantAddress(t, host)
	p.wantVoters(t, other)
	p.wantWebMachines(t, other)

	p.unnoticed(t, "maintenance of "+host, other, func() error {
		p.variables["maintenance"] = host
		if err := p.apply(t); err != nil {
			return err
		}

		p.wantNoChanges(t)
		p.wantAddress(t, other)

		if err := p.hosts[host].Restart(t.Context()); err != nil {
			return err
		}

		if names, err := p.hosts[host].Containers(t.Context()); err != nil || len(names) > 0 {
			t.Errorf("On %s, which is in maintenance, these machines run: %s, %v", host, names, err)
		}

		delete(p.variables, "maintenance")

		if err := p.apply(t); err != nil {
			return err
		}

		p.wantPrimary(t, other)

		return nil
	})

	p.wantNoChanges(t)
	p.wantVoters(t, other)
}

// replace loses the host of the primary for good, and applies the same configuration with a new, empty one under its name, which
// nobody may notice.
func (p *platform) replace(t *testing.T) {
	host, other := p.primary, others[p.primary]

	p.underLoad(t, "loss of "+host+" for good", other, steady, func() error { return p.hosts[host].Kill(t.Context()) })

	system, err := testbed.OpenSystem(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	fresh, err := p.bed.StartHost(t.Context(), testbed.HostOptions{Name: "new-" + host, Containers: true, System: system})
	if err != nil {
		t.Fatal(err)
	}

	p.unnoticed(t, "replacement of "+host, other, func() error {
		p.hosts[host] = fresh
		p.variables["uris"].(map[string]string)[host] = fresh.ContainerURI()

		if err := p.apply(t); err != nil {
			return err
		}

		p.wantPrimary(t, other)

		return nil
	})

	p.wantNoChanges(t)
	p.wantVoters(t, other)
}

// wantAddress waits until the virtual address is on a host.
func (p *platform) wantAddress(t *testing.T, host string) {
	t.Helper()

	eventually(t, "the address to be on "+host, func(ctx context.Context) error {
		text, err := p.hosts[host].Inside(ctx, gateways[host], "ip", "-brief", "address", "show", "to", p.address)
		if err == nil && !strings.Contains(text, p.address+"/") {
			err = fmt.Errorf("the gateway there has %q", text)
		}

		return err
	})
}

// wantWebMachines waits until both web machines answer. The question is asked on a host that lives.
func (p *platform) wantWebMachines(t *testing.T, host string) {
	t.Helper()

	eventually(t, "two web machines to answer", func(ctx context.Context) error {
		text, err := p.hosts[host].Inside(ctx, gateways[host], "sh", "-c", "consul watch -type=service -service=web -passingonly=true | jq length")
		if err == nil && text != "2\n" {
			err = fmt.Errorf("so many do: %q", text)
		}

		return err
	})
}

// wantVoters waits until all three Consul servers vote. The question is asked on a host that lives.
func (p *platform) wantVoters(t *testing.T, host string) {
	t.Helper()

	server := map[string]string{"alpha": "consul-1", "beta": "consul-2"}[host]

	eventually(t, "three servers to vote", func(ctx context.Context) error {
		text, err := p.hosts[host].Inside(ctx, server, "sh", "-c", "CONSUL_HTTP_TOKEN=$(cut -d' ' -f2 /etc/consul-acl/management.header) consul operator raft list-peers")
		if err == nil && (strings.Count(text, "true") != 3 || strings.Count(text, "\n") != 4) {
			err = fmt.Errorf("these do:\n%s", text)
		}

		return err
	})
}
