package vm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// checkSuccessor refuses to destroy a machine for another one that could not be made: its volumes, bridges and networks have to be
// there, and its host has to have what it asks for. What the same apply makes of it comes too late to be sure of.
func (p planned) checkSuccessor(ctx context.Context, host *libvirt.Host, state planned, diags *diag.Diagnostics) {
	if !host.Known() {
		return
	}

	refuse := func(at path.Path, err error) {
		if err != nil && !errors.Is(err, libvirt.ErrUnreachable) {
			diags.Append(tf.FailedAt(at, "plan", "VM", p.Name.ValueString(),
				fmt.Errorf("the machine would be destroyed, and the one in its place could not be made: %w", err)))
		}
	}

	for _, name := range slices.Sorted(maps.Keys(p.Interfaces.Elements())) {
		refuse(path.Root("interfaces").AtMapKey(name), p.checkWire(ctx, host, name))
	}

	if p.Host.Equal(state.Host) { // to another host volumes are carried in the same apply
		for _, name := range slices.Sorted(maps.Keys(p.Disks.Elements())) {
			refuse(path.Root("disks").AtMapKey(name), p.checkDisk(ctx, host, name))
		}
	}

	hardware, err := host.Topology(ctx)
	if err != nil {
		refuse(path.Root("host"), err)

		return
	}

	want := p.sketch()
	refuse(path.Root("machine"), tooMany(want, host.Name(), hardware))
	refuse(path.Root("numa_nodes"), misfit(want, host.Name(), hardware))
	refuse(path.Root("cpu"), missing(want, host.Name(), hardware))

	if want.Pages.Size != 0 && p.Running.ValueBool() && !p.Memory.IsUnknown() {
		refuse(path.Root("memory"), enoughPages(ctx, host, hardware, state.sketch(), want))
	}
}

func (p planned) checkWire(ctx context.Context, host *libvirt.Host, name string) error {
	nic, ok := p.Interfaces.Elements()[name].(types.Object)
	if !ok {
		return nil
	}

	bridge, _ := nic.Attributes()["bridge"].(types.String)
	network, _ := nic.Attributes()["network"].(types.String)

	if bridge.IsUnknown() || network.IsUnknown() || (bridge.IsNull() && network.IsNull()) {
		return nil
	}

	return wired(ctx, host, domainxml.Interface{Bridge: bridge.ValueString(), Network: network.ValueString()})
}

// checkDisk looks for a volume whose id is known. That of one which is yet to be made is not.
func (p planned) checkDisk(ctx context.Context, host *libvirt.Host, name string) error {
	id := volumeID(p.Disks, name)
	if id.IsNull() || id.IsUnknown() {
		return nil
	}

	ref, err := libvirt.ParseVolumeRef(id.ValueString())
	if err != nil || ref.Host != host.Name() {
		return nil //nolint:nilerr // checkVolumes says so
	}

	_, err = host.Volume(ctx, ref.Pool, ref.Name)
	if errors.Is(err, libvirt.ErrNotFound) {
		err = fmt.Errorf("host %q has no volume %q in pool %q. Make it with hypervisor_volume, or name another one", host.Name(), ref.Name, ref.Pool)
	}

	return err
}

// sketch is the machine as far as it is known and its host's hardware matters to it.
func (p planned) sketch() domainxml.Spec {
	spec, _ := p.threads()
	vcpus, _ := p.vcpus()

	spec.Machine, spec.VCPUs = p.Machine.ValueString(), int(vcpus)
	spec.Memory, spec.MaxMemory = p.Memory.Bytes(), p.MemoryMaximum.Bytes()
	spec.Pages.Size = p.PageSize.Bytes()

	if threads, ok := p.Topology.Attributes()["threads"].(types.Int64); ok {
		spec.CPU.Threads = int(threads.ValueInt64())
	}

	for _, element := range p.NUMANodes.Elements() {
		node, _ := element.(types.Object)
		bound := domainxml.Node{Host: -1}

		if number, ok := node.Attributes()["host_node"].(types.Int64); ok && !number.IsNull() && !number.IsUnknown() {
			bound.Host = int(number.ValueInt64())
		}

		spec.Nodes = append(spec.Nodes, bound)
	}

	if placed, ok := p.Placement.Attributes()["page_size"].(tf.Notation); ok && !placed.IsNull() {
		spec.Pages.Size = placed.Bytes()
	}

	if nodes, ok := p.Placement.Attributes()["nodes"].(types.List); ok && spec.Pages.Size != 0 {
		for _, element := range nodes.Elements() {
			if number, ok := element.(types.Int64); ok && !number.IsUnknown() {
				spec.Pages.Nodes = spec.Pages.Nodes.Union(topology.NewCPUSet(int(number.ValueInt64())))
			}
		}
	}

	return spec
}
