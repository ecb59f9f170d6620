package libvirt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"libvirt.org/go/libvirtxml"
)

// Volume is a storage volume as its host reports it.
type Volume struct {
	Pool          string
	Name          string
	Path          string
	Format        string // "qcow2", "raw"; empty for pools that have no formats and whose volumes are no devices
	Capacity      uint64 // bytes
	Length        int64  // bytes of the file or device that holds it
	Allocation    uint64 // bytes that it occupies on the host
	BackingPath   string // empty unless the volume is an overlay
	BackingFormat string
	Device        bool // and no file
}

// VolumeSpec is a volume to be made.
type VolumeSpec struct {
	Pool     string
	Name     string
	Format   string
	Capacity uint64 // bytes
	Backing  *Volume
	Full     bool // its whole capacity is set aside on the host at once
	Private  bool // readable by its owner only: it holds secrets
}

type poolXML struct {
	name       string
	active     bool
	autostart  bool
	persistent bool
	xml        string
}

// pools returns the host's pools from one shared read, by name. It does not look at their storage, which may be away.
func (h *Host) pools(ctx context.Context) (map[string]Pool, error) {
	return shared(ctx, h, askPools, func(c connection) (map[string]Pool, error) {
		listed, err := c.pools()
		if err != nil {
			return nil, err
		}

		all := make(map[string]Pool, len(listed))

		for _, pool := range listed {
			if all[pool.name], err = parsePool(pool); err != nil {
				return nil, err
			}
		}

		return all, nil
	})
}

// volumesOf returns the volumes of a pool from one shared read, by name. The pool is refreshed first, so that what was made
// or removed behind libvirt's back shows; pools that nobody asks for are left alone. One that is not active has none that
// can be known, and is an error.
func (h *Host) volumesOf(ctx context.Context, pool string) (map[string]Volume, error) {
	type answer struct {
		volumes map[string]Volume
		active  bool
	}

	found, err := shared(ctx, h, volumesOf(pool), func(c connection) (answer, error) {
		texts, active, err := c.volumes(pool)
		if err != nil {
			return answer{}, err
		}

		all := answer{volumes: make(map[string]Volume, len(texts)), active: active}

		for _, text := range texts {
			volume, err := parseVolume(pool, text)
			if err != nil {
				return answer{}, err
			}

			all.volumes[volume.Name] = volume
		}

		return all, nil
	})
	if err == nil && !found.active {
		err = fmt.Errorf("pool %q of host %q is %w. Start the pool", pool, h.name, ErrInactive)
	}

	return found.volumes, err
}

// volumesOf is the question for the volumes of a pool.
func volumesOf(pool string) string { return askVolumes + " of pool " + pool }

// ErrInactive means that a pool is stopped, so that what it holds cannot be known.
var ErrInactive = errors.New("not active")

func parseVolume(pool, text string) (Volume, error) {
	var parsed libvirtxml.StorageVolume
	if err := parsed.Unmarshal(text); err != nil {
		return Volume{}, fmt.Errorf("parse a volume of pool %q: %w", pool, err)
	}

	volume := Volume{Pool: pool, Name: parsed.Name}

	if parsed.Capacity != nil {
		volume.Capacity = parsed.Capacity.Value // libvirt always prints bytes
	}

	if parsed.Physical != nil {
		volume.Length = int64(parsed.Physical.Value)
	}

	if parsed.Allocation != nil {
		volume.Allocation = parsed.Allocation.Value
	}

	if parsed.Target != nil {
		volume.Path = parsed.Target.Path
		if parsed.Target.Format != nil {
			volume.Format = format(parsed.Target.Format.Type)
		}
	}

	if volume.Device = parsed.Type == "block"; volume.Device && volume.Format == "" {
		volume.Format = "raw"
	}

	if parsed.BackingStore != nil {
		volume.BackingPath = parsed.BackingStore.Path
		if parsed.BackingStore.Format != nil {
			volume.BackingFormat = parsed.BackingStore.Format.Type
		}
	}

	return volume, nil
}

// format is what QEMU calls the format: libvirt tells images of optical discs from others that are raw.
func format(name string) string {
	if name == "iso" {
		return "raw"
	}

	return name
}

// Volume returns the volume, or ErrNotFound if it or its pool does not exist. A pool that exists and is not active is
// another error: its volumes may well be there.
func (h *Host) Volume(ctx context.Context, pool, name string) (Volume, error) {
	absent := fmt.Errorf("find volume %q in pool %q of host %q: %w", name, pool, h.name, ErrNotFound)

	if h.single(askVolumes, volumesOf(pool)) {
		text, err := do(ctx, h, fmt.Sprintf("find volume %q in pool %q", name, pool), func(c connection) (string, error) {
			return c.volume(pool, name)
		})

		switch {
		case errors.Is(err, ErrNotFound):
			return Volume{}, absent
		case err != nil:
			return Volume{}, err
		default:
			return parseVolume(pool, text)
		}
	}

	all, err := h.volumesOf(ctx, pool)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Volume{}, fmt.Errorf("look for volume %q: %w", name, err)
	}

	if volume, found := all[name]; found {
		return volume, nil
	}

	return Volume{}, absent
}

// Volumes returns the volumes of the host's active pools, in order.
func (h *Host) Volumes(ctx context.Context) ([]Volume, error) {
	return h.volumesIn(ctx, func(Pool) bool { return true })
}

// volumesIn returns the volumes of those active pools, in order.
func (h *Host) volumesIn(ctx context.Context, asked func(Pool) bool) ([]Volume, error) {
	pools, err := h.Pools(ctx)
	if err != nil {
		return nil, err
	}

	var found []Volume

	for _, pool := range pools {
		if !pool.Active || !asked(pool) {
			continue
		}

		volumes, err := h.volumesOf(ctx, pool.Name)
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrInactive) { // gone or stopped since
			return nil, err
		}

		found = slices.AppendSeq(found, maps.Values(volumes))
	}

	slices.SortFunc(found, byName)

	return found, nil
}

func byName(a, b Volume) int { return cmp.Or(cmp.Compare(a.Pool, b.Pool), cmp.Compare(a.Name, b.Name)) }

// VolumeAt returns the volume with the path on the host, or ErrNotFound. It looks into the pools whose folder it would be in.
func (h *Host) VolumeAt(ctx context.Context, at string) (Volume, error) {
	volumes, err := h.volumesIn(ctx, func(pool Pool) bool { return pool.Path == path.Dir(at) })
	if err != nil {
		return Volume{}, err
	}

	for _, volume := range volumes {
		if volume.Path == at {
			return volume, nil
		}
	}

	return Volume{}, fmt.Errorf("find a volume at %s on host %q: %w", at, h.name, ErrNotFound)
}

// Overlays returns the volumes that stand on the volume.
func (h *Host) Overlays(ctx context.Context, pool, name string) ([]Volume, error) {
	volumes, err := h.Volumes(ctx)
	if err != nil {
		return nil, err
	}

	at := slices.IndexFunc(volumes, func(v Volume) bool { return v.Pool == pool && v.Name == name })
	if at < 0 {
		return nil, nil
	}

	var overlays []Volume

	for _, volume := range volumes {
		if volume.BackingPath == volumes[at].Path {
			overlays = append(overlays, volume)
		}
	}

	return overlays, nil
}

// leastVolume is what a volume of a volume group has at the least, in bytes: there are none without content.
const leastVolume = 512

// CreateVolume makes a volume. Of a volume group it is set aside in full, whatever the spec says, and is as large as whole extents
// are: a thin one would be a snapshot of nothing, which is lost as soon as more is written than was set aside for it.
func (h *Host) CreateVolume(ctx context.Context, spec VolumeSpec) error {
	group, err := h.InVolumeGroup(ctx, spec.Pool)
	if err != nil && !errors.Is(err, ErrNotFound) { // which is said of the creation
		return err
	}

	if group {
		spec.Full, spec.Capacity = true, max(spec.Capacity, leastVolume)
	}

	definition := libvirtxml.StorageVolume{
		Name:     spec.Name,
		Capacity: &libvirtxml.StorageVolumeSize{Unit: "bytes", Value: spec.Capacity},
		// Without it libvirt would write the whole capacity of a raw volume.
		Allocation: &libvirtxml.StorageVolumeSize{Unit: "bytes", Value: 0},
		Target:     &libvirtxml.StorageVolumeTarget{Format: &libvirtxml.StorageVolumeTargetFormat{Type: spec.Format}},
	}

	if spec.Full {
		definition.Allocation.Value = spec.Capacity
	}

	if spec.Private {
		definition.Target.Permissions = &libvirtxml.StorageVolumeTargetPermissions{Mode: "0600"}
	}

	if spec.Backing != nil {
		definition.BackingStore = &libvirtxml.StorageVolumeBackingStore{
			Path:   spec.Backing.Path,
			Format: &libvirtxml.StorageVolumeTargetFormat{Type: spec.Backing.Format},
		}
	}

	xml, err := definition.Marshal()
	if err != nil {
		return fmt.Errorf("render volume %q: %w", spec.Name, err)
	}

	return run(ctx, h, storage, fmt.Sprintf("create volume %q in pool %q", spec.Name, spec.Pool), func(c connection) error {
		return c.createVolume(spec.Pool, xml, spec.Full && spec.Format == "qcow2")
	})
}

// ResizeVolume grows a volume that no running machine uses.
func (h *Host) ResizeVolume(ctx context.Context, pool, name string, capacity uint64) error {
	return run(ctx, h, storage, fmt.Sprintf("resize volume %q in pool %q", name, pool), func(c connection) error {
		return c.resizeVolume(pool, name, capacity)
	})
}

// DeleteVolume removes a volume with its data. A volume that is already gone is no error.
func (h *Host) DeleteVolume(ctx context.Context, pool, name string) error {
	err := run(ctx, h, storage, fmt.Sprintf("delete volume %q of pool %q", name, pool), func(c connection) error {
		return c.deleteVolume(pool, name)
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}

	return err
}
