package volume

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/machines"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
)

// create makes the volume, or takes over what an interrupted creation left of it.
//
// An empty volume and an overlay come into being in one step. An upload takes many, so a marker volume stands beside it
// until it is complete: a volume with a marker is the rest of an interrupted upload and is made anew, and one without
// is somebody's. store is called before the first object of an upload is made.
func create(ctx context.Context, host *libvirt.Host, plan *model, store func(model)) error {
	if plan.Source != nil {
		return createFromImage(ctx, host, *plan, func() { store(plan.begun()) })
	}

	spec := libvirt.VolumeSpec{Pool: plan.Pool.ValueString(), Name: plan.Name.ValueString(), Format: plan.Format.ValueString()}

	if !plan.Size.IsUnknown() {
		spec.Capacity = plan.Size.Bytes()
	}

	if backing := plan.Backing.ValueString(); backing != "" {
		below, err := backingVolume(ctx, host, backing)
		if err != nil {
			return err
		}

		spec.Backing = &below

		if spec.Capacity == 0 {
			spec.Capacity = below.Capacity
		}

		if spec.Capacity < below.Capacity {
			return fmt.Errorf("size %s is less than that of the volume below, %s. Give it at least as much", tf.FormatSize(spec.Capacity), tf.FormatSize(below.Capacity))
		}
	}

	existing, err := host.Volume(ctx, spec.Pool, spec.Name)

	switch {
	case errors.Is(err, libvirt.ErrNotFound):
		return host.CreateVolume(ctx, spec)
	case err != nil:
		return err
	}

	if moved, err := wasMoved(ctx, host, spec.Pool, spec.Name); moved || err != nil {
		return err
	}

	return takeOver(ctx, host, existing, spec)
}

// takeOver accepts a volume that is just what would have been made: a run that was killed before Terraform could store
// its state left it. Anything else is somebody's data.
func takeOver(ctx context.Context, host *libvirt.Host, existing libvirt.Volume, spec libvirt.VolumeSpec) error {
	below := ""
	if spec.Backing != nil {
		below = spec.Backing.Path
	}

	if existing.Format != spec.Format || existing.Capacity != spec.Capacity || existing.BackingPath != below {
		return fmt.Errorf("pool %q of host %q has a volume of this name already, and it is another one: %s of %s%s. Import it, remove it, or choose another name",
			spec.Pool, host.Name(), existing.Format, tf.FormatSize(existing.Capacity), over(existing.BackingPath))
	}

	users, err := users(ctx, host, existing)
	if err != nil {
		return err
	}

	for _, user := range users {
		if !user.Managed {
			return fmt.Errorf("pool %q of host %q has a volume of this name already, and machine %q uses it. Import it, or choose another name", spec.Pool, host.Name(), user.Domain.Name)
		}
	}

	return nil
}

func over(path string) string {
	if path == "" {
		return ""
	}

	return " over " + path
}

// markerName is the name of the volume that stands beside an upload until it is complete.
func markerName(name string) string { return name + markerEnding }

const markerEnding = ".uploading"

func createFromImage(ctx context.Context, host *libvirt.Host, plan model, begun func()) error {
	img, err := readImage(plan.Source.File.ValueString())
	if err != nil {
		return err
	}

	if err := checkHash(img, plan.SHA256.ValueString()); err != nil {
		return err
	}

	pool, name := plan.Pool.ValueString(), plan.Name.ValueString()

	_, err = host.Volume(ctx, pool, markerName(name))
	interrupted := err == nil

	if err != nil && !errors.Is(err, libvirt.ErrNotFound) {
		return err
	}

	existing, err := host.Volume(ctx, pool, name)

	switch {
	case err == nil && !interrupted:
		if moved, err := wasMoved(ctx, host, pool, name); moved || err != nil {
			return err
		}

		return takeOverImage(ctx, host, existing, img, plan.Size.Bytes())
	case err != nil && !errors.Is(err, libvirt.ErrNotFound):
		return err
	}

	begun()

	if !interrupted {
		if err := host.CreateVolume(ctx, libvirt.VolumeSpec{Pool: pool, Name: markerName(name), Format: "raw"}); err != nil {
			return err
		}
	}

	if err := host.DeleteVolume(ctx, pool, name); err != nil {
		return err
	}

	if err := upload(ctx, host, pool, name, img); err != nil {
		return err
	}

	if err := recognised(ctx, host, pool, name, img); err != nil {
		return err
	}

	if size := plan.Size.Bytes(); size > img.Capacity {
		if err := host.ResizeVolume(ctx, pool, name, size); err != nil {
			return err
		}
	}

	return host.DeleteVolume(ctx, pool, markerName(name))
}

func checkHash(img image, want string) error {
	if want != "" && img.SHA256 != want {
		return fmt.Errorf("the image %s has the SHA-256 %s, and %s was expected. Get the right image, or correct sha256", img.Path, img.SHA256, want)
	}

	return nil
}

// upload makes a volume of the image's length and fills it. The hash is taken from what is sent, so a file that changes
// meanwhile is noticed; the interrupted upload's marker then stays, and the next run begins anew.
func upload(ctx context.Context, host *libvirt.Host, pool, name string, img image) error {
	file, err := os.Open(img.Path)
	if err != nil {
		return fmt.Errorf("read the image: %w", err)
	}

	defer func() { _ = file.Close() }()

	spec := libvirt.VolumeSpec{Pool: pool, Name: name, Format: rawFormat, Capacity: uint64(img.Length)}
	if err := host.CreateVolume(ctx, spec); err != nil {
		return err
	}

	hash := sha256.New()
	if err := host.Upload(ctx, pool, name, io.TeeReader(file, hash), img.Length); err != nil {
		return err
	}

	sent := image{Path: img.Path, SHA256: hex.EncodeToString(hash.Sum(nil))}

	return checkHash(sent, img.SHA256)
}

// rawFormat is what an upload is made as, whatever it holds.
const rawFormat = "raw"

// recognised waits until the host knows what was uploaded: it was made as raw bytes, and to resize it as such would
// truncate it. Libvirt looks again by itself some time after an upload, and at once if no other upload keeps it from it.
func recognised(ctx context.Context, host *libvirt.Host, pool, name string, img image) error {
	return poll.Until(ctx, fmt.Sprintf("host %q to recognise the image", host.Name()), func(int) error {
		refreshed := host.RefreshPool(ctx, pool)

		volume, err := host.Volume(ctx, pool, name)
		if err == nil && volume.Format != img.Format && volume.Format != rawFormat {
			return fmt.Errorf("host %q recognises the image as %s, and machines take qcow2 and raw. Convert it: qemu-img convert -O qcow2 FROM TO", host.Name(), volume.Format)
		}

		if err == nil && (volume.Format != img.Format || volume.Capacity != img.Capacity) {
			err = fmt.Errorf("%w: it is taken for %s of %s", poll.ErrNotYet, volume.Format, tf.FormatSize(volume.Capacity))
		}

		if err != nil && refreshed != nil {
			err = fmt.Errorf("%w (%w)", err, refreshed)
		}

		return err
	})
}

// takeOverImage accepts a volume that holds the image, byte for byte.
func takeOverImage(ctx context.Context, host *libvirt.Host, existing libvirt.Volume, img image, size uint64) error {
	if existing.Capacity == max(size, img.Capacity) && existing.Capacity == img.Capacity {
		hash := sha256.New()
		if err := host.Download(ctx, existing.Pool, existing.Name, hash); err != nil {
			return err
		}

		if hex.EncodeToString(hash.Sum(nil)) == img.SHA256 {
			return nil
		}
	}

	return fmt.Errorf("pool %q of host %q has a volume of this name already, and its content is not the image's. Remove it, or choose another name", existing.Pool, host.Name())
}

// backingVolume finds the volume below an overlay.
func backingVolume(ctx context.Context, host *libvirt.Host, id string) (libvirt.Volume, error) {
	ref, err := libvirt.ParseVolumeRef(id)
	if err != nil {
		return libvirt.Volume{}, err
	}

	if ref.Host != host.Name() {
		return libvirt.Volume{}, fmt.Errorf("the volume below, %s, is on host %q, and this one is on host %q. An overlay and the volume below it stand on one host", id, ref.Host, host.Name())
	}

	return host.Volume(ctx, ref.Pool, ref.Name)
}

// refresh reads the volume from its host.
func refresh(ctx context.Context, host *libvirt.Host, m *model) error {
	ref := m.ref()

	volume, err := host.Volume(ctx, ref.Pool, ref.Name)
	if err != nil {
		return err
	}

	if volume.BackingPath == "" {
		m.set(volume, nil)

		return nil
	}

	below, err := host.VolumeAt(ctx, volume.BackingPath)
	if err != nil && !errors.Is(err, libvirt.ErrNotFound) {
		return err
	}

	if err != nil { // it lies outside of every pool; its path is the best name it has
		below = libvirt.Volume{Name: volume.BackingPath}
	}

	m.set(volume, &below)

	return nil
}

// grow makes the volume larger if it is smaller than that. A running machine that uses it sees the new size at once.
func grow(ctx context.Context, host *libvirt.Host, ref libvirt.VolumeRef, size uint64) error {
	volume, err := host.Volume(ctx, ref.Pool, ref.Name)
	if err != nil || volume.Capacity >= size {
		return err
	}

	users, err := users(ctx, host, volume)
	if err != nil {
		return err
	}

	for _, user := range users {
		if user.Domain.Active {
			return host.ResizeDisk(ctx, user.Domain.UUID, volume.Path, size)
		}
	}

	return host.ResizeVolume(ctx, ref.Pool, ref.Name, size)
}

// remove deletes the volume, with what an interrupted upload left beside it, unless a machine or an overlay uses it.
func remove(ctx context.Context, host *libvirt.Host, state model) error {
	ref := state.ref()

	volume, err := host.Volume(ctx, ref.Pool, ref.Name)
	if errors.Is(err, libvirt.ErrNotFound) {
		return host.DeleteVolume(ctx, ref.Pool, markerName(ref.Name))
	}

	if err != nil {
		return err
	}

	users, err := users(ctx, host, volume)
	if err != nil {
		return err
	}

	if len(users) > 0 {
		return fmt.Errorf("machine %q of host %q uses it. Remove the machine or its disk first", users[0].Domain.Name, host.Name())
	}

	overlays, err := host.Overlays(ctx, ref.Pool, ref.Name)
	if err != nil {
		return err
	}

	if len(overlays) > 0 {
		return fmt.Errorf("volume %q of pool %q is an overlay on it and would be lost with it. Remove the overlay first", overlays[0].Name, overlays[0].Pool)
	}

	if err := host.DeleteVolume(ctx, ref.Pool, ref.Name); err != nil {
		return err
	}

	return host.DeleteVolume(ctx, ref.Pool, markerName(ref.Name))
}

// users are the machines that have the volume as a disk, by its name or by its path.
func users(ctx context.Context, host *libvirt.Host, volume libvirt.Volume) ([]machines.User, error) {
	return machines.Using(ctx, host, func(machine domainxml.Spec) bool { return machines.HasDisk(machine, volume) })
}
