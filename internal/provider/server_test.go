//go:build cgo

package provider

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// TestShortWayAnswersAsTheLongWayDoes makes an object of many types, changes each value in its state and its configuration
// in turn, and has both ways read it and plan.
func TestShortWayAnswersAsTheLongWayDoes(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]

	consul, err := host.Bed().StartConsul(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	block := map[string]any{
		"hosts":   map[string]any{"alpha": map[string]any{"uri": host.URI()}},
		"consul":  map[string]any{"address": consul.Address()},
		"gateway": map[string]any{"kong": map[string]any{"admin_url": kongtest.New(t).URL}},
	}
	d := newDesk(t, block)
	limit := object(tftypes.Object{AttributeTypes: map[string]tftypes.Type{"minute": tftypes.Number}}, map[string]any{"minute": 5})

	for _, declared := range []struct {
		of     string
		config map[string]any
	}{
		{"hypervisor_network", map[string]any{"host": "alpha", "name": "n1", "mode": "isolated", "addresses": []string{"10.99.1.1/24"}}},
		{"hypervisor_volume", map[string]any{"host": "alpha", "name": "m1.qcow2", "size": "1MiB"}},
		{"hypervisor_vm", machineOf()},
		{"consul_node", map[string]any{"name": "db", "address": "10.0.0.2", "meta": map[string]any{"rack": "r1"}}},
		{"consul_service", map[string]any{
			"name": "web", "node": "db", "address": "10.0.0.2", "port": 80, "tags": []string{"v1"},
			"checks": map[string]any{"up": map[string]any{"http": "http://10.0.0.2/", "status": "passing"}},
		}},
		{"gateway_upstream", map[string]any{"name": "web", "services": map[string]any{"web": map[string]any{}}}},
		{"gateway_route", map[string]any{"name": "shop", "hosts": []string{"shop.example.com"}, "upstream": "web"}},
		{"gateway_plugin", map[string]any{"name": "limit", "type": "rate-limiting", "route": "shop", "config": limit}},
		{"gateway_consumer", map[string]any{"name": "ann"}},
	} {
		made := d.apply(declared.of, declared.config)
		fresh := newDesk(t, block)

		fresh.wantBoth(made, true)

		old := made
		old.identity = nil // as a Terraform has it that knows no identities
		fresh.wantBoth(old, true)

		for _, changed := range variants(made.state) {
			other := made
			other.state = changed
			fresh.wantBoth(other, false)
		}

		for _, changed := range variants(made.config) {
			if fresh.valid(made.of, changed) {
				other := made
				other.config = changed
				fresh.wantPlan(other)
			}
		}
	}
}

func machineOf() map[string]any {
	return map[string]any{
		"name": "m1", "host": "alpha", "memory": "32MiB", "domain_type": "qemu", "running": false,
		"cpu":        map[string]any{"pins": []string{"1"}, "emulator": "0"},
		"disks":      map[string]any{"root": map[string]any{"volume": "alpha/default/m1.qcow2"}},
		"interfaces": map[string]any{"lan": map[string]any{"bridge": "br0"}},
	}
}

// wantBoth reads and plans both ways. short wants the short way to be taken.
func (d desk) wantBoth(of made, short bool) {
	d.t.Helper()

	reads, plans := d.long.reads.Load(), d.long.plans.Load()

	if d.wantRead(of) {
		d.wantPlan(of)
	}

	if short && (d.long.reads.Load() != reads || d.long.plans.Load() != plans) {
		d.t.Errorf("An unchanged %s goes the long way %d times to be read and %d to be planned", of.of, d.long.reads.Load()-reads, d.long.plans.Load()-plans)
	}
}

// wantRead reads both ways. It reports whether Terraform would go on to plan.
func (d desk) wantRead(of made) bool {
	d.t.Helper()

	req := &tfprotov6.ReadResourceRequest{TypeName: of.of, CurrentState: d.dynamic(of.state), CurrentIdentity: of.identity, Private: of.private}

	got, err := d.server.ReadResource(d.t.Context(), req)
	if err != nil {
		d.t.Fatal(err)
	}

	want, err := d.long.Full.ReadResource(d.t.Context(), req)
	if err != nil {
		d.t.Fatal(err)
	}

	d.wantSame("read", of, answer{want.Diagnostics, want.NewState, want.NewIdentity, nil}, answer{got.Diagnostics, got.NewState, got.NewIdentity, nil})

	return len(want.Diagnostics) == 0
}

// wantPlan plans that the object stays as its state has it, as Terraform proposes it for whatever the configuration leaves
// to the provider.
func (d desk) wantPlan(of made) {
	d.t.Helper()

	req := &tfprotov6.PlanResourceChangeRequest{
		TypeName: of.of, PriorState: d.dynamic(of.state), ProposedNewState: d.dynamic(of.state), Config: d.dynamic(of.config),
		PriorIdentity: of.identity, PriorPrivate: of.private,
	}

	got, err := d.server.PlanResourceChange(d.t.Context(), req)
	if err != nil {
		d.t.Fatal(err)
	}

	want, err := d.long.Full.PlanResourceChange(d.t.Context(), req)
	if err != nil {
		d.t.Fatal(err)
	}

	d.wantSame("planned", of,
		answer{want.Diagnostics, want.PlannedState, want.PlannedIdentity, want.RequiresReplace},
		answer{got.Diagnostics, got.PlannedState, got.PlannedIdentity, got.RequiresReplace})
}

// answer is what Terraform takes from a read or a plan.
type answer struct {
	diagnostics []*tfprotov6.Diagnostic
	state       *tfprotov6.DynamicValue
	identity    *tfprotov6.ResourceIdentityData
	replace     []*tftypes.AttributePath
}

// wantSame compares answers. With an error it is all that Terraform takes.
func (d desk) wantSame(what string, of made, want, got answer) {
	d.t.Helper()

	texts := func(a answer) []string {
		said := said(a.diagnostics)
		if strings.Contains(said, tfprotov6.DiagnosticSeverityError.String()) {
			return []string{said}
		}

		identity := ""
		if a.identity != nil && a.identity.IdentityData != nil {
			identity = string(a.identity.IdentityData.MsgPack)
		}

		return []string{said, d.value(of.of, a.state).String(), identity, fmt.Sprint(a.replace)}
	}

	if diff := cmp.Diff(texts(want), texts(got)); diff != "" {
		d.t.Errorf("A %s with the state\n%v\nand the configuration\n%v\nis %s otherwise:\n%s", of.of, of.state, of.config, what, diff)
	}
}

// said are diagnostics in no order.
func said(all []*tfprotov6.Diagnostic) string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = fmt.Sprint(one.Severity, one.Attribute, one.Summary, one.Detail)
	}

	slices.Sort(texts)

	return strings.Join(texts, "\n")
}

// TestChangeBehindOurBackGoesTheLongWay changes a machine whose state says otherwise, and then removes it.
func TestChangeBehindOurBackGoesTheLongWay(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	client := libvirt.NewHost("alpha", libvirt.Config{URI: host.URI(), ConnectTimeout: time.Minute})

	if err := client.CreateVolume(t.Context(), libvirt.VolumeSpec{Pool: "default", Name: "m1.qcow2", Format: "qcow2", Capacity: 1 << 20}); err != nil {
		t.Fatal(err)
	}

	block := map[string]any{"hosts": map[string]any{"alpha": map[string]any{"uri": host.URI()}}}
	made := newDesk(t, block).apply("hypervisor_vm", machineOf())

	wantRead := func(what string, long int64) {
		t.Helper()

		again := newDesk(t, block)
		again.wantRead(made)

		if got := again.long.reads.Load(); got != long {
			t.Errorf("%s: %d reads go the long way, want %d", what, got, long)
		}
	}

	wantRead("the machine is as it was", 0)

	domain, err := client.DomainByName(t.Context(), "m1")
	if err != nil {
		t.Fatal(err)
	}

	if err := client.SetAutostart(t.Context(), domain.UUID, false); err != nil {
		t.Fatal(err)
	}

	wantRead("the machine has changed", 1)

	if err := client.Undefine(t.Context(), domain.UUID); err != nil {
		t.Fatal(err)
	}

	wantRead("the machine has gone", 1)
}
