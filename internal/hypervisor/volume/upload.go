package volume

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// markerName is the name of the volume that stands beside an upload until it is complete.
func markerName(name string) string { return name + markerEnding }

const markerEnding = ".uploading"

func createFromImage(ctx context.Context, host *libvirt.Host, plan *model, begun func()) error {
	pool, name := plan.Pool.ValueString(), plan.Name.ValueString()

	_, err := host.Volume(ctx, pool, markerName(name))
	interrupted := err == nil

	if err != nil && !errors.Is(err, libvirt.ErrNotFound) {
		return err
	}

	existing, err := host.Volume(ctx, pool, name)
	if err != nil && !errors.Is(err, libvirt.ErrNotFound) {
		return err
	}

	if err == nil && !interrupted {
		if moved, err := wasMoved(ctx, host, pool, name); moved || err != nil {
			return err
		}

		return takeOverImage(ctx, host, existing, plan)
	}

	from, err := plan.open(ctx)
	if err != nil {
		return err
	}

	defer func() { _ = from.content.Close() }()

	if err := plan.suits(from.image); err != nil {
		return err
	}

	begun()

	if !interrupted {
		if err := host.CreateVolume(ctx, libvirt.VolumeSpec{Pool: pool, Name: markerName(name), Format: rawFormat}); err != nil {
			return err
		}
	}

	if err := host.DeleteVolume(ctx, pool, name); err != nil {
		return err
	}

	if err := upload(ctx, host, plan, from); err != nil {
		return err
	}

	if err := recognised(ctx, host, pool, name, from.image); err != nil {
		return err
	}

	if err := grow(ctx, host, plan.ref(), plan.Size.Bytes()); err != nil {
		return err
	}

	return host.DeleteVolume(ctx, pool, markerName(name))
}

// suits refuses an image that only now turns out to be another than what is declared.
func (m *model) suits(img image) error {
	if format := m.Format.ValueString(); format != "" && format != img.Format {
		return fmt.Errorf("the image %s is %s, and format is %q. Leave format out, or convert the image", img.Path, img.Format, format)
	}

	if size := m.Size.Bytes(); size != 0 && size < img.Capacity {
		return fmt.Errorf("the image's disk has %s, and size is %s. Give it at least as much, or leave size out", tf.FormatSize(img.Capacity), tf.FormatSize(size))
	}

	return nil
}

// upload makes a volume of the image's length and fills it. The hash is taken from what is sent, so a file that changes
// meanwhile and a download that is another are noticed; the interrupted upload's marker then stays, and the next run
// begins anew.
func upload(ctx context.Context, host *libvirt.Host, plan *model, from opened) error {
	pool, name := plan.Pool.ValueString(), plan.Name.ValueString()

	group, err := host.InVolumeGroup(ctx, pool)
	if err != nil {
		return err
	}

	spec := libvirt.VolumeSpec{Pool: pool, Name: name, Format: rawFormat, Capacity: uint64(from.image.Length)}
	if group { // it cannot grow later
		spec.Capacity = max(spec.Capacity, plan.Size.Bytes())
	}

	if err := host.CreateVolume(ctx, spec); err != nil {
		return err
	}

	if spec.Capacity == plan.Size.Bytes() {
		if err := whole(ctx, host, spec); err != nil {
			return err
		}
	}

	sent := newDigest()
	content := &progress{ctx: ctx, content: io.TeeReader(from.content, sent), volume: plan.ref().String(), length: from.image.Length}

	if err := host.Upload(ctx, pool, name, content, from.image.Length); err != nil {
		return err
	}

	plan.SHA256 = types.StringValue(sent.sum(sha256Kind))

	return from.want.check(sent, from.image.Path)
}

// rawFormat is what an upload is made as, whatever it holds.
const rawFormat = "raw"

// recognised waits until the host knows what was uploaded: it was made as raw bytes, and to resize it as such would
// truncate it. Libvirt looks again by itself some time after an upload, and at once if no other upload keeps it from it.
func recognised(ctx context.Context, host *libvirt.Host, pool, name string, img image) error {
	return poll.Until(ctx, fmt.Sprintf("host %q to recognise the image", host.Name()), func(int) error {
		refreshed := host.TryRefreshPool(ctx, pool)

		volume, err := host.Volume(ctx, pool, name)
		if err == nil && volume.Format != img.Format && volume.Format != rawFormat {
			return fmt.Errorf("host %q recognises the image as %s, and machines take qcow2 and raw. Convert it: qemu-img convert -O qcow2 FROM TO", host.Name(), volume.Format)
		}

		if err == nil && (volume.Format != img.Format || volume.Capacity < img.Capacity) {
			err = fmt.Errorf("%w: it is taken for %s of %s", poll.ErrNotYet, volume.Format, tf.FormatSize(volume.Capacity))
		}

		if err != nil && refreshed != nil {
			err = fmt.Errorf("%w (%w)", err, refreshed)
		}

		return err
	})
}

// takeOverImage accepts a volume that holds the image, byte for byte or grown since up to the size that is declared, and grows it by
// the rest. Of a download whose size is not declared nothing has to be asked of its server.
func takeOverImage(ctx context.Context, host *libvirt.Host, existing libvirt.Volume, plan *model) error {
	want, err := plan.wanted()
	if err != nil {
		return err
	}

	img, size := image{Format: existing.Format, Capacity: existing.Capacity}, plan.Size.Bytes()

	if size != 0 || existing.Device {
		from, err := plan.open(ctx)
		if err != nil {
			return err
		}

		img, _ = from.image, from.content.Close()
	}

	sums, err := original(ctx, host, existing, img)
	if err == nil {
		err = want.differs(sums)
	}

	if err != nil && !errors.Is(err, errOther) {
		return err
	}

	if err != nil {
		return fmt.Errorf("pool %q of host %q has a volume of this name already, and its content is not the image's. Remove it, or choose another name", existing.Pool, host.Name())
	}

	if size != 0 && size < existing.Capacity {
		return fmt.Errorf("pool %q of host %q has a volume of this name already. It holds the image and was grown to %s, and size is %s. A volume only grows: raise size, or remove the volume",
			existing.Pool, host.Name(), tf.FormatSize(existing.Capacity), plan.Size.ValueString())
	}

	plan.SHA256 = types.StringValue(sums.sum(sha256Kind))

	return grow(ctx, host, plan.ref(), size)
}
