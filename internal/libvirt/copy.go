package libvirt

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

// CopyVolume fills a volume of another host with the bytes of a volume of this one, through this process. It is for
// volumes that nobody writes to meanwhile; the volume that is filled has to be there, with at least as many bytes.
func (h *Host) CopyVolume(ctx context.Context, from Volume, to *Host, pool, name string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	reader, writer := io.Pipe()
	read := make(chan error, 1)

	go func() {
		err := h.Download(ctx, from.Pool, from.Name, writer)
		_ = writer.CloseWithError(err) // an ordinary end of the content if there is no error
		read <- err
	}()

	written := &countingReader{reader: reader}
	err := to.Upload(ctx, pool, name, written, from.Length)
	_ = reader.CloseWithError(err)

	if err != nil {
		cancel(err)
	}

	if failure := <-read; err == nil {
		err = failure
	}

	if err == nil && written.count != from.Length {
		err = fmt.Errorf("it has %d bytes, and %d were expected: something writes to it", written.count, from.Length)
	}

	if err != nil {
		return fmt.Errorf("copy volume %q of pool %q from host %q to host %q: %w", from.Name, from.Pool, h.name, to.name, err)
	}

	return nil
}

type countingReader struct {
	reader io.Reader
	count  int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.reader.Read(p)
	r.count += int64(n)

	return n, err
}

// SharedPool reports whether a pool of this name is the same storage on both hosts: what one puts there the other has.
// probe is the name of a volume that nobody has, which is made for a moment to find out.
func (h *Host) SharedPool(ctx context.Context, other *Host, pool, probe string) (bool, error) {
	here, err := h.Pool(ctx, pool)
	if err != nil {
		return false, err
	}

	there, err := other.Pool(ctx, pool)
	if err != nil {
		return false, err
	}

	if here.Type != there.Type || here.Path != there.Path {
		return false, nil
	}

	if here.Type == LogicalPool { // a volume group that two hosts use at once would be damaged by the probe
		return false, nil
	}

	if err := h.DeleteVolume(ctx, pool, probe); err != nil { // of an earlier run that was killed
		return false, err
	}

	if err := h.CreateVolume(ctx, VolumeSpec{Pool: pool, Name: probe, Format: "raw"}); err != nil {
		return false, err
	}

	defer func() {
		after, cancel := poll.Aftermath(ctx, abortTimeout)
		defer cancel()

		_ = h.DeleteVolume(after, pool, probe)
	}()

	if err := other.RefreshPool(ctx, pool); err != nil {
		return false, err
	}

	_, err = other.Volume(ctx, pool, probe)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}

	if err != nil {
		return false, err
	}

	return true, h.DeleteVolume(ctx, pool, probe)
}
