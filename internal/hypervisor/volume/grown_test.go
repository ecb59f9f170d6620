package volume

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
)

// qemu runs one of QEMU's own programs on images.
func qemu(t *testing.T, program string, arguments ...string) {
	t.Helper()

	if out, err := exec.CommandContext(t.Context(), program, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", program, arguments, err, out)
	}
}

// ungrown undoes the growth of an image's copy, and returns the checksum of the result.
func ungrown(img image, path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}

	defer func() { _ = file.Close() }()

	sums := newDigest()
	before := &restored{to: sums, length: uint64(img.Length), zeroes: img.Format == rawFormat}

	if img.Format != rawFormat {
		before.patches, err = undoGrowth([]byte(img.Head), func(at, length uint64) ([]byte, error) {
			part := make([]byte, length)
			_, err := file.ReadAt(part, int64(at))

			return part, err
		})
	}

	if err == nil {
		_, err = file.WriteTo(before)
	}

	return sums.sum(sha256Kind), err
}

// growth is what becomes of an image's copy.
type growth struct {
	name  string
	sizes []string // one after the other
	write string   // of qemu-io
	other bool     // it is not the image any more
}

// wantKnown grows copies of the image, and wants those to be known again that nobody wrote to.
func wantKnown(t *testing.T, name, path string, all []growth) {
	t.Helper()

	img, err := readImage(path)
	if err != nil {
		t.Fatal(err)
	}

	for _, test := range all {
		grown := filepath.Join(t.TempDir(), "grown")
		qemu(t, "cp", "--sparse=always", path, grown)

		for _, size := range test.sizes {
			qemu(t, "qemu-img", "resize", "-q", "-f", img.Format, grown, size)
		}

		if test.write != "" {
			qemu(t, "qemu-io", "-f", img.Format, "-c", test.write, grown)
		}

		sum, err := ungrown(img, grown)
		if err != nil && !errors.Is(err, errOther) {
			t.Errorf("%s, grown %s: %v", name, test.name, err)
		}

		if other := err != nil || sum != img.SHA256; other != test.other {
			t.Errorf("%s, grown %s: taken for another one: %t, want %t (%v)", name, test.name, other, test.other, err)
		}
	}
}

func TestGrownImageIsKnownAgain(t *testing.T) {
	folder := t.TempDir()
	raw, path := filepath.Join(folder, "raw"), filepath.Join(folder, "image")

	qemu(t, "qemu-img", "create", "-q", "-f", "raw", raw, "1M")
	qemu(t, "qemu-io", "-f", "raw", "-c", "write -P 7 0 1M", raw)
	wantKnown(t, "raw", raw, []growth{
		{"a little", []string{"1025k"}, "", false},
		{"step by step", []string{"2M", "8M"}, "", false},
		{"and written to", []string{"8M"}, "write -P 3 8191k 1k", true},
		{"and changed", []string{"8M"}, "write -P 8 0 1k", true},
	})

	// A first-level table has an entry for each 512 MiB, so it gets longer.
	qemu(t, "qemu-img", "resize", "-q", "-f", "raw", raw, "600M")

	for name, options := range map[string][]string{
		"qcow2":                {},
		"compressed":           {"-c"},
		"version 2":            {"-o", "compat=0.10"},
		"of small clusters":    {"-o", "cluster_size=4k"},
		"of small references":  {"-o", "refcount_bits=8"},
		"of larger references": {"-o", "refcount_bits=64"},
	} {
		qemu(t, "qemu-img", slices.Concat([]string{"convert", "-q", "-f", "raw", "-O", "qcow2"}, options, []string{raw, path})...)
		wantKnown(t, name, path, []growth{
			{"a little", []string{"601M"}, "", false},
			{"step by step", []string{"3G", "9G", "100G"}, "", false},
			{"and written to", []string{"3G"}, "write -P 3 3071M 1M", true},
			{"and changed", []string{"3G"}, "write -P 8 0 64k", true},
			{"and changed where it was empty", []string{"3G"}, "write -P 8 300M 64k", true},
		})
	}
}

func TestWhatIsNoImageAtAllIsNotUngrown(t *testing.T) {
	img, err := readImage(file(t, qcow2(1<<30)))
	if err != nil {
		t.Fatal(err)
	}

	broken := errors.New("the cable is cut")

	for name, test := range map[string]struct {
		content string
		err     error
	}{
		"nothing":                        {string(make([]byte, 4096)), errOther},
		"the image's head alone":         {qcow2(1 << 30)[:headLength] + string(make([]byte, 4096)), errOther},
		"a table that is larger than it": {qcow2(1 << 30)[:l1EntriesAt] + "\xff\xff\xff\xff" + string(make([]byte, 4096)), errOther},
		"a cable that is cut":            {"", broken},
	} {
		_, err := undoGrowth([]byte(img.Head), func(at, length uint64) ([]byte, error) {
			if test.content == "" {
				return nil, broken
			}

			return []byte(test.content)[at : at+length], nil
		})
		if !errors.Is(err, test.err) {
			t.Errorf("%s: %v, want %v", name, err, test.err)
		}
	}
}

func TestRestoredDependsOnNoBoundaries(t *testing.T) {
	content := []byte("0123456789abcdef")
	want := "01xy456789zb"

	for _, size := range []int{1, 2, 3, 5, 16} {
		var got writer

		r := &restored{to: &got, length: 12, patches: []patch{{2, []byte("xy")}, {10, []byte("z")}, {14, []byte("never")}}}

		for part := range slices.Chunk(content, size) {
			if n, err := r.Write(part); err != nil || n != len(part) {
				t.Fatalf("%d of %d: %v", n, len(part), err)
			}
		}

		if string(got) != want || string(content) != "0123456789abcdef" {
			t.Errorf("by %d: %q of %q, want %q", size, got, content, want)
		}
	}

	if _, err := (&restored{to: iotest.TruncateWriter(new(writer), 0), length: 1, zeroes: true}).Write([]byte("a\x00b")); !errors.Is(err, errOther) {
		t.Errorf("what was written to what a raw image has grown by: %v", err)
	}
}

type writer []byte

func (w *writer) Write(p []byte) (int, error) {
	*w = append(*w, p...)

	return len(p), nil
}
