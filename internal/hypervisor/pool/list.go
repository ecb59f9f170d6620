package pool

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// known lists the pools that can be declared: those of other types and those without a stored definition cannot.
func known(ctx context.Context, host *libvirt.Host) ([]object.Found, error) {
	pools, err := host.Pools(ctx)
	if err != nil {
		return nil, err
	}

	var found []object.Found

	for _, pool := range pools {
		if _, declarable := rules[pool.Type]; declarable && pool.Persistent {
			found = append(found, object.Found{Name: pool.Name, Identity: []string{pool.Name}})
		}
	}

	return found, nil
}
