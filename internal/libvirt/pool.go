package libvirt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
	"libvirt.org/go/libvirtxml"
)

// The types of pools that PoolSpec can say in full.
const (
	DirPool     = "dir"     // a folder
	LogicalPool = "logical" // a volume group of LVM
	NetFSPool   = "netfs"   // a folder that another machine exports
)

// PoolSpec is a storage pool to be made.
type PoolSpec struct {
	Name    string
	Type    string   // one of the above; of a pool that was read also another of libvirt's
	Path    string   // where the volumes appear on the host; of a logical pool /dev and its group
	Host    string   // netfs: who exports
	Dir     string   // netfs: what it exports
	Format  string   // netfs: "nfs", "glusterfs", "cifs"; empty has the host find out
	Group   string   // logical: the volume group
	Devices []string // logical: the devices that the group must be on; empty for any
}

// Pool is a storage pool as its host reports it.
type Pool struct {
	PoolSpec
	Active     bool
	Autostart  bool
	Persistent bool // false for one that is gone when it is stopped
}

// Same reports whether both are the same pool.
func (p PoolSpec) Same(other PoolSpec) bool {
	return p.Name == other.Name && p.Type == other.Type && p.Path == other.Path && p.Host == other.Host &&
		p.Dir == other.Dir && p.Format == other.Format && p.Group == other.Group &&
		slices.Equal(slices.Sorted(slices.Values(p.Devices)), slices.Sorted(slices.Values(other.Devices)))
}

// defaultFormats are those that libvirt writes down if it is told none.
var defaultFormats = []string{"auto", "lvm2", "unknown"}

func parsePool(found poolXML) (Pool, error) {
	var parsed libvirtxml.StoragePool
	if err := parsed.Unmarshal(found.xml); err != nil {
		return Pool{}, fmt.Errorf("parse pool %q: %w", found.name, err)
	}

	pool := Pool{
		PoolSpec: PoolSpec{Name: found.name, Type: parsed.Type},
		Active:   found.active, Autostart: found.autostart, Persistent: found.persistent,
	}

	if parsed.Target != nil {
		pool.Path = parsed.Target.Path
	}

	source := parsed.Source
	if source == nil {
		return pool, nil
	}

	pool.Group = source.Name

	if len(source.Host) > 0 {
		pool.Host = source.Host[0].Name
	}

	if source.Dir != nil {
		pool.Dir = source.Dir.Path
	}

	if source.Format != nil && !slices.Contains(defaultFormats, source.Format.Type) {
		pool.Format = source.Format.Type
	}

	for _, device := range source.Device {
		pool.Devices = append(pool.Devices, device.Path)
	}

	return pool, nil
}

// render returns the pool XML, https://libvirt.org/formatstorage.html.
func (p PoolSpec) render() (string, error) {
	definition := libvirtxml.StoragePool{Type: p.Type, Name: p.Name}

	if p.Path != "" {
		definition.Target = &libvirtxml.StoragePoolTarget{Path: p.Path}
	}

	if p.Type != DirPool {
		definition.Source = p.source()
	}

	text, err := definition.Marshal()
	if err != nil {
		return "", fmt.Errorf("render pool %q: %w", p.Name, err)
	}

	return text, nil
}

func (p PoolSpec) source() *libvirtxml.StoragePoolSource {
	source := &libvirtxml.StoragePoolSource{Name: p.Group}

	if p.Host != "" {
		source.Host = []libvirtxml.StoragePoolSourceHost{{Name: p.Host}}
	}

	if p.Dir != "" {
		source.Dir = &libvirtxml.StoragePoolSourceDir{Path: p.Dir}
	}

	if p.Format != "" {
		source.Format = &libvirtxml.StoragePoolSourceFormat{Type: p.Format}
	}

	for _, device := range slices.Sorted(slices.Values(p.Devices)) {
		source.Device = append(source.Device, libvirtxml.StoragePoolSourceDevice{Path: device})
	}

	return source
}

// Pool returns the storage pool with the name, or ErrNotFound.
func (h *Host) Pool(ctx context.Context, name string) (Pool, error) {
	if h.single(askPools, askPools) {
		return do(ctx, h, fmt.Sprintf("find pool %q", name), func(c connection) (Pool, error) {
			found, err := c.pool(name)
			if err != nil {
				return Pool{}, err
			}

			return parsePool(found)
		})
	}

	all, err := h.pools(ctx)
	if err != nil {
		return Pool{}, err
	}

	pool, found := all[name]
	if !found {
		return Pool{}, fmt.Errorf("find pool %q of host %q: %w", name, h.name, ErrNotFound)
	}

	return pool, nil
}

// InVolumeGroup reports whether the volumes of a pool are in a volume group: devices, whose content is raw. The host is asked once,
// since a pool's type does not change.
func (h *Host) InVolumeGroup(ctx context.Context, pool string) (bool, error) {
	h.mu.Lock()
	kind, known := h.poolTypes[pool]
	h.mu.Unlock()

	if known {
		return kind == LogicalPool, nil
	}

	found, err := h.Pool(ctx, pool)
	if err != nil {
		return false, err
	}

	h.mu.Lock()
	h.poolTypes[pool] = found.Type
	h.mu.Unlock()

	return found.Type == LogicalPool, nil
}

// Pools returns the host's storage pools from one shared read, in order.
func (h *Host) Pools(ctx context.Context) ([]Pool, error) {
	all, err := h.pools(ctx)
	if err != nil {
		return nil, err
	}

	return slices.SortedFunc(maps.Values(all), func(a, b Pool) int { return cmp.Compare(a.Name, b.Name) }), nil
}

// DefinePool stores a pool's definition and starts nothing.
func (h *Host) DefinePool(ctx context.Context, spec PoolSpec) error {
	xml, err := spec.render()
	if err != nil {
		return err
	}

	return run(ctx, h, storage, fmt.Sprintf("define pool %q", spec.Name), func(c connection) error { return c.definePool(xml) })
}

// BuildPool makes the folders of a dir or netfs pool that are missing. It must not be used with other pools: libvirt
// would format their devices.
func (h *Host) BuildPool(ctx context.Context, name string) error {
	return run(ctx, h, storage, fmt.Sprintf("make the folder of pool %q", name), func(c connection) error { return c.buildPool(name) })
}

// StartPool makes the pool's volumes accessible. A pool that is active is no error.
func (h *Host) StartPool(ctx context.Context, name string) error {
	return run(ctx, h, storage, fmt.Sprintf("start pool %q", name), func(c connection) error { return c.startPool(name) })
}

// RemovePool stops the pool, if it is active, and removes its definition; the volumes and their data stay. A pool that is
// already gone is no error.
func (h *Host) RemovePool(ctx context.Context, name string) error {
	h.mu.Lock()
	delete(h.poolTypes, name) // another of the name may have another type
	h.mu.Unlock()

	err := run(ctx, h, storage, fmt.Sprintf("remove pool %q", name), func(c connection) error {
		if err := c.stopPool(name); err != nil {
			return err
		}

		return c.undefinePool(name)
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}

	return err
}

// SetPoolAutostart says whether the pool starts when its host does.
func (h *Host) SetPoolAutostart(ctx context.Context, name string, on bool) error {
	return run(ctx, h, storage, fmt.Sprintf("set autostart of pool %q", name), func(c connection) error { return c.setPoolAutostart(name, on) })
}

// errBusy is why a pool cannot be refreshed while somebody fills a volume in it.
var errBusy = errors.New("a volume in it is being filled")

// TryRefreshPool has the host look at the pool's volumes again. It fails while somebody fills one of them.
func (h *Host) TryRefreshPool(ctx context.Context, name string) error {
	return run(ctx, h, storage, fmt.Sprintf("refresh pool %q", name), func(c connection) error { return c.refreshPool(name) })
}

// RefreshPool is TryRefreshPool once nobody fills a volume any more.
func (h *Host) RefreshPool(ctx context.Context, name string) error {
	return poll.Until(ctx, fmt.Sprintf("uploads to pool %q of host %q to end", name, h.name), func(int) error {
		err := h.TryRefreshPool(ctx, name)
		if errors.Is(err, errBusy) {
			err = fmt.Errorf("%w: %w", poll.ErrNotYet, err)
		}

		return err
	})
}
