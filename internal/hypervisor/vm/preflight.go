package vm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// preflight refuses what the host would refuse only when the machine is changed or started. now is the machine as it is stored, and
// the zero Spec for a new one; runs says whether it is to run.
func preflight(ctx context.Context, host *libvirt.Host, now, want domainxml.Spec, runs bool) error {
	hardware, err := host.Topology(ctx)
	if err != nil {
		return err
	}

	if err := errors.Join(offered(want.Type, host.Name(), hardware), tooMany(want, host.Name(), hardware), misfit(want, host.Name(), hardware)); err != nil {
		return err
	}

	if want.CPU.Model != now.CPU.Model {
		if err := knowsModel(ctx, host, want.CPU.Model); err != nil {
			return err
		}
	}

	before := map[domainxml.Interface]bool{}
	for _, nic := range now.Interfaces {
		before[nic] = true
	}

	for name, nic := range want.Interfaces {
		if before[nic] {
			continue
		}

		if err := wired(ctx, host, nic); err != nil {
			return fmt.Errorf("interface %q: %w", name, err)
		}
	}

	if !runs || want.Pages.Size == 0 || (now.SameBacking(want) && now.TopMemory() == want.TopMemory()) {
		return nil
	}

	return enoughPages(ctx, host, hardware, now, want)
}

// offered reports a domain type that the host does not have. Without hardware virtualisation that is kvm, the default.
func offered(domainType, host string, hardware topology.Host) error {
	switch {
	case domainType == "" || len(hardware.DomainTypes) == 0 || slices.Contains(hardware.DomainTypes, domainType):
		return nil
	case domainType == defaultDomainType:
		return fmt.Errorf("host %q has no KVM. Switch hardware virtualisation on in its firmware (virt-host-validate says there what is missing), or set domain_type = \"qemu\": guests are emulated then, which is much slower", host)
	default:
		return fmt.Errorf("host %q runs no machines of type %q. It has: %s", host, domainType, strings.Join(hardware.DomainTypes, ", "))
	}
}

// tooMany reports more vCPUs than the machine type has.
func tooMany(want domainxml.Spec, host string, hardware topology.Host) error {
	limit, known := hardware.MaxVCPUs[want.Machine]
	if !known || want.TopVCPUs() <= limit {
		return nil
	}

	return fmt.Errorf("the machine is to have %d vCPUs, and the machine type %q of host %q has at most %d. Give it fewer", want.TopVCPUs(), want.Machine, host, limit)
}

// knowsModel reports a CPU model that the host does not know. Libvirt stores it without a word, and the machine would not start.
func knowsModel(ctx context.Context, host *libvirt.Host, model string) error {
	if model == "" || model == domainxml.HostPassthrough {
		return nil
	}

	known, err := host.CPUModels(ctx)
	if err == nil && !slices.Contains(known, model) {
		err = fmt.Errorf("host %q knows no CPU model %q. Name one that it has (virsh cpu-models), or leave cpu_model out", host.Name(), model)
	}

	return err
}

// misfit reports NUMA nodes and huge pages that the host does not have, and threads that are no siblings there.
func misfit(want domainxml.Spec, host string, hardware topology.Host) error {
	nodes := map[int]topology.Node{}
	for _, node := range hardware.Nodes {
		nodes[node.ID] = node
	}

	for id, node := range want.Nodes {
		if _, found := nodes[node.Host]; !found && node.Host >= 0 {
			return fmt.Errorf("NUMA node %d of the guest is bound to node %d of host %q, which has %d. Bind it to another one", id, node.Host, host, len(nodes))
		}

		if near := nodes[node.Host].CPUs(); node.Host >= 0 && filledFromAfar(want, near) {
			return fmt.Errorf("the memory of node %d of host %q is filled by QEMU's own threads there before the machine starts, and they are kept to CPUs %s, of which the node has none. Add one of %s to cpu.emulator, or leave it out", node.Host, host, want.Emulator, near)
		}
	}

	for _, id := range want.Pages.Nodes.CPUs() {
		if _, found := nodes[id]; !found {
			return fmt.Errorf("huge pages are to come from NUMA node %d of host %q, which has %d. Take them from another one", id, host, len(nodes))
		}
	}

	if want.CPU.Threads != 2 {
		return nil
	}

	for vcpu := 0; vcpu+1 < len(want.Pins); vcpu += 2 {
		if pair := want.Pins[vcpu].Union(want.Pins[vcpu+1]); !siblings(pair, hardware) {
			return fmt.Errorf("vCPUs %d and %d are to be the threads of one core, and are pinned to CPUs %s of host %q, which are not. Pin them to siblings, or set threads = 1 in cpu_topology", vcpu, vcpu+1, pair, host)
		}
	}

	return nil
}

// filledFromAfar reports whether all memory is taken when the machine starts, by threads that may not run near it. Since version 8.10
// libvirt has them run on the CPUs of the memory's node (thread-context), and QEMU ends if their cgroup has none of these.
func filledFromAfar(want domainxml.Spec, near topology.CPUSet) bool {
	return (want.Pages.Size > 0 || want.Preallocated) && !want.Emulator.IsEmpty() && want.Emulator.Intersect(near).IsEmpty()
}

func siblings(cpus topology.CPUSet, hardware topology.Host) bool {
	for _, node := range hardware.Nodes {
		for _, core := range node.Cores {
			if cpus.Minus(core.Threads).IsEmpty() {
				return true
			}
		}
	}

	return cpus.IsEmpty()
}

// wired reports a bridge or a network that the host does not have.
func wired(ctx context.Context, host *libvirt.Host, nic domainxml.Interface) error {
	if nic.Network == "" {
		found, err := host.HasBridge(ctx, nic.Bridge)
		if err == nil && !found {
			err = fmt.Errorf("host %q has no bridge %q. Make it there, or name another one", host.Name(), nic.Bridge)
		}

		return err
	}

	network, err := host.Network(ctx, nic.Network)

	switch {
	case errors.Is(err, libvirt.ErrNotFound):
		return fmt.Errorf("host %q has no network %q. Make it with hypervisor_network, or name another one", host.Name(), nic.Network)
	case err == nil && !network.Active:
		return fmt.Errorf("the network %q of host %q is not active. Start it", nic.Network, host.Name())
	default:
		return err
	}
}

// enoughPages reports fewer free huge pages than the machine needs, beside those that it has itself. What the guest's NUMA nodes are
// bound to has to have theirs: others' pages are of no use to them.
func enoughPages(ctx context.Context, host *libvirt.Host, hardware topology.Host, now, want domainxml.Spec) error {
	free, err := host.Free(ctx)
	if err != nil {
		return err
	}

	if now.Pages.Size != want.Pages.Size {
		now = domainxml.Spec{}
	}

	var have uint64

	for i, node := range hardware.Nodes {
		if want.Pages.Nodes.IsEmpty() || !topology.NewCPUSet(node.ID).Intersect(want.Pages.Nodes).IsEmpty() {
			have += free[i].Pages[want.Pages.Size]
		}

		bound := pagesOf(want, want.Pages.Size, node.ID)
		if there := free[i].Pages[want.Pages.Size] + pagesOf(now, want.Pages.Size, node.ID); bound > there {
			return tooFewPages(bound, want.Pages.Size, fmt.Sprintf(" of NUMA node %d", node.ID), host.Name(), there)
		}
	}

	have += now.TopMemory() / want.Pages.Size

	if need := (want.TopMemory() + want.Pages.Size - 1) / want.Pages.Size; need > have {
		return tooFewPages(need, want.Pages.Size, "", host.Name(), have)
	}

	return nil
}

// pagesOf are the pages that the guest's nodes take of a node of the host.
func pagesOf(spec domainxml.Spec, size uint64, host int) uint64 {
	var pages uint64

	for _, node := range spec.Nodes {
		if node.Host == host {
			pages += (node.Memory + size - 1) / size
		}
	}

	return pages
}

func tooFewPages(need, size uint64, of, host string, have uint64) error {
	return fmt.Errorf("the machine needs %d huge pages of %s%s, and host %q has %d free for it. Reserve more (vm.nr_hugepages), or give the machine less", need, tf.FormatSize(size), of, host, have)
}

// checkType refuses in the plan a domain type that the host does not have. Of a machine that moves checkMove says so.
func (p planned) checkType(ctx context.Context, host *libvirt.Host, state *planned, diags *diag.Diagnostics) {
	if p.DomainType.IsUnknown() || !host.Known() || host.Kind() != libvirt.QEMU ||
		(state != nil && state.DomainType.Equal(p.DomainType)) {
		return
	}

	hardware, err := host.Topology(ctx)
	if err != nil {
		return // checkHost says so if it matters
	}

	if err := offered(p.DomainType.ValueString(), host.Name(), hardware); err != nil {
		diags.Append(tf.FailedAt(path.Root("domain_type"), "plan", "VM", p.Name.ValueString(), err))
	}
}

// checkHardware refuses in the plan what no apply can change about the host.
func (p planned) checkHardware(ctx context.Context, host *libvirt.Host, state *planned, diags *diag.Diagnostics) {
	vcpus, known := p.vcpus()
	if !known || !host.Known() || (state != nil && state.Host.Equal(p.Host) && state.Count.Equal(p.Count) && state.Maximum.Equal(p.Maximum)) {
		return
	}

	hardware, err := host.Topology(ctx)
	if err != nil {
		return // checkHost says so if it matters
	}

	spec := domainxml.Spec{Machine: p.Machine.ValueString(), VCPUs: int(vcpus)}
	if err := tooMany(spec, host.Name(), hardware); err != nil {
		diags.Append(tf.FailedAt(path.Root("cpu").AtName("count"), "plan", "VM", p.Name.ValueString(), err))
	}
}

// checkModel refuses in the plan a CPU model that the host does not know.
func (p planned) checkModel(ctx context.Context, host *libvirt.Host, state *planned, diags *diag.Diagnostics) {
	if p.CPUModel.IsUnknown() || !host.Known() || (state != nil && state.Host.Equal(p.Host) && state.CPUModel.Equal(p.CPUModel)) {
		return
	}

	err := knowsModel(ctx, host, p.CPUModel.ValueString())
	if err != nil && !errors.Is(err, libvirt.ErrUnreachable) {
		diags.Append(tf.FailedAt(path.Root("cpu_model"), "plan", "VM", p.Name.ValueString(), err))
	}
}
