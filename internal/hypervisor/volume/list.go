package volume

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// known lists the volumes of the host's active pools, without those that the provider makes beside others.
func known(ctx context.Context, host *libvirt.Host) ([]object.Found, error) {
	volumes, err := host.Volumes(ctx)
	if err != nil {
		return nil, err
	}

	var found []object.Found

	for _, volume := range volumes {
		if reserved(volume.Name) == "" {
			found = append(found, object.Found{Name: volume.Pool + "/" + volume.Name, Identity: []string{volume.Pool, volume.Name}})
		}
	}

	return found, nil
}
