package libvirt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Upload fills a volume with length bytes of the content.
func (h *Host) Upload(ctx context.Context, pool, name string, content io.Reader, length int64) error {
	next := func(limit int) ([]byte, error) {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}

		chunk := make([]byte, limit)

		n, err := io.ReadFull(content, chunk)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		}

		return chunk[:n], err
	}

	return run(ctx, h, storage, fmt.Sprintf("upload volume %q to pool %q", name, pool), func(c connection) error {
		return c.upload(pool, name, length, next)
	})
}

// errStuck is the end of an upload that took far longer than its content can account for.
var errStuck = errors.New("the upload did not end")

// stuckAfter is how long the first attempt of Put may take.
const stuckAfter = 30 * time.Second

// Put fills a volume with a content of a few hundred KiB at most. An attempt that does not end is given up and made again on a
// new connection, since uploads side by side were seen to leave one that is never answered while the connection is alive
// (libvirt 9.0). Each attempt may take twice as long as the one before, so a host that is only slow is not asked for more and more.
func (h *Host) Put(ctx context.Context, pool, name string, content []byte) error {
	return h.put(ctx, pool, name, content, stuckAfter)
}

func (h *Host) put(ctx context.Context, pool, name string, content []byte, patience time.Duration) error {
	for ; ; patience *= 2 {
		attempt, cancel := context.WithTimeoutCause(ctx, patience, errStuck)
		err := h.Upload(attempt, pool, name, bytes.NewReader(content), int64(len(content)))

		cancel()

		if !errors.Is(err, errStuck) {
			return err
		}

		h.mu.Lock()
		h.abandon()
		h.mu.Unlock()
	}
}

// Download writes the volume's bytes, as they are on the host, to the writer.
func (h *Host) Download(ctx context.Context, pool, name string, to io.Writer) error {
	return h.downloadPart(ctx, pool, name, 0, 0, to)
}

// DownloadPart returns that many of the volume's bytes, as they are on the host. It is an error if there are fewer.
func (h *Host) DownloadPart(ctx context.Context, pool, name string, at, length uint64) ([]byte, error) {
	if length == 0 {
		return nil, nil
	}

	var part bytes.Buffer

	err := h.downloadPart(ctx, pool, name, at, length, &part)
	if err == nil && uint64(part.Len()) != length {
		err = fmt.Errorf("download volume %q of pool %q on host %q: it ends within the %d bytes from %d on", name, pool, h.name, length, at)
	}

	return part.Bytes(), err
}

func (h *Host) downloadPart(ctx context.Context, pool, name string, at, length uint64, to io.Writer) error {
	_, err := do(ctx, h, fmt.Sprintf("download volume %q of pool %q", name, pool), func(c connection) (struct{}, error) {
		return struct{}{}, c.download(pool, name, at, length, func(chunk []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}

			_, err := to.Write(chunk)

			return err
		})
	})

	return err
}
