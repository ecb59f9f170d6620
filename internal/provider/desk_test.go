//go:build cgo

package provider

import (
	"context"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/shortcut"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// A desk sends a server the requests that Terraform sends.
type desk struct {
	t       *testing.T
	server  shortcut.Server
	schemas *tfprotov6.GetProviderSchemaResponse
	long    *counted
}

// counted counts the requests that go the long way.
type counted struct {
	shortcut.Full

	reads, plans atomic.Int64
}

func (c *counted) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	c.reads.Add(1)

	return c.Full.ReadResource(ctx, req)
}

func (c *counted) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	c.plans.Add(1)

	return c.Full.PlanResourceChange(ctx, req)
}

// newDesk starts a server with that provider block, as each run of Terraform does.
func newDesk(t *testing.T, settings map[string]any) desk {
	t.Helper()

	made, ok := Server("test")().(shortcut.Server)
	if !ok {
		t.Fatal("the server is another one")
	}

	schemas, err := made.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}

	long := &counted{Full: made.Full}
	made.Full = long
	d := desk{t: t, server: made, schemas: schemas, long: long}

	answer, err := made.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: d.dynamic(object(schemas.Provider.ValueType(), settings))})
	if err != nil || len(answer.Diagnostics) > 0 {
		t.Fatalf("configure: %v, %+v", err, answer)
	}

	return d
}

func (d desk) kind(of string) tftypes.Type { return d.schemas.ResourceSchemas[of].ValueType() }

func (d desk) dynamic(value tftypes.Value) *tfprotov6.DynamicValue {
	d.t.Helper()

	encoded, err := tfprotov6.NewDynamicValue(value.Type(), value)
	if err != nil {
		d.t.Fatal(err)
	}

	return &encoded
}

func (d desk) value(of string, encoded *tfprotov6.DynamicValue) tftypes.Value {
	d.t.Helper()

	value, err := encoded.Unmarshal(d.kind(of))
	if err != nil {
		d.t.Fatal(err)
	}

	return value
}

// valid reports whether Terraform would go on to plan with the configuration.
func (d desk) valid(of string, config tftypes.Value) bool {
	d.t.Helper()

	checked, err := d.server.ValidateResourceConfig(d.t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: of, Config: d.dynamic(config)})
	if err != nil {
		d.t.Fatal(err)
	}

	return len(checked.Diagnostics) == 0
}

// made is an object that an apply made.
type made struct {
	of       string
	config   tftypes.Value
	state    tftypes.Value
	identity *tfprotov6.ResourceIdentityData
	private  []byte
}

// apply makes an object.
func (d desk) apply(of string, declared map[string]any) made {
	d.t.Helper()

	config := object(d.kind(of), declared)
	nothing := d.dynamic(tftypes.NewValue(d.kind(of), nil))

	planned, err := d.server.PlanResourceChange(d.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: of, PriorState: nothing, ProposedNewState: d.dynamic(config), Config: d.dynamic(config),
	})
	if err != nil || len(planned.Diagnostics) > 0 {
		d.t.Fatalf("plan a %s: %v, %+v", of, err, planned.Diagnostics)
	}

	applied, err := d.server.ApplyResourceChange(d.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: of, PriorState: nothing, PlannedState: planned.PlannedState, Config: d.dynamic(config), PlannedPrivate: planned.PlannedPrivate,
		PlannedIdentity: planned.PlannedIdentity,
	})
	if err != nil || len(applied.Diagnostics) > 0 {
		d.t.Fatalf("make a %s: %v, %+v", of, err, applied.Diagnostics)
	}

	return made{of: of, config: config, state: d.value(of, applied.NewState), identity: applied.NewIdentity, private: applied.Private}
}

// object makes an object whose other attributes are null.
func object(kind tftypes.Type, given map[string]any) tftypes.Value {
	shape, _ := kind.(tftypes.Object)
	values := map[string]tftypes.Value{}

	for name, kind := range shape.AttributeTypes {
		values[name] = valueOf(kind, given[name])
	}

	return tftypes.NewValue(kind, values)
}

func valueOf(kind tftypes.Type, given any) tftypes.Value {
	switch value := given.(type) {
	case nil:
		return tftypes.NewValue(kind, nil)
	case tftypes.Value:
		return value
	case []string:
		var elements []tftypes.Value
		for _, text := range value {
			elements = append(elements, tftypes.NewValue(tftypes.String, text))
		}

		return tftypes.NewValue(kind, elements)
	case map[string]any:
		collection, ok := kind.(tftypes.Map)
		if !ok {
			return object(kind, value)
		}

		elements := map[string]tftypes.Value{}
		for key, element := range value {
			elements[key] = valueOf(collection.ElementType, element)
		}

		return tftypes.NewValue(kind, elements)
	default:
		return tftypes.NewValue(kind, value)
	}
}

// variants returns the value with each text, number, truth and collection in it changed in turn.
func variants(of tftypes.Value) []tftypes.Value {
	kind := of.Type()

	var (
		found  []tftypes.Value
		text   string
		truth  bool
		fields map[string]tftypes.Value
		list   []tftypes.Value
	)

	if !of.IsNull() {
		found = append(found, tftypes.NewValue(kind, nil))
	}

	switch {
	case kind.Is(tftypes.String) && (of.IsNull() || of.As(&text) == nil):
		found = append(found, tftypes.NewValue(kind, text+"x"))
	case kind.Is(tftypes.Bool) && (of.IsNull() || of.As(&truth) == nil):
		found = append(found, tftypes.NewValue(kind, !truth))
	case kind.Is(tftypes.Number):
		found = append(found, tftypes.NewValue(kind, 7))
	case kind.Is(tftypes.Object{}) && of.IsNull():
		found = append(found, object(kind, nil))
	case kind.Is(tftypes.Object{}) && of.As(&fields) == nil, kind.Is(tftypes.Map{}) && of.As(&fields) == nil:
		for name, field := range fields {
			for _, variant := range variants(field) {
				changed := maps.Clone(fields)
				changed[name] = variant
				found = append(found, tftypes.NewValue(kind, changed))
			}
		}
	case (kind.Is(tftypes.List{}) || kind.Is(tftypes.Set{})) && of.As(&list) == nil:
		found = append(found, tftypes.NewValue(kind, []tftypes.Value{}))
	}

	return found
}
