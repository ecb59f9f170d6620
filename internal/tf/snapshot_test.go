package tf

import (
	"reflect"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type machine struct {
	Name  types.String      `tfsdk:"name"`
	Tags  []string          `tfsdk:"tags"`
	Disks map[string]*disk  `tfsdk:"disks"`
	Boot  *disk             `tfsdk:"boot"`
	Notes map[string]string `tfsdk:"notes"`
}

type disk struct {
	Volume types.String `tfsdk:"volume"`
	Parts  []string     `tfsdk:"parts"`
}

func newMachine() machine {
	return machine{
		Name: types.StringValue("web-1"), Tags: []string{"v1"}, Notes: map[string]string{"rack": "1"},
		Disks: map[string]*disk{"root": {Volume: types.StringValue("a"), Parts: []string{"1"}}}, Boot: &disk{Volume: types.StringNull(), Parts: nil},
	}
}

func TestSnapshotKeepsWhatIsChangedInPlace(t *testing.T) {
	for name, change := range map[string]func(*machine){
		"a value":                  func(m *machine) { m.Name = types.StringNull() },
		"an element of a list":     func(m *machine) { m.Tags[0] = "v2" },
		"an entry of a map":        func(m *machine) { m.Notes["rack"] = "2" },
		"another entry":            func(m *machine) { m.Notes["row"] = "2" },
		"behind a pointer":         func(m *machine) { m.Boot.Volume = types.StringValue("b") },
		"behind one in a map":      func(m *machine) { m.Disks["root"].Volume = types.StringValue("b") },
		"in a list behind that":    func(m *machine) { m.Disks["root"].Parts[0] = "2" },
		"nothing instead of empty": func(m *machine) { m.Boot.Parts = []string{} },
	} {
		changed := newMachine()
		before := Snapshot(changed)

		if !reflect.DeepEqual(before, changed) {
			t.Fatalf("the snapshot %+v is another machine than %+v", before, changed)
		}

		change(&changed)

		if reflect.DeepEqual(before, changed) || !reflect.DeepEqual(before, newMachine()) {
			t.Errorf("%s: the snapshot became %+v", name, before)
		}
	}
}

func TestOnlyAChangedModelIsStored(t *testing.T) {
	of := schema.Schema{Attributes: map[string]schema.Attribute{"name": schema.StringAttribute{Optional: true}}}
	kind := of.Type().TerraformType(t.Context())

	type named struct {
		Name types.String `tfsdk:"name"`
	}

	// The state has something else than the model, so that storing shows.
	state := tfsdk.State{Schema: of, Raw: tftypes.NewValue(kind, map[string]tftypes.Value{"name": tftypes.NewValue(tftypes.String, "stored")})}

	for _, test := range []struct{ before, after, want string }{{"a", "a", "stored"}, {"a", "b", "b"}} {
		before, after := &named{types.StringValue(test.before)}, &named{types.StringValue(test.after)}
		if diags := StoreChanged(t.Context(), &state, before, after); diags.HasError() {
			t.Fatal(diags)
		}

		var got named
		if diags := state.Get(t.Context(), &got); diags.HasError() || got.Name.ValueString() != test.want {
			t.Errorf("from %q to %q: the state has %s, want %q (%v)", test.before, test.after, got.Name, test.want, diags)
		}
	}
}
