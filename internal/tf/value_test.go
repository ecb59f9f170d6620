package tf

import (
	"errors"
	"fmt"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func TestTextsThatMeanTheSameAreEqualByMeaning(t *testing.T) {
	for _, test := range []struct {
		kind NotationType
		a, b string
		same bool
	}{
		{SizeType(), "4GiB", "4096MiB", true},
		{SizeType(), "4GiB", "4GiB", true},
		{SizeType(), "4GiB", "4GB", false},
		{SizeType(), "4GB", "4GB", false},
		{SizeType(), "4GiB", "4097MiB", false},
		{DurationType(), "120s", "2m", true},
		{DurationType(), "120s", "3m", false},
		{CPUSetType(), "0-3,8", "8,0,1,2,3", true},
		{CPUSetType(), "0-3,8", "0-3", false},
	} {
		a, b := value(t, test.kind, test.a), value(t, test.kind, test.b)

		for _, pair := range [][2]Notation{{a, b}, {b, a}} {
			same, diags := pair[0].StringSemanticEquals(t.Context(), pair[1])
			if diags.HasError() || same != test.same {
				t.Errorf("%s: %s and %s mean the same: %t, want %t (%v)", test.kind, pair[0], pair[1], same, test.same, diags)
			}
		}
	}
}

func TestAbsentAndUnknownValuesMeanOnlyThemselves(t *testing.T) {
	unknown := decode(t, SizeType(), tftypes.NewValue(tftypes.String, tftypes.UnknownValue))

	for _, test := range []struct {
		a, b Notation
		same bool
	}{
		{NullSize(), NullSize(), true},
		{unknown, unknown, true},
		{NullSize(), unknown, false},
		{NullSize(), Size(0), false},
		{Size(0), unknown, false},
	} {
		if got := test.a.Means(test.b); got != test.same {
			t.Errorf("%s means %s: %t, want %t", test.a, test.b, got, test.same)
		}
	}
}

func TestNotationsAreDistinctTypes(t *testing.T) {
	kinds := []NotationType{SizeType(), DurationType(), CPUSetType()}

	for i, a := range kinds {
		for j, b := range kinds {
			if a.Equal(b) != (i == j) {
				t.Errorf("%s equals %s: %t", a, b, a.Equal(b))
			}

			if got := value(t, a, "0").Equal(value(t, b, "0")); got != (i == j) {
				t.Errorf("a value of %s equals one of %s: %t", a, b, got)
			}
		}

		if a.Equal(types.StringType) {
			t.Errorf("%s equals the plain string type", a)
		}

		if !a.ValueType(t.Context()).Type(t.Context()).Equal(a) {
			t.Errorf("values of %s are of another type", a)
		}
	}
}

func TestMalformedTextIsReportedAtItsAttribute(t *testing.T) {
	at := path.Root("memory")

	var resp xattr.ValidateAttributeResponse
	value(t, SizeType(), "4GB").ValidateAttribute(t.Context(), xattr.ValidateAttributeRequest{Path: at}, &resp)

	want := diag.Diagnostics{diag.NewAttributeErrorDiagnostic(at, "Malformed size",
		`"4GB" is not a size. Write a whole number and one of the units B, KiB, MiB, GiB and TiB, such as "4GiB".`)}
	if diff := cmp.Diff(want, resp.Diagnostics); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
}

func TestSoundAbsentAndUnknownTextsPassValidation(t *testing.T) {
	for _, v := range []Notation{Size(1), NullSize(), decode(t, SizeType(), tftypes.NewValue(tftypes.String, tftypes.UnknownValue))} {
		var resp xattr.ValidateAttributeResponse
		v.ValidateAttribute(t.Context(), xattr.ValidateAttributeRequest{Path: path.Root("memory")}, &resp)

		if len(resp.Diagnostics) > 0 {
			t.Errorf("%s: %v", v, resp.Diagnostics)
		}
	}
}

// A model's fields all have the one Go type; the framework must tell the notations apart by the schema.
func TestModelTravelsThroughTheFramework(t *testing.T) {
	type model struct {
		Memory Notation `tfsdk:"memory"`
		Wait   Notation `tfsdk:"wait"`
		CPUs   Notation `tfsdk:"cpus"`
		Left   Notation `tfsdk:"left_out"`
	}

	layout := schema.Schema{Attributes: map[string]schema.Attribute{
		"memory":   schema.StringAttribute{CustomType: SizeType(), Required: true},
		"wait":     schema.StringAttribute{CustomType: DurationType(), Required: true},
		"cpus":     schema.StringAttribute{CustomType: CPUSetType(), Required: true},
		"left_out": schema.StringAttribute{CustomType: SizeType(), Optional: true},
	}}
	state := tfsdk.State{Schema: layout, Raw: tftypes.NewValue(layout.Type().TerraformType(t.Context()), nil)}

	// Left is the zero value, as a model has it that never set the field.
	written := model{Memory: Size(4 << 30), Wait: Duration(2e9), CPUs: CPUSet(cpus(t, "0-3,8"))}
	if diags := state.Set(t.Context(), written); diags.HasError() {
		t.Fatal(diags)
	}

	var read model
	if diags := state.Get(t.Context(), &read); diags.HasError() {
		t.Fatal(diags)
	}

	want := model{Memory: written.Memory, Wait: written.Wait, CPUs: written.CPUs, Left: NullSize()}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Errorf("model (-written +read):\n%s", diff)
	}
}

func TestFailureNamesVerbThingAndCause(t *testing.T) {
	cause := fmt.Errorf("define domain %q on alpha: %w", "web-1", errors.New("no route to host"))

	want := diag.NewErrorDiagnostic(`Unable to create VM "web-1"`, `Define domain "web-1" on alpha: no route to host.`)
	if diff := cmp.Diff(diag.Diagnostic(want), Failed("create", "VM", "web-1", cause)); diff != "" {
		t.Errorf("Failed (-want +got):\n%s", diff)
	}

	got := FailedAt(path.Root("cpus"), "create", "VM", "web-1", cause)
	if diff := cmp.Diff(diag.WithPath(path.Root("cpus"), want), got); diff != "" {
		t.Errorf("FailedAt (-want +got):\n%s", diff)
	}
}

func value(t *testing.T, kind NotationType, text string) Notation {
	t.Helper()

	return decode(t, kind, tftypes.NewValue(tftypes.String, text))
}

func decode(t *testing.T, kind NotationType, raw tftypes.Value) Notation {
	t.Helper()

	decoded, err := kind.ValueFromTerraform(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}

	notation, ok := decoded.(Notation)
	if !ok {
		t.Fatalf("%s decodes to %T", kind, decoded)
	}

	return notation
}

func cpus(t *testing.T, text string) topology.CPUSet {
	t.Helper()

	set, err := topology.ParseCPUSet(text)
	if err != nil {
		t.Fatal(err)
	}

	return set
}

func wantError(t *testing.T, text string, parse func(string) (string, error), want string) {
	t.Helper()

	if got, err := parse(text); err == nil {
		t.Errorf("%q is taken for %s, want the error %q", text, got, want)
	} else if err.Error() != want {
		t.Errorf("%q gives the error\n%q, want\n%q", text, err, want)
	}
}
