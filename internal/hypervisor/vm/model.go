package vm

import (
	"context"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	ID              types.String    `tfsdk:"id"`
	Name            types.String    `tfsdk:"name"`
	Host            types.String    `tfsdk:"host"`
	DomainType      types.String    `tfsdk:"domain_type"`
	Machine         types.String    `tfsdk:"machine"`
	Title           types.String    `tfsdk:"title"`
	Description     types.String    `tfsdk:"description"`
	Memory          tf.Notation     `tfsdk:"memory"`
	MemoryMaximum   tf.Notation     `tfsdk:"memory_maximum"`
	MemoryBacking   *memoryBacking  `tfsdk:"memory_backing"`
	CPUModel        types.String    `tfsdk:"cpu_model"`
	CPUTopology     *cpuTopology    `tfsdk:"cpu_topology"`
	NUMANodes       []numaNode      `tfsdk:"numa_nodes"`
	IOThreads       []tf.Notation   `tfsdk:"io_threads"`
	CPU             *cpu            `tfsdk:"cpu"`
	Placement       *assignment     `tfsdk:"placement"`
	Disks           map[string]disk `tfsdk:"disks"`
	XML             tf.Notation     `tfsdk:"xml"`
	Container       *container      `tfsdk:"container"`
	Interfaces      map[string]nic  `tfsdk:"interfaces"`
	CloudInit       *cloudInit      `tfsdk:"cloud_init"`
	Running         types.Bool      `tfsdk:"running"`
	Autostart       types.Bool      `tfsdk:"autostart"`
	AllowChange     types.String    `tfsdk:"allow_change"`
	ShutdownTimeout tf.Notation     `tfsdk:"shutdown_timeout"`
	ForceRestart    types.Bool      `tfsdk:"force_restart"`
	WaitFor         *waitFor        `tfsdk:"wait_for"`
	Addresses       types.Map       `tfsdk:"addresses"`
	Drift           types.Map       `tfsdk:"drift"`
	Migration       *migration      `tfsdk:"migration"`
	Drain           *drain          `tfsdk:"drain"`
	Drained         types.Bool      `tfsdk:"drained"`
	Timeouts        timeouts.Value  `tfsdk:"timeouts"`
}

type cpu struct {
	Count     types.Int64   `tfsdk:"count"`
	Maximum   types.Int64   `tfsdk:"maximum"`
	Pins      []tf.Notation `tfsdk:"pins"`
	Emulator  tf.Notation   `tfsdk:"emulator"`
	Exclusive types.Bool    `tfsdk:"exclusive"`
}

type disk struct {
	Volume   types.String `tfsdk:"volume"`
	ReadOnly types.Bool   `tfsdk:"read_only"`
}

type nic struct {
	Bridge  types.String `tfsdk:"bridge"`
	Network types.String `tfsdk:"network"`
	MAC     types.String `tfsdk:"mac"`
}

type cloudInit struct {
	UserData          types.String       `tfsdk:"user_data"`
	UserDataWO        types.String       `tfsdk:"user_data_wo"` // from the configuration; plan and state never have it
	UserDataWOVersion types.Int64        `tfsdk:"user_data_wo_version"`
	MetaData          map[string]string  `tfsdk:"meta_data"`
	Network           map[string]network `tfsdk:"network"`
	NetworkConfig     types.String       `tfsdk:"network_config"`
}

type network struct {
	Addresses   []string     `tfsdk:"addresses"`
	Gateway     types.String `tfsdk:"gateway"`
	Gateway6    types.String `tfsdk:"gateway6"`
	Nameservers []string     `tfsdk:"nameservers"`
	DHCP        types.Bool   `tfsdk:"dhcp"`
}

type waitFor struct {
	TCP     types.String `tfsdk:"tcp"`
	Address types.String `tfsdk:"address"`
}

// spec is the machine that the model asks for. formats has the format of each volume by its id.
func (m model) spec(uuid string, formats map[string]string) domainxml.Spec {
	spec := domainxml.Spec{
		Name:        m.Name.ValueString(),
		UUID:        uuid,
		Type:        m.DomainType.ValueString(),
		Machine:     m.Machine.ValueString(),
		Title:       m.Title.ValueString(),
		Description: m.Description.ValueString(),
		Memory:      m.Memory.Bytes(),
		XML:         m.XML.ValueString(),
		VCPUs:       int(m.CPU.Count.ValueInt64()),
		Pins:        m.CPU.pins(),
		Emulator:    m.CPU.Emulator.CPUs(),
		Mark:        domainxml.Mark{Managed: true, Exclusive: m.CPU.Exclusive.ValueBool(), Settings: m.settings()},
	}

	m.hardware(&spec)

	spec.Disks = make(map[string]domainxml.Disk, len(m.Disks))
	for name, disk := range m.Disks {
		ref, _ := libvirt.ParseVolumeRef(disk.Volume.ValueString()) // the plan has checked it
		spec.Disks[name] = domainxml.Disk{
			Volume:   domainxml.Volume{Pool: ref.Pool, Name: ref.Name},
			Format:   formats[disk.Volume.ValueString()],
			ReadOnly: disk.ReadOnly.ValueBool(),
		}
	}

	spec.Interfaces = make(map[string]domainxml.Interface, len(m.Interfaces))
	for name, nic := range m.Interfaces {
		spec.Interfaces[name] = domainxml.Interface{
			Bridge: nic.Bridge.ValueString(), Network: nic.Network.ValueString(), MAC: nic.MAC.ValueString(),
		}
	}

	if m.Container != nil {
		spec.Container = m.contained()
	}

	spec.Seed = m.seedVolume()

	return spec
}

func (c cpu) pins() []topology.CPUSet {
	pins := make([]topology.CPUSet, len(c.Pins))
	for i, pin := range c.Pins {
		pins[i] = pin.CPUs()
	}

	return pins
}

// takeSecrets reads what only the configuration has.
func (m *model) takeSecrets(ctx context.Context, config tfsdk.Config) (diags diag.Diagnostics) {
	if m.CloudInit != nil {
		diags = config.GetAttribute(ctx, path.Root("cloud_init").AtName("user_data_wo"), &m.CloudInit.UserDataWO)
	}

	return diags
}

// withoutSecrets is the model as it may be stored.
func (m model) withoutSecrets() model {
	if m.CloudInit != nil {
		kept := m.CloudInit.stored()
		m.CloudInit = &kept
	}

	return m
}

// seedPool is the pool that the seed goes to: that of the disk that the machine boots from.
func (m model) seedPool() string {
	boot := domainxml.BootDisk

	if _, found := m.Disks[boot]; !found {
		names := make([]string, 0, len(m.Disks))
		for name := range m.Disks {
			names = append(names, name)
		}

		boot = slices.Min(names)
	}

	ref, _ := libvirt.ParseVolumeRef(m.Disks[boot].Volume.ValueString())

	return ref.Pool
}

func seedName(machine string) string { return machine + ".seed" }
