package vm

import (
	"context"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	nicType     = types.ObjectType{AttrTypes: map[string]attr.Type{"bridge": types.StringType, "network": types.StringType, "mac": types.StringType}}
	diskType    = types.ObjectType{AttrTypes: map[string]attr.Type{"volume": types.StringType}}
	addressType = types.ListType{ElemType: types.StringType}
	networkType = types.ObjectType{AttrTypes: map[string]attr.Type{"addresses": addressType}}

	unknownCPUs = cpusToCome()
)

// configured is what the checks see of a machine with the pins, the rest as small as can be.
func configured(change func(*planned)) planned {
	p := planned{
		Name: str("web-1"), Host: str("alpha"), Count: types.Int64Null(), Pins: types.ListNull(tf.CPUSetType()), Emulator: tf.NullCPUSet(),
		Exclusive: types.BoolNull(), Disks: types.MapNull(diskType), Interfaces: types.MapNull(nicType),
		Network: types.MapNull(networkType), NetworkConfig: absent, WaitAddress: absent, Running: types.BoolNull(),
	}
	change(&p)

	return p
}

func cpusToCome() tf.Notation {
	value, _ := tf.CPUSetType().ValueFromString(context.Background(), types.StringUnknown()) // never fails

	return value.(tf.Notation)
}

func pinList(pins ...tf.Notation) types.List {
	elements := make([]attr.Value, len(pins))
	for i, pin := range pins {
		elements[i] = pin
	}

	return types.ListValueMust(tf.CPUSetType(), elements)
}

func objects(of types.ObjectType, attribute string, values map[string]attr.Value) types.Map {
	elements := map[string]attr.Value{}

	for name, value := range values {
		attributes := map[string]attr.Value{}
		for key := range of.AttrTypes {
			attributes[key] = absent
		}

		attributes[attribute] = value
		elements[name] = types.ObjectValueMust(of.AttrTypes, attributes)
	}

	return types.MapValueMust(of, elements)
}

func addresses(texts ...string) types.List {
	elements := make([]attr.Value, len(texts))
	for i, text := range texts {
		elements[i] = str(text)
	}

	return types.ListValueMust(types.StringType, elements)
}

func TestCPUsThatContradictThemselvesAreRefused(t *testing.T) {
	two := pinList(notations("0-1", "1-2")...)

	for name, test := range map[string]struct {
		change func(*planned)
		want   string
	}{
		"a count":                     {func(p *planned) { p.Count = types.Int64Value(2) }, ""},
		"pins":                        {func(p *planned) { p.Pins = pinList(notations("0", "1")...) }, ""},
		"neither":                     {func(*planned) {}, "Say how many vCPUs the machine has"},
		"no pin":                      {func(p *planned) { p.Pins = pinList() }, "pins has no entry"},
		"too few pins":                {func(p *planned) { p.Count, p.Pins = types.Int64Value(3), pinList(notations("0", "1")...) }, "The machine has 3 vCPUs and 2 pins"},
		"as many pins":                {func(p *planned) { p.Count, p.Pins = types.Int64Value(2), pinList(notations("0", "1")...) }, ""},
		"pins to come":                {func(p *planned) { p.Pins = types.ListUnknown(tf.CPUSetType()) }, ""},
		"a count to come":             {func(p *planned) { p.Count, p.Pins = types.Int64Unknown(), pinList() }, ""},
		"overlap":                     {func(p *planned) { p.Pins = two }, "vCPUs 0 and 1 share CPU 1. Give them different CPUs, or set exclusive = false"},
		"overlap with the emulator":   {func(p *planned) { p.Pins, p.Emulator = pinList(notations("3")...), tf.CPUSet(set("2-4")) }, "vCPU 0 and the emulator share CPU 3"},
		"overlap that may be":         {func(p *planned) { p.Pins, p.Exclusive = two, types.BoolValue(false) }, ""},
		"overlap, exclusive":          {func(p *planned) { p.Pins, p.Exclusive = two, types.BoolValue(true) }, "vCPUs 0 and 1 share CPU 1"},
		"overlap, maybe exclusive":    {func(p *planned) { p.Pins, p.Exclusive = two, types.BoolUnknown() }, ""},
		"overlap with one to come":    {func(p *planned) { p.Pins = pinList(tf.CPUSet(set("0")), tf.CPUSet(set("0")), unknownCPUs) }, ""},
		"overlap, emulator to come":   {func(p *planned) { p.Pins, p.Emulator = two, unknownCPUs }, ""},
		"a vCPU that is nowhere yet":  {func(p *planned) { p.Pins = pinList(unknownCPUs, unknownCPUs) }, ""},
		"an emulator without any pin": {func(p *planned) { p.Count, p.Emulator = types.Int64Value(1), tf.CPUSet(set("0")) }, ""},
	} {
		var diags diag.Diagnostics
		configured(test.change).validateCPU(&diags)
		complains(t, name, diags, test.want)
	}
}

func TestInterfacesThatAreNotThereAreRefused(t *testing.T) {
	two := objects(nicType, "bridge", map[string]attr.Value{"lan": str("br0"), "eth0": str("br0")})
	told := func(name string) types.Map {
		return objects(networkType, "addresses", map[string]attr.Value{name: addresses("10.0.0.1/24")})
	}

	for name, test := range map[string]struct {
		change func(*planned)
		want   string
	}{
		"nothing":            {func(*planned) {}, ""},
		"known ones":         {func(p *planned) { p.Interfaces, p.Network, p.WaitAddress = two, told("eth0"), str("lan") }, ""},
		"a stranger":         {func(p *planned) { p.Interfaces, p.Network = two, told("eth1") }, `The machine has no interface "eth1". It has eth0, lan: use one of these names, or add it to interfaces.`},
		"one of none":        {func(p *planned) { p.Network = told("eth0") }, `The machine has no interface "eth0". It has none: add it to interfaces.`},
		"wait for stranger":  {func(p *planned) { p.Interfaces, p.WaitAddress = two, str("eth1") }, `no interface "eth1"`},
		"wait for one to be": {func(p *planned) { p.Interfaces, p.WaitAddress = two, types.StringUnknown() }, ""},
		"interfaces to come": {func(p *planned) { p.Interfaces, p.WaitAddress = types.MapUnknown(nicType), str("eth1") }, ""},
	} {
		var diags diag.Diagnostics
		configured(test.change).validateNames(&diags)
		complains(t, name, diags, test.want)
	}
}

func TestDisksStandOnTheMachinesHost(t *testing.T) {
	for name, test := range map[string]struct {
		volume types.String
		host   types.String
		want   string
	}{
		"here":           {str("alpha/default/root"), str("alpha"), ""},
		"elsewhere":      {str("beta/default/root"), str("alpha"), `he volume beta/default/root is on host "beta", and the machine is on host "alpha"`},
		"no id":          {str("root"), str("alpha"), `"root" is not the id of a volume`},
		"to come":        {types.StringUnknown(), str("alpha"), ""},
		"host to come":   {str("beta/default/root"), types.StringUnknown(), ""},
		"of no value":    {absent, str("alpha"), ""},
		"another's name": {str("alphabet/default/root"), str("alpha"), `on host "alphabet"`},
	} {
		var diags diag.Diagnostics

		configured(func(p *planned) {
			p.Host, p.Disks = test.host, objects(diskType, "volume", map[string]attr.Value{"root": test.volume})
		}).checkVolumes(&diags)
		complains(t, name, diags, test.want)
	}
}

func TestNumberOfVCPUsIsThatOfThePinsUnlessSaid(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*planned)
		want   types.Int64
	}{
		"said":          {func(p *planned) { p.Count = types.Int64Value(4) }, types.Int64Value(4)},
		"to be said":    {func(p *planned) { p.Count, p.Pins = types.Int64Unknown(), pinList(notations("0")...) }, types.Int64Unknown()},
		"pinned":        {func(p *planned) { p.Pins = pinList(notations("0", "1", "2")...) }, types.Int64Value(3)},
		"pins to come":  {func(p *planned) { p.Pins = types.ListUnknown(tf.CPUSetType()) }, types.Int64Unknown()},
		"a pin to come": {func(p *planned) { p.Pins = pinList(unknownCPUs) }, types.Int64Value(1)},
	} {
		if got := configured(test.change).count(); !got.Equal(test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestStaticAddressesAreKnownBeforeTheMachineIs(t *testing.T) {
	for name, test := range map[string]struct {
		network types.Map
		want    []string
		known   bool
	}{
		"two":                     {objects(networkType, "addresses", map[string]attr.Value{"eth0": addresses("10.0.0.1/24", "fd00::1/64")}), []string{"10.0.0.1", "fd00::1"}, true},
		"none":                    {objects(networkType, "addresses", map[string]attr.Value{"eth0": types.ListNull(types.StringType)}), []string{}, true},
		"of another interface":    {objects(networkType, "addresses", map[string]attr.Value{"lan": addresses("10.0.0.1/24")}), []string{}, true},
		"without a network":       {types.MapNull(networkType), []string{}, true},
		"to come":                 {objects(networkType, "addresses", map[string]attr.Value{"eth0": types.ListUnknown(types.StringType)}), nil, false},
		"of which one is to come": {objects(networkType, "addresses", map[string]attr.Value{"eth0": types.ListValueMust(types.StringType, []attr.Value{types.StringUnknown()})}), nil, false},
	} {
		got, known := configured(func(p *planned) { p.Network = test.network }).static(t.Context(), "eth0")

		if diff := cmp.Diff(test.want, got); diff != "" || known != test.known {
			t.Errorf("%s: known %t, want %t (-want +got):\n%s", name, known, test.known, diff)
		}
	}
}

// complains checks that there is one error with a text in it, or none if the text is empty.
func complains(t *testing.T, name string, diags diag.Diagnostics, want string) {
	t.Helper()

	if want == "" && len(diags) == 0 {
		return
	}

	if want == "" || len(diags) != 1 || !strings.Contains(diags[0].Detail(), want) {
		t.Errorf("%s: %v, want %q", name, diags, want)
	}
}
