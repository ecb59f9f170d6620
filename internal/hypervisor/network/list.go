package network

import (
	"context"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// known lists the networks that can be declared: those without a stored definition cannot.
func known(ctx context.Context, host *libvirt.Host) ([][]string, error) {
	networks, err := host.Networks(ctx)
	if err != nil {
		return nil, err
	}

	var names []string

	for _, network := range networks {
		if network.Persistent {
			names = append(names, network.Name)
		}
	}

	slices.Sort(names)

	identities := make([][]string, len(names))
	for at, name := range names {
		identities[at] = []string{name}
	}

	return identities, nil
}
