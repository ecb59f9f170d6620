package vm

import (
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// What Terraform writes for an imported machine that was placed says its place by placement, and by host and cpu.
func TestPlaceMayBeSaidTwiceIfAlike(t *testing.T) {
	pins := func(texts ...string) types.List {
		values := []attr.Value{}
		for _, text := range texts {
			values = append(values, tf.CPUSet(set(text)))
		}

		return types.ListValueMust(tf.CPUSetType(), values)
	}
	object := func(values map[string]attr.Value) types.Object {
		kinds := map[string]attr.Type{}
		for name, value := range values {
			kinds[name] = value.Type(t.Context())
		}

		return types.ObjectValueMust(kinds, values)
	}
	placement := object(map[string]attr.Value{"host": types.StringValue("alpha"), "pins": pins("1", "17"), "emulator": tf.CPUSet(set("0,16"))})
	said := func(change func(*planned)) planned {
		p := planned{
			Placement: placement, Host: types.StringValue("alpha"), CPU: object(map[string]attr.Value{"count": types.Int64Value(2)}),
			Count: types.Int64Value(2), Pins: pins("1", "17"), Emulator: tf.CPUSet(set("0,16")), Exclusive: types.BoolValue(true),
		}
		change(&p)

		return p
	}

	for name, test := range map[string]struct {
		change func(*planned)
		want   string
	}{
		"alike":            {func(*planned) {}, ""},
		"what is implied":  {func(p *planned) { p.Count, p.Exclusive = types.Int64Null(), types.BoolNull() }, ""},
		"another host":     {func(p *planned) { p.Host = types.StringValue("beta") }, "host does too"},
		"other pins":       {func(p *planned) { p.Pins = pins("1", "2") }, "cpu does too"},
		"no pins":          {func(p *planned) { p.Pins = types.ListNull(tf.CPUSetType()) }, "cpu does too"},
		"another emulator": {func(p *planned) { p.Emulator = tf.CPUSet(set("0")) }, "cpu does too"},
		"shared CPUs":      {func(p *planned) { p.Exclusive = types.BoolValue(false) }, "cpu does too"},
	} {
		var diags diag.Diagnostics

		p := said(test.change)
		p.validatePlace(&diags)
		complains(t, name, diags, test.want)
	}
}
