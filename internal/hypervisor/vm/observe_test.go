package vm

import (
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	str    = types.StringValue
	absent = types.StringNull()
)

// declared is the machine of the tests as its configuration and then its state have it.
func declared() model {
	return model{
		ID: str("5f1c7c1e-8d3c-4f4e-9d25-6b0f2c1f6a01"), Name: str("web-1"), Host: str("alpha"), DomainType: str("kvm"), Machine: str("q35"),
		Memory:  tf.Size(4 << 30),
		CPU:     &cpu{Count: types.Int64Value(2), Pins: notations("2", "3"), Emulator: tf.CPUSet(set("0-1")), Exclusive: types.BoolValue(true)},
		Running: types.BoolValue(true), Autostart: types.BoolValue(true), AllowChange: types.StringValue("live"), ForceRestart: types.BoolValue(false), Drift: types.MapNull(types.StringType), ShutdownTimeout: tf.DurationText("30s"),
		Disks: map[string]disk{
			"root": {Volume: str("alpha/default/web-1"), ReadOnly: types.BoolValue(false)},
			"data": {Volume: str("alpha/fast/data"), ReadOnly: types.BoolValue(true)},
		},
		Interfaces: map[string]nic{
			"eth0": {Bridge: str("br0"), Network: absent, MAC: str("52:54:00:00:00:01")},
			"lan":  {Bridge: absent, Network: str("default"), MAC: str("52:54:00:00:00:02")},
		},
		CloudInit: &cloudInit{UserData: str("#!/bin/sh\n"), NetworkConfig: absent},
		WaitFor:   &waitFor{TCP: str("10.0.0.1:80"), Address: absent},
	}
}

func formats() map[string]string {
	return map[string]string{"alpha/default/web-1": "qcow2", "alpha/fast/data": "raw"}
}

func notations(texts ...string) []tf.Notation {
	all := make([]tf.Notation, len(texts))
	for i, text := range texts {
		all[i] = tf.CPUSet(set(text))
	}

	return all
}

// asMade is the machine as a host has it after its creation.
func asMade(t *testing.T, m model) observed {
	t.Helper()

	text, err := domainxml.Render(m.spec(m.ID.ValueString(), formats()))
	if err != nil {
		t.Fatal(err)
	}

	o, err := observe(libvirt.Domain{
		Name: m.Name.ValueString(), UUID: m.ID.ValueString(), XML: text, LiveXML: text,
		Active: m.Running.ValueBool(), Running: m.Running.ValueBool(), Autostart: m.Autostart.ValueBool(),
	})
	if err != nil {
		t.Fatal(err)
	}

	return o
}

func TestMachineThatIsAsItWasDeclaredShowsNoDrift(t *testing.T) {
	for name, change := range map[string]func(*model){
		"as it is":           func(*model) {},
		"without pins":       func(m *model) { m.CPU.Pins, m.CPU.Emulator = nil, tf.NullCPUSet() },
		"pinned to all CPUs": func(m *model) { m.CPU.Pins, m.CPU.Emulator = notations("0-7", "0-7"), tf.CPUSet(eight) },
		"off":                func(m *model) { m.Running = types.BoolValue(false) },
		"sharing":            func(m *model) { m.CPU.Exclusive = types.BoolValue(false) },
		"with few devices":   func(m *model) { m.Interfaces, m.CloudInit, m.WaitFor = nil, nil, nil },
		"of a version":       func(m *model) { m.Machine = str("pc-q35-7.2") },
	} {
		want, got := declared(), declared()
		change(&want)
		change(&got)

		got.set(asMade(t, want), eight)
		same(t, name, want, got)
	}
}

func TestUnitsAndNotationsAreKeptAsTheyWereWritten(t *testing.T) {
	want := declared()
	want.Memory = notation(t, tf.SizeType(), "4096MiB")
	want.CPU.Pins = []tf.Notation{notation(t, tf.CPUSetType(), "2,2"), notation(t, tf.CPUSetType(), "03")}
	want.CPU.Emulator = notation(t, tf.CPUSetType(), "1,0")

	got := want
	got.set(asMade(t, want), eight)
	same(t, "the machine", want, got)
}

func TestDriftShowsWhicheverDefinitionItIsIn(t *testing.T) {
	for name, test := range map[string]struct {
		drift func(*domainxml.Spec)
		want  func(*model)
	}{
		"a pin": {
			func(s *domainxml.Spec) { s.Pins = sets("2 7") },
			func(m *model) { m.CPU.Pins = notations("2", "7") },
		},
		"no pins": {
			func(s *domainxml.Spec) { s.Pins = nil },
			func(m *model) { m.CPU.Pins = nil },
		},
		"pins to all": {
			func(s *domainxml.Spec) { s.Pins = sets("0-7 0-7") },
			func(m *model) { m.CPU.Pins = nil },
		},
		"one pin to all": {
			func(s *domainxml.Spec) { s.Pins = []topology.CPUSet{{}, set("3")} },
			func(m *model) { m.CPU.Pins = notations("0-7", "3") },
		},
		"the emulator": {
			func(s *domainxml.Spec) { s.Emulator = set("5") },
			func(m *model) { m.CPU.Emulator = tf.CPUSet(set("5")) },
		},
		"no emulator": {
			func(s *domainxml.Spec) { s.Emulator = set("") },
			func(m *model) { m.CPU.Emulator = tf.NullCPUSet() },
		},
	} {
		for _, which := range []string{"stored", "live"} {
			got, want := declared(), declared()
			test.want(&want)

			o := asMade(t, got)
			if which == "stored" {
				test.drift(&o.stored)
			} else {
				test.drift(&o.live)
			}

			got.set(o, eight)
			same(t, name+" in what is "+which, want, got)
		}
	}
}

func TestDriftOfWhatIsStoredShows(t *testing.T) {
	for name, test := range map[string]struct {
		drift func(*observed)
		want  func(*model)
	}{
		"memory":    {func(o *observed) { o.stored.Memory = 1 << 30 }, func(m *model) { m.Memory, m.Drift = tf.Size(1<<30), drifted("memory", "4GiB") }},
		"machine":   {func(o *observed) { o.stored.Machine = "pc" }, func(m *model) { m.Machine = str("pc") }},
		"type":      {func(o *observed) { o.stored.Type = "qemu" }, func(m *model) { m.DomainType = str("qemu") }},
		"power":     {func(o *observed) { o.domain.Running = false }, func(m *model) { m.Running = types.BoolValue(false) }},
		"autostart": {func(o *observed) { o.domain.Autostart = false }, func(m *model) { m.Autostart = types.BoolValue(false) }},
		"mark":      {func(o *observed) { o.stored.Mark.Exclusive = false }, func(m *model) { m.CPU.Exclusive = types.BoolValue(false) }},
		"no seed":   {func(o *observed) { o.stored.Seed = nil }, func(m *model) { m.CloudInit = nil }},
		"another vCPU": {
			func(o *observed) { o.stored.VCPUs, o.stored.Pins = 3, sets("2 3 4") },
			func(m *model) {
				m.CPU.Count, m.CPU.Pins, m.Drift = types.Int64Value(3), notations("2", "3", "4"), drifted("cpu.count", "2")
			},
		},
		"a disk": {
			func(o *observed) {
				o.stored.Disks = map[string]domainxml.Disk{"root": {Volume: domainxml.Volume{Pool: "default", Name: "other"}}}
			},
			func(m *model) {
				m.Disks = map[string]disk{"root": {Volume: str("alpha/default/other"), ReadOnly: types.BoolValue(false)}}
				m.Drift = drifted("disks.data", "fast/data", "disks.root", "default/web-1")
			},
		},
		"no interface": {func(o *observed) { o.stored.Interfaces = nil }, func(m *model) {
			m.Interfaces, m.Drift = nil, drifted("interfaces.eth0", "br0 52:54:00:00:00:01", "interfaces.lan", "default 52:54:00:00:00:02")
		}},
	} {
		got, want := declared(), declared()
		test.want(&want)

		o := asMade(t, got)
		test.drift(&o)
		got.set(o, eight)
		same(t, name, want, got)
	}
}

// drifted is what drift says: attributes, each with what the running machine has.
func drifted(pairs ...string) types.Map {
	all := map[string]attr.Value{}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = str(pairs[i+1])
	}

	return types.MapValueMust(types.StringType, all)
}

func TestImportFindsAllThatTheHostKnows(t *testing.T) {
	want := declared()
	o := asMade(t, want)

	imported := model{ID: want.ID, Host: want.Host}
	imported.set(o, eight)
	imported.restore(t.Context(), readSettings(o.stored.Mark))

	want.CloudInit = nil // it is read from the seed
	same(t, "the imported machine", want, imported)

	bare := model{ID: want.ID, Host: want.Host}
	bare.restore(t.Context(), readSettings(domainxml.Mark{Settings: "not of ours"}))

	if bare.WaitFor != nil || bare.ShutdownTimeout.ValueString() != "30s" {
		t.Errorf("a mark that says nothing gives the settings %+v, %v", bare.WaitFor, bare.ShutdownTimeout)
	}
}

func TestMachineThatRunsOtherThanItIsStoredIsSeenTwice(t *testing.T) {
	xml := func(cpus string) string {
		return "<domain type='kvm'><name>m</name><vcpu>1</vcpu><cputune><vcpupin vcpu='0' cpuset='" + cpus + "'/></cputune></domain>"
	}

	o, err := observe(libvirt.Domain{XML: xml("1"), LiveXML: xml("2"), Active: true})
	if err != nil || o.stored.PinnedCPUs().String() != "1" || o.live.PinnedCPUs().String() != "2" {
		t.Errorf("a running machine: %+v, %v", o, err)
	}

	o, err = observe(libvirt.Domain{XML: xml("1")})
	if err != nil || o.live.PinnedCPUs().String() != "1" {
		t.Errorf("a stopped machine: %+v, %v", o, err)
	}

	for what, domain := range map[string]libvirt.Domain{
		"stored": {XML: xml("x")},
		"live":   {XML: xml("1"), LiveXML: xml("x"), Active: true},
	} {
		if _, err := observe(domain); err == nil || !strings.Contains(err.Error(), `parse domain "m"`) {
			t.Errorf("a machine whose %s definition is odd: %v", what, err)
		}
	}
}

func TestDigestIsOfAllThatAMachineIsMadeFrom(t *testing.T) {
	digests := map[string]string{}

	for name, change := range map[string]func(*model){
		"nothing":   func(*model) {},
		"memory":    func(m *model) { m.Memory = tf.Size(1 << 30) },
		"pins":      func(m *model) { m.CPU.Pins = notations("4", "5") },
		"exclusive": func(m *model) { m.CPU.Exclusive = types.BoolValue(false) },
		"disk":      func(m *model) { delete(m.Disks, "data") },
		"MAC":       func(m *model) { m.Interfaces["lan"] = nic{Network: str("default"), MAC: str("52:54:00:00:00:09")} },
		"user data": func(m *model) { m.CloudInit.UserData = str("#!/bin/bash\n") },
		"no seed":   func(m *model) { m.CloudInit = nil },
		"secret":    func(m *model) { m.CloudInit.UserDataWOVersion = types.Int64Value(2) },
	} {
		m := declared()
		change(&m)

		digest, err := m.digest(formats())
		if err != nil {
			t.Fatal(err)
		}

		if other, taken := digests[digest]; taken {
			t.Errorf("with another %s and with another %s the digest is the same", name, other)
		}

		digests[digest] = name

		// These change while the machine stays what it is.
		m.ID, m.Running, m.WaitFor = absent, types.BoolValue(!m.Running.ValueBool()), nil

		if again, err := m.digest(formats()); err != nil || again != digest {
			t.Errorf("with another %s the digest is not a function of the declaration: %s, %s, %v", name, digest, again, err)
		}
	}
}

func notation(t *testing.T, of tf.NotationType, text string) tf.Notation {
	t.Helper()

	value, diags := of.ValueFromString(t.Context(), str(text))
	if diags.HasError() {
		t.Fatal(diags)
	}

	return value.(tf.Notation)
}

// same compares machines exactly: two notations of one value are not the same here.
func same(t *testing.T, what string, want, got model) {
	t.Helper()

	exactly := cmp.Comparer(func(a, b attr.Value) bool { return a.Equal(b) })
	structs := cmp.AllowUnexported(cpu{}, disk{}, nic{}, cloudInit{}, waitFor{})

	if diff := cmp.Diff(want, got, exactly, structs, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(model{}, "Timeouts", "Addresses")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
