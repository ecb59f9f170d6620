package vm

import (
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// TestEachPointAtWhichAMoveMayBeCutIsRecognised goes through a move in its order: what both hosts have, and what is made of
// it by a run that finds it so.
func TestEachPointAtWhichAMoveMayBeCutIsRecognised(t *testing.T) {
	machine := func(active, running bool, mark domainxml.Mark) *observed {
		mark.Managed = true

		return &observed{domain: libvirt.Domain{Active: active, Running: running}, stored: domainxml.Spec{Mark: mark}}
	}
	here := func(active, running bool) *observed {
		return machine(active, running, domainxml.Mark{Complete: true, Move: domainxml.Move{To: "beta"}})
	}
	there := func(active, running, complete bool) *observed {
		return machine(active, running, domainxml.Mark{Complete: complete, Move: domainxml.Move{From: "alpha", Disks: "root"}})
	}
	departed := here(false, false)
	departed.domain.Departed = true

	const up, down, moving = true, false, true

	for name, test := range map[string]struct {
		here, there *observed
		moving      bool
		want        stage
	}{
		"nothing is done":                           {here(up, up), nil, !moving, ahead},
		"it is defined there":                       {here(up, up), there(down, down, false), !moving, ahead},
		"QEMU waits there":                          {here(up, up), there(up, down, false), moving, underway},
		"it goes on without us":                     {here(up, down), there(up, down, false), moving, underway},
		"QEMU was left waiting there":               {here(up, up), there(up, down, false), !moving, ahead},
		"it was stopped for the last bytes":         {here(up, down), there(down, down, false), !moving, ahead},
		"both wait for a word":                      {here(up, down), there(up, down, false), !moving, ahead},
		"it runs there, and waits for a word here":  {here(up, down), there(up, up, false), !moving, arrived},
		"it runs there":                             {here(down, down), there(up, up, false), !moving, arrived},
		"it is paused there, by somebody":           {here(down, down), there(up, down, false), !moving, arrived},
		"it powered off as soon as it was there":    {departed, there(down, down, false), !moving, arrived},
		"it is off, and its disks are being copied": {here(down, down), there(down, down, false), !moving, ahead},
		"it is off, and its disks are there":        {here(down, down), there(down, down, true), !moving, arrived},
		"all of it is there, and noted so":          {here(down, down), there(up, up, true), !moving, arrived},
		"the definition here is gone":               {nil, there(up, up, true), !moving, arrived},
		"and so is the note":                        {nil, machine(up, up, domainxml.Mark{Complete: true}), !moving, settled},
		"nobody has it":                             {nil, nil, !moving, lost},
		"somebody has its UUID there":               {here(up, up), machine(up, up, domainxml.Mark{Complete: true}), !moving, taken},
		"it comes from a third host":                {here(up, up), machine(up, up, domainxml.Mark{Move: domainxml.Move{From: "gamma"}}), !moving, taken},
	} {
		if got := stageOf(test.here, test.there, "alpha", test.moving); got != test.want {
			t.Errorf("%s: the stage is %d, want %d", name, got, test.want)
		}
	}
}

func TestMachineArrivesAtThePlaceOfThePlanAndIsOtherwiseAsItWas(t *testing.T) {
	plan := declared()
	plan.CPU.Pins = notations("5", "6", "7")

	before := domainxml.Spec{Name: "web-1", VCPUs: 2, Memory: 1 << 30, Pins: []topology.CPUSet{set("2"), set("3")}, Mark: domainxml.Mark{Digest: "cafe", Complete: true}}
	got := plan.arrival(before, "alpha", "root cidata")

	if len(got.Pins) != 2 || got.Pins[0].String() != "5" || got.Emulator.String() != "0-1" || got.Memory != 1<<30 {
		t.Errorf("the machine arrives as %+v", got)
	}

	if mark := got.Mark; mark.Complete || !mark.Managed || mark.Digest != "cafe" || mark.Move != (domainxml.Move{From: "alpha", Disks: "root cidata"}) {
		t.Errorf("the machine arrives with the mark %+v", mark)
	}
}

func TestMoveThatTheOtherHostCannotTakeIsRefusedWithTheReason(t *testing.T) {
	xeon := topology.Host{Arch: "x86_64", DomainTypes: []string{"kvm", "qemu"}, Processor: "Intel Skylake avx2"}
	epyc := topology.Host{Arch: "x86_64", DomainTypes: []string{"kvm", "qemu"}, Processor: "AMD EPYC avx2"}
	plain := topology.Host{Arch: "x86_64", DomainTypes: []string{"qemu"}, Processor: "Intel Skylake avx2"}
	arm := topology.Host{Arch: "aarch64", DomainTypes: []string{"kvm"}}

	for _, test := range []struct {
		machine domainxml.Spec
		runs    bool
		to      topology.Host
		want    string
	}{
		{domainxml.Spec{Type: "kvm"}, true, xeon, ""},
		{domainxml.Spec{Type: "kvm"}, true, epyc, "has another one (Intel Skylake here, AMD EPYC there). Power the machine off"},
		{domainxml.Spec{Type: "kvm"}, false, epyc, ""},
		{domainxml.Spec{Type: "kvm", CPU: domainxml.CPU{Model: "x86-64-v2"}}, true, epyc, ""},
		{domainxml.Spec{Type: "qemu"}, true, epyc, ""},
		{domainxml.Spec{Type: "kvm"}, true, plain, `does not offer machines of type "kvm". It has: qemu`},
		{domainxml.Spec{Type: "kvm"}, true, arm, "has the architecture aarch64, and the machine is of x86_64"},
		{domainxml.Spec{Type: domainxml.LXC}, true, xeon, "has no migration"},
	} {
		err := unsuited(test.machine, test.runs, xeon, test.to, "beta")

		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v to %+v: %v, want %q", test.machine, test.to, err, test.want)
		}
	}
}

func TestHowAMachineMovesIsKeptForAnImport(t *testing.T) {
	for _, want := range []*migration{
		nil,
		{Timeout: tf.NullDuration(), Bandwidth: tf.NullSize(), AutoConverge: types.BoolNull(), PostCopy: types.BoolValue(false), TLS: types.BoolValue(true)},
		{Timeout: tf.DurationText("5m"), Bandwidth: tf.Size(100 << 20), AutoConverge: types.BoolValue(true), PostCopy: types.BoolNull(), TLS: types.BoolNull()},
	} {
		m := declared()
		m.Migration = want

		restored := declared()
		restored.restore(t.Context(), readSettings(domainxml.Mark{Settings: m.settings()}))

		got := restored.Migration
		if (got == nil) != (want == nil) || got != nil && (!got.Timeout.Equal(want.Timeout) || !got.Bandwidth.Equal(want.Bandwidth) ||
			!got.AutoConverge.Equal(want.AutoConverge) || !got.PostCopy.Equal(want.PostCopy) || !got.TLS.Equal(want.TLS)) {
			t.Errorf("%+v is restored as %+v", want, got)
		}
	}
}
