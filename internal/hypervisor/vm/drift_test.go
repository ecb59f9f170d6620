package vm

import (
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// TestContainerThatAnUpdateLeftHalfwayHasDrift has a state from before the update or from after it: neither may hide what runs.
func TestContainerThatAnUpdateLeftHalfwayHasDrift(t *testing.T) {
	container := func(change func(*domainxml.Spec)) domainxml.Spec {
		spec := domainxml.Spec{
			Name: "box", UUID: "6e085dab-e88f-4da0-a360-0f1818aaff67", Type: domainxml.LXC, Memory: 64 << 20, VCPUs: 1,
			Container:  &domainxml.Container{Root: "/srv/box", Init: []string{"/sbin/init"}},
			Interfaces: map[string]domainxml.Interface{"lan": {Bridge: "br0", MAC: "52:54:00:00:00:01"}},
		}
		change(&spec)

		return spec
	}
	before := container(func(*domainxml.Spec) {})

	for key, test := range map[string]struct {
		change func(*domainxml.Spec)
		runs   string
	}{
		"memory":         {func(s *domainxml.Spec) { s.Memory = 96 << 20 }, "64MiB"},
		"cpu.count":      {func(s *domainxml.Spec) { s.VCPUs = 2 }, "1"},
		"cpu.emulator":   {func(s *domainxml.Spec) { s.Emulator = set("1") }, "0-7"},
		"container.init": {func(s *domainxml.Spec) { s.Container.Init = []string{"/bin/sh"} }, "/sbin/init"},
		"cloud_init.network": {func(s *domainxml.Spec) {
			s.Container.Networks = map[string]domainxml.Network{"lan": {Addresses: []string{"10.0.0.2/24"}}}
		}, "as it was started"},
		"interfaces.lan": {func(s *domainxml.Spec) {
			s.Interfaces["lan"] = domainxml.Interface{Bridge: "br1", MAC: "52:54:00:00:00:01"}
		}, "br0 52:54:00:00:00:01"},
	} {
		o := observed{domain: libvirt.Domain{Active: true, Running: true}, stored: container(test.change), live: before}
		want := map[string]attr.Value{key: types.StringValue(test.runs)}

		for name, count := range map[string]int64{"before": int64(before.VCPUs), "after": int64(o.stored.VCPUs)} {
			m := model{CPU: &cpu{Count: types.Int64Value(count)}}
			m.set(o, eight)

			if diff := cmp.Diff(want, m.Drift.Elements()); diff != "" {
				t.Errorf("%s, with a state from %s: the drift (-want +got):\n%s", key, name, diff)
			}

			if m.CPU.Count.ValueInt64() != int64(o.stored.VCPUs) {
				t.Errorf("%s, with a state from %s: the count is %s", key, name, m.CPU.Count)
			}
		}

		o.domain.Active = false
		if drift := o.drift(eight); !drift.IsNull() {
			t.Errorf("%s: a container that is off has the drift %s", key, drift)
		}
	}
}
