package vm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// fitting tells which attributes a kind of host has no place for, with the reason. One that stands for true, and what is
// below it, may be used; one that is not named falls under the one that it is part of, and all others are refused.
type fitting map[string]string

const fits = ""

// anywhere are the attributes that machines have whatever runs them.
var anywhere = fitting{
	"name": fits, "host": fits, "domain_type": fits, "memory": fits, "cpu.count": fits, "interfaces": fits, "running": fits, "autostart": fits,
	"wait_for": fits, "drain": fits, "drained": fits, "shutdown_timeout": fits, "force_restart": fits, "allow_change": fits, "timeouts": fits,
}

const (
	noXML   = "only the XML of machines on QEMU is merged with yours. Leave it out"
	noVCPUs = "a container has no vCPUs, so libvirt can hold it to CPUs as a whole only. Say them by cpu.emulator"
)

var fittings = map[libvirt.Kind]fitting{
	libvirt.LXC: with(fitting{
		"container":                        fits,
		"xml":                              noXML,
		"cpu.emulator":                     fits,
		"cloud_init":                       fits,
		"cpu.pins":                         noVCPUs,
		"cpu.exclusive":                    "a container has no vCPUs, whose CPUs could be its own. Leave it out",
		"placement":                        noVCPUs + ", and its host by host",
		"disks":                            "a container has a root file system instead of disks. Say it by container",
		"machine":                          "a container has no hardware. Leave it out",
		"cloud_init.network.*.nameservers": "libvirt sets up addresses and routes of a container, and no files in it. Write /etc/resolv.conf by user_data, or put it into the root file system",
		"cloud_init.network.*.dhcp":        "libvirt asks no DHCP server for a container. Let the container's init do it, without an entry here",
	}),
	libvirt.Xen: with(fitting{
		"machine":       fits,
		"xml":           noXML,
		"title":         fits,
		"description":   fits,
		"cpu.pins":      fits,
		"cpu.exclusive": fits,
		"disks":         fits,
		"cloud_init":    fits,
		"cpu.emulator":  "on Xen the emulator is a process of dom0, which libvirt cannot pin. Pin the vCPUs of dom0, and leave it out",
		"placement":     "it says where the emulator's threads run, which are dom0's on Xen. Say host and cpu.pins",
		"container":     notContainer,
	}),
	libvirt.QEMU: {"": fits, "container": notContainer},
}

const notContainer = "only hosts whose URI begins with lxc run containers. Give the machine disks"

func with(more fitting) fitting {
	maps.Copy(more, anywhere)

	return more
}

// of returns the attribute that decides about another one, and what it says.
func (f fitting) of(attribute string) (decides, reason string) {
	for decides = attribute; ; decides = decides[:strings.LastIndexByte(decides, '.')] {
		if reason, found := f[decides]; found {
			return decides, reason
		}

		if !strings.Contains(decides, ".") {
			break
		}
	}

	if reason, found := f[""]; found {
		return attribute, reason
	}

	return attribute, "libvirt has no such thing for the machines of this kind of host. Leave it out"
}

// refuse reports what the configuration says and the host's kind has no place for, each thing once.
func (f fitting) refuse(config tftypes.Value, kind libvirt.Kind, diags *diag.Diagnostics) {
	told := map[string]bool{}

	leaves("", path.Empty(), config, func(attribute string, at path.Path) {
		decides, reason := f.of(attribute)
		if reason == fits || told[decides] {
			return
		}

		told[decides] = true

		for range strings.Count(attribute, ".") - strings.Count(decides, ".") {
			at = at.ParentPath()
		}

		diags.AddAttributeError(at, fmt.Sprintf("Not for %s", machinesOf[kind]), fmt.Sprintf("The host's URI says that it runs %s: %s.", machinesOf[kind], reason))
	})
}

var machinesOf = map[libvirt.Kind]string{libvirt.LXC: "containers", libvirt.Xen: "machines on Xen", libvirt.QEMU: "machines on QEMU"}

// leaves visits each value that somebody gave, known or not, by its attribute as the rules name it.
func leaves(attribute string, at path.Path, value tftypes.Value, visit func(string, path.Path)) {
	switch {
	case value.IsNull():
	case value.IsKnown() && value.Type().Is(tftypes.Object{}) && !empty(value):
		all := parts(value)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			leaves(strings.TrimPrefix(attribute+"."+name, "."), at.AtName(name), all[name], visit)
		}
	case value.IsKnown() && value.Type().Is(tftypes.Map{}):
		all := parts(value)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			leaves(attribute+".*", at.AtMapKey(name), all[name], visit)
		}
	default:
		visit(attribute, at)
	}
}

// empty reports whether nothing is said in an object.
func empty(object tftypes.Value) bool {
	for _, value := range parts(object) {
		if !value.IsNull() {
			return false
		}
	}

	return true
}

// fitKind plans what follows from the kind of the host, and refuses what that kind has no place for. It takes no connection:
// the host's URI says its kind.
func (r *vmResource) fitKind(ctx context.Context, host types.String, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var domainType, machine types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("domain_type"), &domainType)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("machine"), &machine)...)

	set := func(at path.Path, value any) { resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, at, value)...) }

	kind, known := r.kind(host)
	if !known {
		r.keepKind(ctx, req, resp)

		return
	}

	fittings[kind].refuse(req.Config.Raw, kind, &resp.Diagnostics)

	if kind == libvirt.LXC {
		refuseSeed(req.Config.Raw, &resp.Diagnostics)
	}

	consistent(kind, domainType, machine, &resp.Diagnostics)

	given := parts(req.Config.Raw)

	switch {
	case kind == libvirt.LXC && given["container"].IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("container"), "Missing root file system", noRoot)
	case kind != libvirt.LXC && given["disks"].IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("disks"), "Missing disks", noDisks)
	}

	if domainType.IsNull() {
		set(path.Root("domain_type"), defaultTypes[kind])
	}

	if machine.IsNull() {
		set(path.Root("machine"), optional(defaultMachines[kind]))
	}

	if kind == libvirt.LXC && !resp.Diagnostics.HasError() {
		set(path.Root("cpu").AtName("exclusive"), false)
	}
}

const (
	noRoot  = "The host runs containers, which have a root file system instead of disks. Give container = { directory = ... } or container = { archive = ... }."
	noDisks = "The machine has nothing to boot from. Give it disks."
)

var (
	defaultTypes    = map[libvirt.Kind]string{libvirt.QEMU: defaultDomainType, libvirt.LXC: domainxml.LXC, libvirt.Xen: domainxml.Xen}
	defaultMachines = map[libvirt.Kind]string{libvirt.QEMU: defaultMachine, libvirt.Xen: domainxml.MachineXenFV}
)

// kind is what runs the machines of a host, if it is known already which host and where it is.
func (r *vmResource) kind(name types.String) (kind libvirt.Kind, known bool) {
	if r.clients == nil || name.IsUnknown() {
		return "", false
	}

	host, err := r.clients.Host(name.ValueString())
	if err != nil || !host.Known() {
		return "", false
	}

	return host.Kind(), true
}

// keepKind plans for a machine whose host is not known yet that it stays what it is.
func (r *vmResource) keepKind(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.State.Raw.IsNull() {
		return
	}

	for _, name := range []string{"domain_type", "machine"} {
		var given, before types.String
		resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root(name), &given)...)
		resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root(name), &before)...)

		if given.IsNull() {
			resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), before)...)
		}
	}
}

// consistent checks a domain type and a machine type against what runs the host's machines.
func consistent(kind libvirt.Kind, domainType, machine types.String, diags *diag.Diagnostics) {
	summary := "Not for " + machinesOf[kind]

	allowed := map[libvirt.Kind][]string{libvirt.QEMU: {"kvm", "qemu"}, libvirt.LXC: {domainxml.LXC}, libvirt.Xen: {domainxml.Xen}}[kind]
	if name := domainType.ValueString(); name != "" && !slices.Contains(allowed, name) {
		diags.AddAttributeError(path.Root("domain_type"), summary,
			fmt.Sprintf("The host's URI says that it runs %s, whose domain type is %s, not %s. Leave it out.", machinesOf[kind], strings.Join(allowed, " or "), name))
	}

	if name := machine.ValueString(); kind == libvirt.Xen && name != "" && name != domainxml.MachineXenFV && name != domainxml.MachineXenPV {
		diags.AddAttributeError(path.Root("machine"), summary, fmt.Sprintf(
			"On Xen the machine type is %s or %s, not %s. PVH needs a kernel that lies on the host, which a machine here does not have.", domainxml.MachineXenFV, domainxml.MachineXenPV, name))
	}
}
