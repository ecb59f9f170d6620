package machines

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// hashes remembers contents of volumes that others stand on: one image often is below each of many machines.
var hashes sync.Map // map[hashKey][sha256.Size]byte

type hashKey struct {
	host, pool, name string
	length           int64
}

// SameContent compares two volumes that nobody writes to, byte for byte, through this process.
func SameContent(ctx context.Context, from *libvirt.Host, here libvirt.Volume, to *libvirt.Host, there libvirt.Volume) (bool, error) {
	if here.Length != there.Length || here.Format != there.Format {
		return false, nil
	}

	one, err := content(ctx, from, here)
	if err != nil {
		return false, err
	}

	other, err := content(ctx, to, there)

	return one == other, err
}

// SameBase reports whether an overlay could stand on another host as it stands on this one: on a volume of the same path and
// content.
func SameBase(ctx context.Context, from, to *libvirt.Host, overlay libvirt.Volume) (bool, error) {
	here, err := from.VolumeAt(ctx, overlay.BackingPath)
	if err != nil {
		return false, err
	}

	there, err := to.Volume(ctx, here.Pool, here.Name)
	if errors.Is(err, libvirt.ErrNotFound) {
		return false, nil
	}

	if err != nil || here.Path != there.Path || here.BackingPath != "" || there.BackingPath != "" {
		return false, err
	}

	return SameContent(ctx, from, here, to, there)
}

func content(ctx context.Context, host *libvirt.Host, volume libvirt.Volume) ([sha256.Size]byte, error) {
	key := hashKey{host.Name(), volume.Pool, volume.Name, volume.Length}
	if known, found := hashes.Load(key); found {
		return known.([sha256.Size]byte), nil //nolint:forcetypeassert // the map holds nothing else
	}

	hash := sha256.New()
	if err := host.Download(ctx, volume.Pool, volume.Name, hash); err != nil {
		return [sha256.Size]byte{}, err
	}

	sum := [sha256.Size]byte(hash.Sum(nil))
	hashes.Store(key, sum)

	return sum, nil
}
