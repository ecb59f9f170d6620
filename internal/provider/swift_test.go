//go:build cgo

package provider

import (
	"maps"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// A desk sends a server the requests that Terraform sends about one machine.
type desk struct {
	t      *testing.T
	server server
	kind   tftypes.Object
	config tftypes.Value
}

func (d desk) dynamic(value tftypes.Value) *tfprotov6.DynamicValue {
	d.t.Helper()

	encoded, err := tfprotov6.NewDynamicValue(value.Type(), value)
	if err != nil {
		d.t.Fatal(err)
	}

	return &encoded
}

func (d desk) value(encoded *tfprotov6.DynamicValue) tftypes.Value {
	d.t.Helper()

	value, err := encoded.Unmarshal(d.kind)
	if err != nil {
		d.t.Fatal(err)
	}

	return value
}

// object makes an object whose other attributes are null.
func object(kind tftypes.Type, given map[string]any) tftypes.Value {
	shape, _ := kind.(tftypes.Object)
	values := map[string]tftypes.Value{}

	for name, kind := range shape.AttributeTypes {
		values[name] = tftypes.NewValue(kind, nil)

		switch value := given[name].(type) {
		case nil:
		case []string:
			var elements []tftypes.Value
			for _, text := range value {
				elements = append(elements, tftypes.NewValue(tftypes.String, text))
			}

			values[name] = tftypes.NewValue(kind, elements)
		case map[string]any:
			if collection, ok := kind.(tftypes.Map); ok {
				elements := map[string]tftypes.Value{}
				for key, element := range value {
					attributes, _ := element.(map[string]any)
					elements[key] = object(collection.ElementType, attributes)
				}

				values[name] = tftypes.NewValue(kind, elements)
			} else {
				values[name] = object(kind, value)
			}
		default:
			values[name] = tftypes.NewValue(kind, value)
		}
	}

	return tftypes.NewValue(kind, values)
}

// with returns the object with another value at an attribute, or at an attribute of an object in it.
func with(t *testing.T, whole tftypes.Value, to any, at ...string) tftypes.Value {
	t.Helper()

	var values map[string]tftypes.Value
	if err := whole.As(&values); err != nil {
		t.Fatal(err)
	}

	values = maps.Clone(values)
	if len(at) > 1 {
		values[at[0]] = with(t, values[at[0]], to, at[1:]...)
	} else {
		values[at[0]] = tftypes.NewValue(values[at[0]].Type(), to)
	}

	return tftypes.NewValue(whole.Type(), values)
}

// newDesk configures a server for the host and creates a machine with it.
func newDesk(t *testing.T, host *testbed.Host) (d desk, state *tfprotov6.DynamicValue, identity *tfprotov6.ResourceIdentityData) {
	t.Helper()

	made, ok := Server("test")().(server)
	if !ok {
		t.Fatal("the server is another one")
	}

	schemas, err := made.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}

	d = desk{t: t, server: made, kind: schemas.ResourceSchemas[machineType].ValueType().(tftypes.Object)}
	settings := object(schemas.Provider.ValueType(), map[string]any{"hosts": map[string]any{"alpha": map[string]any{"uri": host.URI()}}})

	if _, err := made.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: d.dynamic(settings)}); err != nil {
		t.Fatal(err)
	}

	d.config = object(d.kind, map[string]any{
		"name": "m1", "host": "alpha", "memory": "32MiB", "domain_type": "qemu", "running": false,
		"cpu":   map[string]any{"pins": []string{"1"}, "emulator": "0"},
		"disks": map[string]any{"root": map[string]any{"volume": "alpha/default/m1.qcow2"}},
	})

	proposed := d.config
	for _, attribute := range schemas.ResourceSchemas[machineType].Block.Attributes {
		var values map[string]tftypes.Value
		if err := proposed.As(&values); err != nil {
			t.Fatal(err)
		}

		if attribute.Computed && values[attribute.Name].IsNull() {
			proposed = with(t, proposed, tftypes.UnknownValue, attribute.Name)
		}
	}

	nothing := d.dynamic(tftypes.NewValue(d.kind, nil))

	planned, err := made.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: machineType, PriorState: nothing, ProposedNewState: d.dynamic(proposed), Config: d.dynamic(d.config),
	})
	if err != nil || len(planned.Diagnostics) > 0 {
		t.Fatalf("plan: %v, %+v", err, planned)
	}

	applied, err := made.ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: machineType, PriorState: nothing, PlannedState: planned.PlannedState, Config: d.dynamic(d.config), PlannedPrivate: planned.PlannedPrivate,
	})
	if err != nil || len(applied.Diagnostics) > 0 {
		t.Fatalf("apply: %v, %+v", err, applied)
	}

	return d, applied.NewState, applied.NewIdentity
}

func TestShortWayAnswersAsTheLongWayDoes(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	client := libvirt.NewHost("alpha", libvirt.Config{URI: host.URI(), ConnectTimeout: time.Minute})

	if err := client.CreateVolume(t.Context(), libvirt.VolumeSpec{Pool: "default", Name: "m1.qcow2", Format: "qcow2", Capacity: 1 << 20}); err != nil {
		t.Fatal(err)
	}

	d, created, identity := newDesk(t, host)
	state := d.value(created)

	for name, test := range map[string]struct {
		prior, config tftypes.Value
		short         bool // whether the short way may be taken
	}{
		"nothing changes":                       {state, d.config, true},
		"an attribute is not what its default":  {with(t, state, false, "autostart"), d.config, false},
		"a nested one is not what its default":  {with(t, state, false, "cpu", "exclusive"), d.config, false},
		"the configuration says what is":        {with(t, state, false, "autostart"), with(t, d.config, false, "autostart"), true},
		"a pin that the host does not have":     {with(t, state, "5000", "cpu", "emulator"), with(t, d.config, "5000", "cpu", "emulator"), true},
		"a disk that is not what its default":   {with(t, state, true, "disks", "root", "read_only"), d.config, false},
		"a disk of a volume of another host":    {with(t, state, "beta/default/x", "disks", "root", "volume"), with(t, d.config, "beta/default/x", "disks", "root", "volume"), false},
		"a count that nobody asked for":         {with(t, state, 2, "cpu", "count"), d.config, false},
		"a claim that was left by a killed run": {with(t, state, nil, "cpu", "exclusive"), d.config, false},
	} {
		req := &tfprotov6.PlanResourceChangeRequest{
			TypeName: machineType, PriorState: d.dynamic(test.prior), ProposedNewState: d.dynamic(test.prior), Config: d.dynamic(test.config), PriorIdentity: identity,
		}

		if got := d.server.asPlanned(t.Context(), req); got != test.short {
			t.Errorf("%s: the short way is taken: %t, want %t", name, got, test.short)
		}

		got, err := d.server.PlanResourceChange(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}

		want, err := d.server.full.PlanResourceChange(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}

		if !d.value(got.PlannedState).Equal(d.value(want.PlannedState)) || len(got.RequiresReplace) != len(want.RequiresReplace) || len(got.Diagnostics) != len(want.Diagnostics) {
			t.Errorf("%s: planned\n%v, want\n%v", name, d.value(got.PlannedState), d.value(want.PlannedState))
		}
	}

	wantRead := func(what string, short bool) {
		t.Helper()

		again, _, _ := reconfigured(t, d, host)
		req := &tfprotov6.ReadResourceRequest{TypeName: machineType, CurrentState: created, CurrentIdentity: identity}

		if got := again.asSaid(t.Context(), req); got != short {
			t.Errorf("%s: the short way is taken: %t, want %t", what, got, short)
		}

		got, err := again.ReadResource(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}

		want, err := again.full.ReadResource(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}

		if diff := cmp.Diff(want.Diagnostics, got.Diagnostics); diff != "" || !d.value(got.NewState).Equal(d.value(want.NewState)) {
			t.Errorf("%s: read %v, want %v\n%s", what, d.value(got.NewState), d.value(want.NewState), diff)
		}
	}

	domain, err := client.DomainByName(t.Context(), "m1")
	if err != nil {
		t.Fatal(err)
	}

	wantRead("the machine is as it was", true)

	if err := client.SetAutostart(t.Context(), domain.UUID, false); err != nil {
		t.Fatal(err)
	}

	wantRead("the machine has changed", false)

	if err := client.Undefine(t.Context(), domain.UUID); err != nil {
		t.Fatal(err)
	}

	wantRead("the machine has gone", false)
}

// reconfigured is the server that Terraform's next run starts.
func reconfigured(t *testing.T, d desk, host *testbed.Host) (server, *tfprotov6.GetProviderSchemaResponse, error) {
	t.Helper()

	made, _ := Server("test")().(server)

	schemas, err := made.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}

	settings := object(schemas.Provider.ValueType(), map[string]any{"hosts": map[string]any{"alpha": map[string]any{"uri": host.URI()}}})
	_, err = made.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: d.dynamic(settings)})

	return made, schemas, err
}
