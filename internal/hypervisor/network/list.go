package network

import (
	"cmp"
	"context"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// known lists the networks that can be declared: those without a stored definition cannot.
func known(ctx context.Context, host *libvirt.Host) ([]object.Found, error) {
	networks, err := host.Networks(ctx)
	if err != nil {
		return nil, err
	}

	var found []object.Found

	for _, network := range networks {
		if network.Persistent {
			found = append(found, object.Found{Name: network.Name, Identity: []string{network.Name}})
		}
	}

	slices.SortFunc(found, func(a, b object.Found) int { return cmp.Compare(a.Name, b.Name) })

	return found, nil
}
