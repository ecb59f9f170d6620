package volume

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// known lists the volumes of the host's active pools, without those that the provider makes beside others.
func known(ctx context.Context, host *libvirt.Host) ([][]string, error) {
	volumes, err := host.Volumes(ctx)
	if err != nil {
		return nil, err
	}

	var identities [][]string

	for _, volume := range volumes {
		if reserved(volume.Name) == "" {
			identities = append(identities, []string{volume.Pool, volume.Name})
		}
	}

	return identities, nil
}
