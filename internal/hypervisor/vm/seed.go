package vm

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/cloudinit"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// seed is what cloud-init is told. The machine's UUID is its instance id: cloud-init runs once for each machine made.
func (m model) seed(uuid string) cloudinit.Seed {
	c := m.CloudInit

	seed := cloudinit.Seed{
		InstanceID:     uuid,
		Hostname:       m.Name.ValueString(),
		MetaData:       c.MetaData,
		UserData:       c.UserData.ValueString(),
		SecretUserData: c.UserDataWO.ValueString(),
		NetworkConfig:  c.NetworkConfig.ValueString(),
	}

	if m.Container != nil && len(c.Network) > 0 { // libvirt sets it up
		seed.NetworkConfig = cloudinit.NoNetwork

		return seed
	}

	for _, name := range slices.Sorted(maps.Keys(c.Network)) {
		n := c.Network[name]
		seed.Network = append(seed.Network, cloudinit.Interface{
			Name:        name,
			MAC:         m.Interfaces[name].MAC.ValueString(),
			Addresses:   n.Addresses,
			Gateway:     n.Gateway.ValueString(),
			Gateway6:    n.Gateway6.ValueString(),
			Nameservers: n.Nameservers,
			DHCP:        n.DHCP.ValueBool(),
		})
	}

	return seed
}

// plant puts the seed where the machine's definition says that it is.
func (m model) plant(ctx context.Context, host *libvirt.Host, spec domainxml.Spec) error {
	return m.plantSeed(ctx, host, *spec.Seed, spec.UUID)
}

// plantSeed puts the seed on the host, in place of any other of its name: the machine's definition, which is there
// already, says that it is this machine's.
func (m model) plantSeed(ctx context.Context, host *libvirt.Host, at domainxml.Volume, uuid string) error {
	render := cloudinit.Render
	if m.Container != nil {
		render = cloudinit.Archive
	}

	image, err := render(m.seed(uuid))
	if err != nil {
		return err
	}

	if err := host.DeleteVolume(ctx, at.Pool, at.Name); err != nil {
		return err
	}

	spec := libvirt.VolumeSpec{Pool: at.Pool, Name: at.Name, Format: "raw", Capacity: uint64(len(image)), Private: true}
	if err := host.CreateVolume(ctx, spec); err != nil {
		return err
	}

	return host.Put(ctx, at.Pool, at.Name, image)
}

// renewSeed writes another content into the seed, which a running guest keeps as the disk that it is.
func (m model) renewSeed(ctx context.Context, host *libvirt.Host, at domainxml.Volume, uuid string) error {
	volume, err := host.Volume(ctx, at.Pool, at.Name)
	if errors.Is(err, libvirt.ErrNotFound) {
		return m.plantSeed(ctx, host, at, uuid)
	}

	if err != nil {
		return err
	}

	image, err := cloudinit.Render(m.seed(uuid))
	if err != nil {
		return err
	}

	if uint64(len(image)) > volume.Capacity {
		if err := growSeed(ctx, host, volume, uuid, uint64(len(image))); err != nil {
			return err
		}
	} else {
		image = append(image, make([]byte, volume.Capacity-uint64(len(image)))...) // in place of what the old one had there
	}

	return host.Put(ctx, at.Pool, at.Name, image)
}

// growSeed makes room for a longer seed, also on the machine that runs.
func growSeed(ctx context.Context, host *libvirt.Host, seed libvirt.Volume, uuid string, capacity uint64) error {
	if err := host.ResizeVolume(ctx, seed.Pool, seed.Name, capacity); err != nil {
		return err
	}

	active, err := host.Active(ctx, uuid)
	if err != nil || !active {
		return err
	}

	return host.ResizeDisk(ctx, uuid, seed.Path, capacity)
}

// readSeed fills in cloud_init from the seed on the host, for an import. User data that was given as a secret of some
// version stays one.
func (m *model) readSeed(ctx context.Context, host *libvirt.Host, at domainxml.Volume, secret *int64) error {
	var image bytes.Buffer
	if err := host.Download(ctx, at.Pool, at.Name, &image); err != nil {
		return err
	}

	parse := cloudinit.Parse
	if m.Container != nil {
		parse = cloudinit.ParseArchive
	}

	seed, err := parse(image.Bytes())
	if err != nil {
		return err
	}

	found := &cloudInit{
		UserData:      optional(seed.UserData),
		MetaData:      seed.MetaData,
		NetworkConfig: optional(seed.NetworkConfig),
	}

	if m.Container != nil && m.CloudInit != nil { // which libvirt sets up
		found.Network, found.NetworkConfig = m.CloudInit.Network, types.StringNull()
	}

	m.CloudInit = found

	if secret != nil {
		m.CloudInit.UserDataWOVersion = types.Int64PointerValue(secret)

		if seed.SecretUserData == "" { // it is all the user data that there is
			m.CloudInit.UserData = types.StringNull()
		}
	}

	for _, nic := range seed.Network {
		if m.CloudInit.Network == nil {
			m.CloudInit.Network = map[string]network{}
		}

		n := network{
			Addresses: nic.Addresses, Gateway: optional(nic.Gateway), Gateway6: optional(nic.Gateway6), Nameservers: nic.Nameservers,
		}
		if nic.DHCP {
			n.DHCP = types.BoolValue(true)
		}

		m.CloudInit.Network[nic.Name] = n
	}

	return nil
}

// withoutPrefix turns "10.0.0.101/24" into "10.0.0.101".
func withoutPrefix(prefixes []string) []string {
	addresses := make([]string, 0, len(prefixes))

	for _, prefix := range prefixes {
		if parsed, err := netip.ParsePrefix(prefix); err == nil {
			addresses = append(addresses, parsed.Addr().String())
		}
	}

	return addresses
}
