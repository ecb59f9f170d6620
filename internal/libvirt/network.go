package libvirt

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/networkxml"
)

// Network is a virtual network as its host reports it.
type Network struct {
	Name       string
	Active     bool
	Autostart  bool
	Persistent bool   // false for one that is gone when it is stopped
	XML        string // what the next start will use
	LiveXML    string // what runs; empty unless Active
}

// Networks returns all networks of the host from one shared read.
func (h *Host) Networks(ctx context.Context) ([]Network, error) {
	return shared(ctx, h, askNetworks, connection.networks)
}

// Network returns the network with the name, or ErrNotFound.
func (h *Host) Network(ctx context.Context, name string) (Network, error) {
	if h.single(askNetworks, askNetworks) {
		return do(ctx, h, fmt.Sprintf("find network %q", name), func(c connection) (Network, error) { return c.network(name) })
	}

	all, err := h.Networks(ctx)
	if err != nil {
		return Network{}, err
	}

	for _, network := range all {
		if network.Name == name {
			return network, nil
		}
	}

	return Network{}, fmt.Errorf("find network %q of host %q: %w", name, h.name, ErrNotFound)
}

// DefineNetwork stores a network's definition and starts nothing.
func (h *Host) DefineNetwork(ctx context.Context, xml string) error {
	return run(ctx, h, nets, "define the network", func(c connection) error { return c.defineNetwork(xml) })
}

// StartNetwork starts the network. One that runs is no error.
func (h *Host) StartNetwork(ctx context.Context, name string) error {
	return run(ctx, h, nets, fmt.Sprintf("start network %q", name), func(c connection) error { return c.startNetwork(name) })
}

// RemoveNetwork stops the network, if it runs, and removes its definition. One that is already gone is no error.
func (h *Host) RemoveNetwork(ctx context.Context, name string) error {
	err := run(ctx, h, nets, fmt.Sprintf("remove network %q", name), func(c connection) error {
		if err := c.stopNetwork(name); err != nil {
			return err
		}

		return c.undefineNetwork(name)
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}

	return err
}

// SetNetworkAutostart says whether the network starts when its host does.
func (h *Host) SetNetworkAutostart(ctx context.Context, name string, on bool) error {
	return run(ctx, h, nets, fmt.Sprintf("set autostart of network %q", name), func(c connection) error { return c.setNetworkAutostart(name, on) })
}

// UpdateNetwork makes one change to the network that runs, if live, or to its stored definition.
func (h *Host) UpdateNetwork(ctx context.Context, name string, change networkxml.Change, live bool) error {
	return run(ctx, h, nets, fmt.Sprintf("change the DHCP of network %q", name), func(c connection) error { return c.updateNetwork(name, change, live) })
}
