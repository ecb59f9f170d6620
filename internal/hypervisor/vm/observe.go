package vm

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/disruption"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/machines"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// observed is a machine as its host has it.
type observed struct {
	domain libvirt.Domain
	stored domainxml.Spec // what the next start will use
	live   domainxml.Spec // what runs; the same as stored if nothing runs
}

func observe(domain libvirt.Domain) (observed, error) {
	stored, live, err := machines.Definitions(domain)
	if err != nil {
		return observed{}, err
	}

	stored.Disks = maps.Clone(stored.Disks) // of which some are given their volumes
	live.Disks = maps.Clone(live.Disks)

	for name, disk := range live.Disks { // until it next starts, a machine that was moved has its disks by their paths
		if volume := stored.Disks[name].Volume; volume.Name != "" && strings.HasSuffix(disk.File, "/"+volume.Name) {
			disk.Volume, disk.File = volume, ""
			live.Disks[name] = disk
		}
	}

	return observed{domain: domain, stored: stored, live: live}, nil
}

// settings are what a machine's declaration says and a host has no place for; they are kept in its mark, so that an
// import finds them.
type settings struct {
	WaitTCP         string            `json:"wait_tcp,omitempty"`
	WaitAddress     string            `json:"wait_address,omitempty"`
	DrainServices   []string          `json:"drain_services,omitempty"`
	DrainWait       string            `json:"drain_wait,omitempty"`
	ShutdownTimeout string            `json:"shutdown_timeout,omitempty"`
	AllowChange     string            `json:"allow_change,omitempty"`
	ForceRestart    bool              `json:"force_restart,omitempty"`
	Timeouts        map[string]string `json:"timeouts,omitempty"` // by operation
	SecretVersion   *int64            `json:"user_data_wo_version,omitempty"`
	Placed          *placed           `json:"placed,omitempty"`
	Migration       *carried          `json:"migration,omitempty"`
	Archive         string            `json:"archive,omitempty"` // what a container's root file system was unpacked from
}

func (m model) settings() string {
	s := settings{
		ShutdownTimeout: m.ShutdownTimeout.ValueString(), AllowChange: m.AllowChange.ValueString(), ForceRestart: m.ForceRestart.ValueBool(),
		Placed: m.Placement.placed(), Migration: m.Migration.carried(), Archive: m.archive(),
	}
	if m.WaitFor != nil {
		s.WaitTCP, s.WaitAddress = m.WaitFor.TCP.ValueString(), m.WaitFor.Address.ValueString()
	}

	if m.Drain != nil {
		s.DrainServices, s.DrainWait = slices.Sorted(slices.Values(m.Drain.Services)), m.Drain.Wait.ValueString()
	}

	if m.CloudInit != nil {
		s.SecretVersion = m.CloudInit.UserDataWOVersion.ValueInt64Pointer()
	}

	for operation, timeout := range m.Timeouts.Attributes() {
		if text, ok := timeout.(types.String); ok && !text.IsNull() {
			if s.Timeouts == nil {
				s.Timeouts = map[string]string{}
			}

			s.Timeouts[operation] = text.ValueString()
		}
	}

	text, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("encode settings: %v", err)) // texts and numbers always encode
	}

	return string(text)
}

// set takes over what the host says. all is the set of the host's CPUs: a thread that may run on all of them is not
// pinned.
func (m *model) set(o observed, all topology.CPUSet) {
	before := *m

	m.ID = types.StringValue(o.stored.UUID)
	m.Name = types.StringValue(o.stored.Name)
	m.DomainType = types.StringValue(o.stored.Type)
	m.Running = types.BoolValue(o.runs(m.Running))
	m.Autostart = types.BoolValue(o.domain.Autostart)

	if m.Machine.IsNull() || m.Machine.IsUnknown() || domainxml.Machine(m.Machine.ValueString()) != o.stored.Machine {
		m.Machine = optional(o.stored.Machine)
	}

	m.setTexts(o)

	if memory := tf.Size(o.stored.Memory); !m.Memory.Means(memory) {
		m.Memory = memory
	}

	if !domainxml.SameXML(m.XML.ValueString(), o.stored.XML) {
		m.XML = tf.NullXML()
		if o.stored.XML != "" {
			m.XML = tf.XML(o.stored.XML)
		}
	}

	m.setCPU(o, all)
	m.setHardware(o, all)
	m.setDevices(o.stored)
	m.setContainer(before, o)
	m.Drift = o.drift(all)
}

// setTexts takes over the texts: of a stored and a live one the one that is not as it was said before.
func (m *model) setTexts(o observed) {
	text := func(before types.String, stored, live string) types.String {
		if before.ValueString() == stored {
			stored = live
		}

		return optional(stored)
	}

	m.Title = text(m.Title, o.stored.Title, o.live.Title)
	m.Description = text(m.Description, o.stored.Description, o.live.Description)
}

// runs says whether the machine runs. A paused one is neither running nor off, so it is said to be what it should not.
func (o observed) runs(before types.Bool) bool {
	if o.domain.Active && !o.domain.Running {
		return !before.ValueBool()
	}

	return o.domain.Running
}

func (m *model) setCPU(o observed, all topology.CPUSet) {
	before := cpu{Emulator: tf.NullCPUSet(), Maximum: types.Int64Null()}
	if m.CPU != nil {
		before = *m.CPU
	}

	m.CPU = &cpu{
		Count:     types.Int64Value(int64(o.stored.VCPUs)),
		Maximum:   maximum(before.Maximum, o.stored),
		Exclusive: types.BoolValue(o.stored.Mark.Exclusive),
		Pins:      before.Pins,
		Emulator:  either(before.Emulator, o.stored.Emulator, o.live.Emulator, all),
	}

	if o.stored.Mark.Claim != (domainxml.Claim{}) || o.stored.Mark.Move != (domainxml.Move{}) {
		m.CPU.Exclusive = types.BoolNull() // a change was cut short, and what is left of it is others' hindrance until the next apply
	}

	if !samePins(before.pins(), o.stored.Pins, o.stored.VCPUs, all) {
		m.CPU.Pins = pinTexts(o.stored.Pins, all)
	} else if !samePins(before.pins(), o.live.Pins, o.stored.VCPUs, all) {
		m.CPU.Pins = pinTexts(o.live.Pins, all)
	}
}

// maximum is what is to be said of the largest number of vCPUs: nothing if it is their number, unless that was said.
func maximum(before types.Int64, stored domainxml.Spec) types.Int64 {
	top := int64(stored.TopVCPUs())
	if before.ValueInt64() == top || stored.MaxVCPUs != 0 {
		return types.Int64Value(top)
	}

	return types.Int64Null()
}

// either returns what is to be said of a set that is stored and live: what was said before if both still agree with it,
// otherwise the one that does not, so that the next plan repairs it.
func either(before tf.Notation, stored, live, all topology.CPUSet) tf.Notation {
	for _, now := range []topology.CPUSet{stored, live} {
		if !whole(before.CPUs(), all).Equal(whole(now, all)) {
			if whole(now, all).Equal(all) {
				return tf.NullCPUSet()
			}

			return tf.CPUSet(now)
		}
	}

	if before.IsUnknown() {
		return tf.NullCPUSet()
	}

	return before
}

// whole is the set itself, or all CPUs if it is empty: where a thread runs that is not pinned.
func whole(set, all topology.CPUSet) topology.CPUSet {
	if set.IsEmpty() {
		return all
	}

	return set
}

func samePins(before, now []topology.CPUSet, vcpus int, all topology.CPUSet) bool {
	for vcpu := range max(vcpus, len(before)) {
		if !pinOf(before, vcpu, all).Equal(pinOf(now, vcpu, all)) {
			return false
		}
	}

	return true
}

// pinOf is where a vCPU runs, pinned or not.
func pinOf(pins []topology.CPUSet, vcpu int, all topology.CPUSet) topology.CPUSet {
	if vcpu >= len(pins) {
		return all
	}

	return whole(pins[vcpu], all)
}

func pinTexts(pins []topology.CPUSet, all topology.CPUSet) []tf.Notation {
	pinned := false
	texts := make([]tf.Notation, len(pins))

	for vcpu := range pins {
		pin := pinOf(pins, vcpu, all)
		pinned = pinned || !pin.Equal(all)
		texts[vcpu] = tf.CPUSet(pin)
	}

	if !pinned {
		return nil
	}

	return texts
}

func (m *model) setDevices(stored domainxml.Spec) {
	var disks map[string]disk // a container has none

	for name, d := range stored.Disks {
		if disks == nil {
			disks = make(map[string]disk, len(stored.Disks))
		}

		id := "" // of a disk that is no volume of a pool, which only somebody else can have attached
		if d.Volume != (domainxml.Volume{}) {
			id = libvirt.VolumeRef{Host: m.Host.ValueString(), Pool: d.Volume.Pool, Name: d.Volume.Name}.String()
		}

		disks[name] = disk{Volume: types.StringValue(id), ReadOnly: types.BoolValue(d.ReadOnly)}
	}

	m.Disks = disks
	m.Interfaces = nil

	for name, i := range stored.Interfaces {
		if m.Interfaces == nil {
			m.Interfaces = map[string]nic{}
		}

		m.Interfaces[name] = nic{Bridge: optional(i.Bridge), Network: optional(i.Network), MAC: types.StringValue(i.MAC)}
	}

	if stored.Seed == nil && stored.Container == nil {
		m.CloudInit = nil
	}
}

// readSettings reads the settings in a machine's mark. One that says nothing readable has none.
func readSettings(mark domainxml.Mark) settings {
	saved := settings{ShutdownTimeout: defaultShutdownTimeout, AllowChange: disruption.Live.String()}
	if mark.Settings != "" {
		_ = json.Unmarshal([]byte(mark.Settings), &saved)
	}

	return saved
}

// restore fills in what only an import misses.
func (m *model) restore(ctx context.Context, saved settings) {
	m.ShutdownTimeout = tf.DurationText(saved.ShutdownTimeout)
	m.AllowChange = types.StringValue(saved.AllowChange)
	m.ForceRestart = types.BoolValue(saved.ForceRestart)
	m.Placement = saved.Placed.assignment(*m)
	m.leavePagesToPlacement()
	m.Migration = saved.Migration.migration()

	if saved.WaitTCP != "" || saved.WaitAddress != "" {
		m.WaitFor = &waitFor{TCP: optional(saved.WaitTCP), Address: optional(saved.WaitAddress)}
	}

	if len(saved.DrainServices) > 0 {
		m.Drain = &drain{Services: saved.DrainServices, Wait: tf.DurationText(saved.DrainWait)}
	}

	if len(saved.Timeouts) == 0 {
		return
	}

	kinds, values := m.Timeouts.AttributeTypes(ctx), map[string]attr.Value{}
	for operation := range kinds {
		values[operation] = optional(saved.Timeouts[operation])
	}

	restored, diags := types.ObjectValue(kinds, values)
	if !diags.HasError() {
		m.Timeouts.Object = restored
	}
}

func optional(text string) types.String {
	if text == "" {
		return types.StringNull()
	}

	return types.StringValue(text)
}
