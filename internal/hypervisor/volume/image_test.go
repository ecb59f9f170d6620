package volume

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// qcow2 is the head of an image whose disk has that many bytes, and something after it.
func qcow2(capacity uint64) string {
	header := make([]byte, 104)
	copy(header, "QFI\xfb")
	binary.BigEndian.PutUint32(header[4:], 3)
	binary.BigEndian.PutUint64(header[24:], capacity)

	return string(header) + strings.Repeat("cluster ", 4096)
}

func TestImageIsWhatItsHeaderSays(t *testing.T) {
	for name, test := range map[string]struct {
		content  string
		format   string
		capacity uint64
	}{
		"qcow2":                            {qcow2(20 << 30), "qcow2", 20 << 30},
		"qcow2 of 8 EiB":                   {qcow2(1 << 63), "qcow2", 1 << 63},
		"qcow2 that ends at the 32nd byte": {qcow2(1 << 30)[:32], "qcow2", 1 << 30},
		"qcow2 cut before its size":        {qcow2(1 << 30)[:31], "raw", 31},
		"raw":                              {strings.Repeat("x", 1<<20), "raw", 1 << 20},
		"raw with the magic further":       {" QFI\xfb" + strings.Repeat("x", 100), "raw", 105},
		"one byte":                         {"x", "raw", 1},
		"the magic alone":                  {"QFI\xfb", "raw", 4},
	} {
		want := image{
			Length: int64(len(test.content)), Format: test.format, Capacity: test.capacity, SHA256: hash(test.content),
			Head: test.content[:min(len(test.content), headLength)],
		}

		got, err := readImage(file(t, test.content))
		if err != nil {
			t.Errorf("%s: %v", name, err)

			continue
		}

		if want.Path = got.Path; filepath.Base(got.Path) != "image" {
			t.Errorf("%s: the path is %q", name, got.Path)
		}

		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}

		// A reader may give a byte at a time.
		want.Path = ""

		piecemeal, err := inspect(iotest.OneByteReader(strings.NewReader(test.content)))
		if err != nil {
			t.Errorf("%s, byte by byte: %v", name, err)
		}

		if diff := cmp.Diff(want, piecemeal); diff != "" {
			t.Errorf("%s, byte by byte (-want +got):\n%s", name, diff)
		}
	}
}

func TestImageOfQEMUsOwnMaking(t *testing.T) {
	path := filepath.Join(t.TempDir(), "image")

	out, err := exec.CommandContext(t.Context(), "qemu-img", "create", "-q", "-f", "qcow2", path, "12345M").CombinedOutput()
	if err != nil {
		t.Fatalf("qemu-img (of the Debian package qemu-utils): %v: %s", err, out)
	}

	got, err := readImage(path)
	if err != nil {
		t.Fatal(err)
	}

	if got.Format != "qcow2" || got.Capacity != 12345<<20 {
		t.Errorf("an image of 12345 MiB is %d bytes of %s", got.Capacity, got.Format)
	}
}

func TestWhatIsNoImageIsRefused(t *testing.T) {
	folder := t.TempDir()
	empty := file(t, "")

	for path, want := range map[string]string{
		empty:                                "read the image " + empty + ": it is empty",
		folder:                               "read the image: " + folder + " is not a file",
		filepath.Join(folder, "none"):        "no such file or directory",
		"images/none.qcow2":                  "a file beside the configuration is \"${path.module}/none.qcow2\"",
		"/dev/zero":                          "read the image: /dev/zero is not a file",
		filepath.Join(empty, "below-a-file"): "not a directory",
	} {
		if _, err := readImage(path); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("readImage(%s): %v, want %q at its end", path, err, want)
		}
	}
}

func TestImageThatAHostWouldTakeForSomethingElseIsRefused(t *testing.T) {
	folder := t.TempDir()

	for name, test := range map[string]struct {
		options []string
		want    string
	}{
		"vmdk":    {[]string{"-f", "vmdk"}, "it is of the format vmdk"},
		"vdi":     {[]string{"-f", "vdi"}, "it is of the format vdi"},
		"vhdx":    {[]string{"-f", "vhdx"}, "it is of the format vhdx"},
		"vhd":     {[]string{"-f", "vpc"}, "it is of the format vhd"},
		"overlay": {[]string{"-f", "qcow2", "-b", "/etc/passwd", "-F", "raw"}, "it is an overlay"},
	} {
		path := filepath.Join(folder, name)

		out, err := exec.CommandContext(t.Context(), "qemu-img", append(append([]string{"create", "-q"}, test.options...), path, "10M")...).CombinedOutput()
		if err != nil {
			t.Fatalf("qemu-img (of the Debian package qemu-utils): %v: %s", err, out)
		}

		if _, err := readImage(path); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestFormatThatIsNotTheImagesIsRefused(t *testing.T) {
	img := &image{Path: "/srv/debian", Format: "qcow2"}

	for format, want := range map[types.String]string{
		absent: "", unknown: "", str("qcow2"): "",
		str("raw"): `the image /srv/debian is qcow2, and format is "raw". Leave format out, or convert the image`,
	} {
		err := config(func(p *planned) { p.Format = format }).checkFormat(img)
		if (err == nil) != (want == "") || (err != nil && err.Error() != want) {
			t.Errorf("format %s: %v, want %q", format, err, want)
		}
	}
}

func TestSizeIsWholeSectors(t *testing.T) {
	for text, fine := range map[string]bool{"1KiB": true, "512B": true, "20GiB": true, "1000B": false, "0B": false, "1B": false} {
		var resp validator.StringResponse
		wholeSectors{}.ValidateString(t.Context(), validator.StringRequest{ConfigValue: str(text)}, &resp)

		if resp.Diagnostics.HasError() == fine {
			t.Errorf("size %s: %v", text, resp.Diagnostics)
		}
	}
}

func TestImageThatCannotBeReadToItsEndIsRefused(t *testing.T) {
	broken := errors.New("input/output error")

	for name, content := range map[string]io.Reader{
		"once":          iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(qcow2(1)))),
		"in its header": io.MultiReader(strings.NewReader("QFI\xfb"), iotest.ErrReader(broken)),
		"after it":      io.MultiReader(strings.NewReader(qcow2(1)), iotest.ErrReader(broken)),
		"at once":       iotest.ErrReader(broken),
	} {
		if got, err := inspect(content); !errors.Is(err, broken) && !errors.Is(err, iotest.ErrTimeout) {
			t.Errorf("broken %s: %+v, %v", name, got, err)
		}
	}
}

func TestChangedImageIsReadAgain(t *testing.T) {
	path := file(t, "first")

	for _, content := range []string{"first", "second one", "third"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}

		for range 2 { // the second answer is remembered
			got, err := readImage(path)
			if err != nil {
				t.Fatal(err)
			}

			if got.SHA256 != hash(content) {
				t.Errorf("of %q the hash is %s", content, got.SHA256)
			}
		}
	}
}

func TestImageOfAnotherHashIsRefused(t *testing.T) {
	img := image{Path: "/srv/debian.qcow2", SHA256: hash("x")}

	for _, want := range []string{"", hash("x")} {
		if err := checkHash(img, want); err != nil {
			t.Errorf("checkHash with %q: %v", want, err)
		}
	}

	want := "the image /srv/debian.qcow2 has the SHA-256 " + hash("x") + ", and " + hash("y") + " was expected. Get the right image, or correct sha256"
	if err := checkHash(img, hash("y")); err == nil || err.Error() != want {
		t.Errorf("checkHash: %v, want %q", err, want)
	}
}

func hash(content string) string {
	sum := sha256.Sum256([]byte(content))

	return hex.EncodeToString(sum[:])
}

func file(t *testing.T, content string) string {
	t.Helper()

	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}

	return path
}
