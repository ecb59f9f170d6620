package volume

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// A volume that was made from an image and grown since is known again by undoing the growth: what QEMU changed in the file is
// put back, and the hash of the result has to be the image's. So nothing has to be noted anywhere, and a growth that changed more
// than is known here is refused and never taken for the image.
//
// A raw image has grown by zeroes at its end, and one in a volume group by what was on the disk there. Of a qcow2 image the size in the header is another, and its first-level table (L1)
// mostly stands elsewhere and is longer: the number of its entries and its place in the header, and the reference counts of the
// clusters that it took and left, have to be put back (QEMU, docs/interop/qcow2.txt, and qcow2_co_truncate in block/qcow2.c).

// errOther says that a volume is not the image, grown.
var errOther = errors.New("its content is another")

// A patch is what stood in a file at a place.
type patch struct {
	at    uint64
	bytes []byte
}

// A partReader reads so many bytes of a volume's file from a place on.
type partReader func(at, length uint64) ([]byte, error)

// original returns the checksums of what the volume was made from, if it is the image, grown or not. Otherwise they are of something
// else, or the error is errOther.
func original(ctx context.Context, host *libvirt.Host, volume libvirt.Volume, img image) (digest, error) {
	sums := newDigest()

	if img.Capacity == volume.Capacity {
		return sums, host.Download(ctx, volume.Pool, volume.Name, sums)
	}

	if volume.Capacity < img.Capacity || volume.Format != img.Format {
		return nil, errOther
	}

	before := &restored{to: sums, length: uint64(img.Length), zeroes: img.Format == rawFormat && !volume.Device}

	if img.Format != rawFormat {
		var err error

		before.patches, err = undoGrowth([]byte(img.Head), func(at, length uint64) ([]byte, error) {
			return host.DownloadPart(ctx, volume.Pool, volume.Name, at, length)
		})
		if err != nil {
			return nil, err
		}
	}

	return sums, host.Download(ctx, volume.Pool, volume.Name, before)
}

// The fields of a qcow2 header that growth is about, in bytes from its beginning.
const (
	clusterBitsAt  = 20
	diskSizeAt     = 24
	l1EntriesAt    = 36
	l1PlaceAt      = 40
	refcountsAt    = 48
	refcountBitsAt = 96 // since version 3
	headerLength   = 104

	entryLength  = 8                  // of the first-level and of the reference count table
	placeMask    = 0x00fffffffffffe00 // of the bits of an entry that say where something is
	mostClusters = 21                 // bits of the largest cluster
	mostEntries  = 32 << 20 / entryLength
)

// layout is what a qcow2 header says about the file.
type layout struct {
	version      uint32
	cluster      uint64 // bytes
	entries      uint64 // of the first-level table
	l1           uint64 // where that is
	refcounts    uint64 // where their table is
	refcountBits uint64
}

func parseLayout(header []byte) (layout, error) {
	bits := binary.BigEndian.Uint32(header[clusterBitsAt:])
	l := layout{
		version: binary.BigEndian.Uint32(header[len(qcow2Magic):]),
		entries: uint64(binary.BigEndian.Uint32(header[l1EntriesAt:])), l1: binary.BigEndian.Uint64(header[l1PlaceAt:]),
		refcountBits: 16,
	}

	if !bytes.HasPrefix(header, qcow2Magic) || bits > mostClusters || l.entries > mostEntries {
		return layout{}, errOther
	}

	l.cluster = 1 << bits

	if len(header) < headerLength {
		return l, nil
	}

	l.refcounts = binary.BigEndian.Uint64(header[refcountsAt:])

	if order := binary.BigEndian.Uint32(header[refcountBitsAt:]); l.version >= 3 {
		if order < 3 || order > 6 { // of less than a byte, which nobody uses, or none at all
			return layout{}, errOther
		}

		l.refcountBits = 1 << order
	}

	return l, nil
}

// undoGrowth returns what to put back into the file of a qcow2 volume to have the image again that begins with head.
func undoGrowth(head []byte, read partReader) ([]patch, error) {
	header, err := read(0, headerLength)
	if err != nil {
		return nil, err
	}

	if len(head) < headLength {
		return nil, errOther
	}

	before, err := parseLayout(head)
	if err != nil {
		return nil, err
	}

	now, err := parseLayout(header)
	if err != nil {
		return nil, err
	}

	if before.version != now.version || before.cluster != now.cluster || before.entries > now.entries {
		return nil, errOther
	}

	table, err := read(now.l1, now.entries*entryLength)
	if err != nil {
		return nil, err
	}

	kept := table[:before.entries*entryLength]
	if !zeroes(table[len(kept):]) {
		return nil, fmt.Errorf("%w: something was written to what it has grown by", errOther)
	}

	back := []patch{{diskSizeAt, head[diskSizeAt : diskSizeAt+8]}, {l1EntriesAt, head[l1EntriesAt:headLength]}}

	if now.l1 == before.l1 {
		return back, nil
	}

	back = append(back, patch{before.l1, kept})

	for _, moved := range []struct {
		table layout
		count byte
	}{{now, 0}, {before, 1}} {
		counts, err := moved.table.recount(now, moved.count, read)
		if err != nil {
			return nil, err
		}

		back = append(back, counts...)
	}

	return back, nil
}

// recount returns the reference counts of the clusters of a first-level table, as they stand in the file that is laid out as
// said.
func (l layout) recount(file layout, count byte, read partReader) ([]patch, error) {
	var counts []patch

	width := file.refcountBits / 8
	inBlock := file.cluster / width

	for at := l.l1; at < l.l1+l.entries*entryLength; at += file.cluster {
		cluster := at / file.cluster

		entry, err := read(file.refcounts+cluster/inBlock*entryLength, entryLength)
		if err != nil {
			return nil, err
		}

		value := make([]byte, width)
		value[width-1] = count
		counts = append(counts, patch{binary.BigEndian.Uint64(entry)&placeMask + cluster%inBlock*width, value})
	}

	return counts, nil
}

func zeroes(content []byte) bool { return len(bytes.TrimLeft(content, "\x00")) == 0 }

// restored takes a volume's file and hands on what stood in it when it had that many bytes.
type restored struct {
	to      io.Writer
	length  uint64
	patches []patch
	zeroes  bool // what has been added since has to be zeroes

	at uint64
}

func (r *restored) Write(content []byte) (int, error) {
	content = slices.Clone(content) // it is the caller's
	end := r.at + uint64(len(content))

	for _, p := range r.patches {
		if from, to := max(p.at, r.at), min(p.at+uint64(len(p.bytes)), end); from < to {
			copy(content[from-r.at:to-r.at], p.bytes[from-p.at:])
		}
	}

	kept := min(uint64(len(content)), r.length-min(r.at, r.length))
	if r.zeroes && !zeroes(content[kept:]) {
		return 0, fmt.Errorf("%w: something was written to what it has grown by", errOther)
	}

	r.at = end

	if _, err := r.to.Write(content[:kept]); err != nil {
		return 0, err
	}

	return len(content), nil
}
