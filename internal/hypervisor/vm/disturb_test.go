package vm

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/disruption"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// TestEachAttributeHasARule keeps an attribute from being added without a thought of what its change disturbs.
func TestEachAttributeHasARule(t *testing.T) {
	ruled := map[string]bool{}
	for _, rule := range disruption.Rules() {
		ruled[rule.Attribute] = true
	}

	known := map[string]bool{}

	var walk func(prefix string, attributes map[string]schema.Attribute, above bool)

	walk = func(prefix string, attributes map[string]schema.Attribute, above bool) {
		for _, name := range slices.Sorted(maps.Keys(attributes)) {
			at := prefix + name
			known[at] = true

			switch nested := attributes[name].(type) {
			case schema.SingleNestedAttribute:
				walk(at+".", nested.Attributes, above || ruled[at])
			case schema.MapNestedAttribute:
				walk(at+".*.", nested.NestedObject.Attributes, above)
			default:
				if !above && !ruled[at] && !slices.Contains(readOnly, at) {
					t.Errorf("no rule says what a change of %s disturbs", at)
				}
			}
		}
	}

	walk("", vmSchema(t.Context()).Attributes, false)

	for attribute := range ruled {
		if !known[attribute] {
			t.Errorf("there is a rule for %s, and no such attribute", attribute)
		}
	}
}

// raw is a machine as Terraform hands it over, with some attributes set.
func raw(t *testing.T, attributes map[string]any) tftypes.Value {
	t.Helper()

	s := vmSchema(t.Context())
	state := tfsdk.State{Schema: s, Raw: tftypes.NewValue(s.Type().TerraformType(t.Context()), nil)}

	for _, at := range slices.Sorted(maps.Keys(attributes)) {
		where := path.Empty()
		for step := range strings.SplitSeq(at, ".") {
			if name, key := strings.CutPrefix(step, "@"); key {
				where = where.AtMapKey(name)
			} else {
				where = where.AtName(step)
			}
		}

		if diags := state.SetAttribute(t.Context(), where, attributes[at]); diags.HasError() {
			t.Fatalf("%s: %v", at, diags)
		}
	}

	return state.Raw
}

func TestPlanNamesEachAttributeThatItChanges(t *testing.T) {
	before := raw(t, map[string]any{
		"name": "web-1", "host": "alpha", "memory": tf.Size(1 << 30), "id": "1", "running": true, "cpu.count": int64(1),
		"disks.@root.volume": "alpha/default/a", "disks.@old.volume": "alpha/default/o", "wait_for.tcp": "10.0.0.1:80",
	})
	after := raw(t, map[string]any{
		"name": "web-1", "host": "alpha", "memory": tf.Size(2 << 30), "id": types.StringUnknown(), "running": true, "cpu.count": types.Int64Unknown(),
		"disks.@root.volume": types.StringUnknown(), "disks.@new.volume": "alpha/default/n", "interfaces.@lan.bridge": "br0",
	})

	got := map[string]disruption.Change{}
	compare("", path.Empty(), before, after, func(change disruption.Change, at path.Path) { got[at.String()] = change })

	want := map[string]disruption.Change{
		"id":                   {Attribute: "id", Kind: disruption.Undecided},
		"memory":               {Attribute: "memory"},
		"cpu.count":            {Attribute: "cpu.count", Kind: disruption.Undecided},
		`disks["root"].volume`: {Attribute: "disks.*.volume", Kind: disruption.Undecided},
		`disks["old"]`:         {Attribute: "disks", Kind: disruption.Removed},
		`disks["new"]`:         {Attribute: "disks", Kind: disruption.Added},
		`interfaces["lan"]`:    {Attribute: "interfaces", Kind: disruption.Added},
		"wait_for":             {Attribute: "wait_for", Kind: disruption.Removed},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPlanThatDisturbsTooMuchIsRefused(t *testing.T) {
	replaced := verdict{
		Rule: disruption.Rule{Class: disruption.Replace, Reason: "it is another one"}, at: path.Root("host"),
	}
	restarted := verdict{
		Rule: disruption.Rule{Class: disruption.Reboot, Reason: "it has to boot"}, at: path.Root("memory"), change: disruption.Change{Kind: disruption.Undecided},
	}
	live := verdict{Rule: disruption.Rule{Class: disruption.Live, Reason: "it can"}, at: path.Root("cpu").AtName("pins")}

	for name, test := range map[string]struct {
		allowed  string
		running  bool
		verdicts []verdict
		error    string
		warning  string
	}{
		"nothing":                      {"none", true, nil, "", ""},
		"what is allowed":              {"live", true, []verdict{live}, "", ""},
		"less than is allowed":         {"replace", true, []verdict{live}, "", ""},
		"more than nothing":            {"none", true, []verdict{live}, `up to "none", and this one is of class "live".` + "\n  cpu.pins: live, since it can.\nSet allow_change = \"live\"", ""},
		"a restart":                    {"live", true, []verdict{restarted, live}, "  memory, whose value is not known yet: reboot, since it has to boot.\nSet allow_change = \"reboot\"", ""},
		"a restart that is all right":  {"reboot", true, []verdict{restarted, live}, "", "  memory, whose value is not known yet: reboot, since it has to boot."},
		"a new one":                    {"reboot", true, []verdict{replaced, restarted}, "\n  host: replace, since it is another one.\nSet allow_change = \"replace\"", ""},
		"a new one, allowed":           {"replace", true, []verdict{replaced, restarted}, "", "  host: replace, since it is another one.\n  memory"},
		"a new one of one that is off": {"replace", false, []verdict{replaced}, "", ""},
		"off, not allowed":             {"live", false, []verdict{replaced}, "Set allow_change = \"replace\"", ""},
		"yet to be said":               {"", true, []verdict{replaced}, `up to "live"`, ""},
	} {
		var diags diag.Diagnostics

		planned{Name: str("web-1"), AllowChange: types.StringValue(test.allowed)}.announce(test.verdicts, test.running, &diags)

		said := func(texts diag.Diagnostics) string {
			if len(texts) == 0 {
				return ""
			}

			return texts[0].Summary() + "\n" + texts[0].Detail()
		}

		if got := said(diags.Errors()); (got == "") != (test.error == "") || !strings.Contains(got, test.error) {
			t.Errorf("%s: the error is %q, want %q", name, got, test.error)
		}

		if got := said(diags.Warnings()); (got == "") != (test.warning == "") || !strings.Contains(got, test.warning) {
			t.Errorf("%s: the warning is %q, want %q", name, got, test.warning)
		}
	}
}

func TestUndecidedPlacementDisturbsNothingYet(t *testing.T) {
	before := raw(t, map[string]any{"name": "web-1", "host": "alpha", "cpu.count": int64(1), "placement.host": "alpha"})
	after := raw(t, map[string]any{"name": "web-1", "host": types.StringUnknown(), "cpu.count": types.Int64Unknown(), "placement.host": types.StringUnknown()})
	plan := planned{Host: types.StringUnknown(), Count: types.Int64Unknown(), Placement: types.ObjectUnknown(nil)}

	if got := plan.judge(planned{}, before, after); len(got) > 0 {
		t.Errorf("a placement that is not decided yet gives %+v", got)
	}
}

// TestMachineThatDoesNotRunIsNotDisturbedByARestart also leaves it off if that is what the plan asks.
func TestMachineThatDoesNotRunIsNotDisturbedByARestart(t *testing.T) {
	before := raw(t, map[string]any{"name": "web-1", "memory": tf.Size(1 << 30)})

	for _, test := range []struct {
		was, is bool
		want    disruption.Class
	}{{true, true, disruption.Reboot}, {false, true, disruption.None}, {true, false, disruption.None}, {false, false, disruption.None}} {
		var got []disruption.Class

		state, plan := planned{Running: types.BoolValue(test.was)}, planned{Running: types.BoolValue(test.is)}
		for _, v := range plan.judge(state, before, raw(t, map[string]any{"name": "web-1", "memory": tf.Size(2 << 30)})) {
			got = append(got, v.Class)
		}

		if diff := cmp.Diff([]disruption.Class{test.want}, got); diff != "" {
			t.Errorf("running %t, then %t:\n%s", test.was, test.is, diff)
		}
	}
}

// TestAddressesStayKnownIfNothingElseChanges plans anew what a host of containers or a DHCP server has said.
func TestAddressesStayKnownIfNothingElseChanges(t *testing.T) {
	machine := vmSchema(t.Context())
	leased := map[string][]string{"lan": {"10.0.0.9"}}
	before := raw(t, map[string]any{"name": "m1", "memory": tf.Size(1 << 30), "addresses": leased})

	for name, test := range map[string]struct {
		memory uint64
		known  bool
	}{"nothing": {1 << 30, true}, "the memory": {2 << 30, false}} {
		plan := tfsdk.Plan{Schema: machine, Raw: raw(t, map[string]any{"name": "m1", "memory": tf.Size(test.memory), "addresses": types.MapUnknown(types.ListType{ElemType: types.StringType})})}
		resp := &resource.ModifyPlanResponse{Plan: plan}

		keepAddresses(t.Context(), resource.ModifyPlanRequest{State: tfsdk.State{Schema: machine, Raw: before}, Plan: plan}, resp)

		var addresses types.Map
		if diags := resp.Plan.GetAttribute(t.Context(), path.Root("addresses"), &addresses); diags.HasError() || resp.Diagnostics.HasError() {
			t.Fatal(diags, resp.Diagnostics)
		}

		if known := !addresses.IsUnknown(); known != test.known || known && !resp.Plan.Raw.Equal(before) {
			t.Errorf("with %s changed the addresses are known: %t, want %t: %v", name, known, test.known, addresses)
		}
	}
}
