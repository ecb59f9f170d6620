package pool

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// known lists the pools that can be declared: those of other types and those without a stored definition cannot.
func known(ctx context.Context, host *libvirt.Host) ([][]string, error) {
	pools, err := host.Pools(ctx)
	if err != nil {
		return nil, err
	}

	var identities [][]string

	for _, pool := range pools {
		if _, declarable := rules[pool.Type]; declarable && pool.Persistent {
			identities = append(identities, []string{pool.Name})
		}
	}

	return identities, nil
}
