package vm

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type container struct {
	Directory types.String `tfsdk:"directory"`
	Archive   types.String `tfsdk:"archive"`
	Init      []string     `tfsdk:"init"`
}

// suits says what the model lacks, or has too much, for the kind of its host. The plan has checked that, unless the host was
// not known then.
func (m model) suits(kind libvirt.Kind) error {
	switch {
	case kind == libvirt.LXC && m.Container == nil:
		return fmt.Errorf("%s", noRoot)
	case kind != libvirt.LXC && m.Container != nil:
		return fmt.Errorf("container: %s", notContainer)
	case kind != libvirt.LXC && len(m.Disks) == 0:
		return fmt.Errorf("%s", noDisks)
	default:
		return nil
	}
}

// archive is the id of the volume that the container's root file system is unpacked from, if it is.
func (m model) archive() string {
	if m.Container == nil {
		return ""
	}

	return m.Container.Archive.ValueString()
}

// rootName is the name of the folder that an archive is unpacked into. No machine's name has a dot.
func rootName(machine string) string { return machine + ".root" }

// root is the folder of the host that is the container's root file system.
func (m model) root(ctx context.Context, host *libvirt.Host) (string, error) {
	if m.archive() == "" {
		return m.Container.Directory.ValueString(), nil
	}

	ref, err := libvirt.ParseVolumeRef(m.archive())
	if err != nil {
		return "", err
	}

	volume, err := host.Volume(ctx, ref.Pool, ref.Name)
	if err != nil {
		return "", err
	}

	if strings.HasPrefix(volume.Path, "/dev/") {
		return "", fmt.Errorf("the archive %s is a block device, and what is unpacked from it goes into the folder beside it. Put the archive into a pool of type dir or netfs", ref)
	}

	return path.Join(path.Dir(volume.Path), rootName(m.Name.ValueString())), nil
}

// locate fills in where on the host the machine's files are, for the kinds of hosts that want to be told.
func (m model) locate(ctx context.Context, host *libvirt.Host, spec domainxml.Spec, files map[string]string) (domainxml.Spec, error) {
	if spec.Type == domainxml.Xen {
		for name, disk := range spec.Disks {
			disk.File = files[name]
			spec.Disks[name] = disk
		}
	}

	if spec.Container == nil {
		return spec, nil
	}

	root, err := m.root(ctx, host)
	spec.Container.Root = root

	return spec, err
}

// contained is the container that the model asks for. The folder that an archive is unpacked into is for the host to say.
func (m model) contained() *domainxml.Container {
	return &domainxml.Container{Root: m.Container.Directory.ValueString(), Init: m.Container.Init, Networks: m.networks()}
}

// madeFrom is what a machine is made from that its rendering does not say: what its root file system is unpacked from, and on
// Xen the volumes, which stand there by their paths.
func (m model) madeFrom() string {
	all := []string{m.archive()}

	if m.DomainType.ValueString() == domainxml.Xen {
		for _, name := range slices.Sorted(maps.Keys(m.Disks)) {
			all = append(all, m.Disks[name].Volume.ValueString())
		}
	}

	return strings.Join(all, "\n")
}

// networks are what libvirt sets up in a container, as libvirt writes addresses.
func (m model) networks() map[string]domainxml.Network {
	if m.CloudInit == nil {
		return nil
	}

	all := map[string]domainxml.Network{}

	for name, declared := range m.CloudInit.Network {
		network := domainxml.Network{}

		for _, text := range declared.Addresses {
			if prefix, err := netip.ParsePrefix(text); err == nil { // the plan has checked it, here and below
				network.Addresses = append(network.Addresses, prefix.String())
			}
		}

		for _, gateway := range []types.String{declared.Gateway, declared.Gateway6} {
			if address, err := netip.ParseAddr(gateway.ValueString()); err == nil {
				network.Gateways = append(network.Gateways, address.String())
			}
		}

		all[name] = network
	}

	return all
}

// setContainer takes over what the host has stored of a container; what runs otherwise is drift.
func (m *model) setContainer(before model, o observed) {
	stored := o.stored.Container
	if stored == nil {
		m.Container = nil

		return
	}

	m.Container = &container{Init: stored.Init, Directory: optional(stored.Root), Archive: types.StringNull()}

	if archive := readSettings(o.stored.Mark).Archive; archive != "" && path.Base(stored.Root) == rootName(o.stored.Name) {
		m.Container.Directory, m.Container.Archive = types.StringNull(), types.StringValue(archive)
	}

	if o.stored.Seed == nil {
		m.CloudInit = m.CloudInit.addresses()
	}

	if !maps.EqualFunc(before.networks(), stored.Networks, sameNetwork) {
		m.setNetworks(stored.Networks)
	}
}

func sameNetwork(a, b domainxml.Network) bool {
	return slices.Equal(a.Addresses, b.Addresses) && slices.Equal(a.Gateways, b.Gateways)
}

// setNetworks declares what a container's interfaces are set up with.
func (m *model) setNetworks(networks map[string]domainxml.Network) {
	if m.CloudInit != nil {
		kept := *m.CloudInit
		kept.Network = nil
		m.CloudInit = &kept
	}

	for name, found := range networks {
		if m.CloudInit == nil {
			m.CloudInit = &cloudInit{}
		}

		if m.CloudInit.Network == nil {
			m.CloudInit.Network = map[string]network{}
		}

		declared := network{Addresses: found.Addresses}

		for _, text := range found.Gateways {
			if address, err := netip.ParseAddr(text); err == nil && address.Is4() {
				declared.Gateway = types.StringValue(text)
			} else {
				declared.Gateway6 = types.StringValue(text)
			}
		}

		m.CloudInit.Network[name] = declared
	}

	if m.CloudInit != nil && m.CloudInit.Network == nil && !m.CloudInit.seeded() {
		m.CloudInit = nil
	}
}

// addresses is what of cloud_init is left to libvirt.
func (c *cloudInit) addresses() *cloudInit {
	if c == nil || len(c.Network) == 0 {
		return nil
	}

	return &cloudInit{Network: c.Network}
}
