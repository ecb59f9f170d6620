package volume

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// image is what a volume needs to know of an image file.
type image struct {
	Path     string
	Length   int64  // bytes of the file
	Format   string // "qcow2" or "raw"
	Capacity uint64 // bytes of the disk inside
	SHA256   string // of the file, in hexadecimal
	Head     string // what the file begins with
}

// qcow2Magic begins every qcow2 file; big-endian, bytes 8 to 15 say where the name of the file below it stands, if there is
// one, and bytes 24 to 31 the disk's size (QEMU, docs/interop/qcow2.txt).
var qcow2Magic = []byte("QFI\xfb")

// foreignFormats are the formats that hosts recognise by the first bytes of a file and machines here cannot use. Others
// have their mark elsewhere and are refused once a host has recognised them.
var foreignFormats = map[string]string{
	"KDMV": "vmdk", "# Disk DescriptorFile": "vmdk", "conectix": "vhd", "vhdxfile": "vhdx", "QED\x00": "qed", "<<< ": "vdi",
}

func foreignFormat(header []byte) string {
	for magic, format := range foreignFormats {
		if bytes.HasPrefix(header, []byte(magic)) {
			return format
		}
	}

	return ""
}

// images remembers what was read: one file often serves a volume on each of many hosts, in the same run.
var images sync.Map // map[imageKey]image

type imageKey struct {
	path    string
	size    int64
	changed int64
}

// readImage reads the file's format and size and computes its hash, once for a file that does not change.
func readImage(path string) (image, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && !filepath.IsAbs(path) {
		return image{}, fmt.Errorf("read the image: %w. It is looked for in the folder in which Terraform runs; a file beside the configuration is \"${path.module}/%s\"", err, filepath.Base(path))
	}

	if err != nil {
		return image{}, fmt.Errorf("read the image: %w", err)
	}

	if !info.Mode().IsRegular() {
		return image{}, fmt.Errorf("read the image: %s is not a file", path)
	}

	key := imageKey{path: path, size: info.Size(), changed: info.ModTime().UnixNano()}
	if known, found := images.Load(key); found {
		return known.(image), nil //nolint:forcetypeassert // the map holds nothing else
	}

	file, err := os.Open(path) //nolint:gosec // the user's own file
	if err != nil {
		return image{}, fmt.Errorf("read the image: %w", err)
	}

	defer func() { _ = file.Close() }()

	read, err := inspect(file)
	if err != nil {
		return image{}, fmt.Errorf("read the image %s: %w", path, err)
	}

	read.Path = path
	images.Store(key, read)

	return read, nil
}

// headLength is how much of a file says what it is: of a qcow2 file up to where its first-level table stands.
const headLength = 48

func inspect(content io.Reader) (image, error) {
	head := make([]byte, headLength)

	n, err := io.ReadFull(content, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) { // shorter than a head is no error
		return image{}, err
	}

	head = head[:n]
	hash := sha256.New()
	hash.Write(head)

	rest, err := io.Copy(hash, content)
	if err != nil {
		return image{}, err
	}

	read := image{Length: rest + int64(n), SHA256: hex.EncodeToString(hash.Sum(nil)), Head: string(head)}
	read.Format, read.Capacity, err = recognise(head, read.Length)

	return read, err
}

// recognise tells the format of a file of that length by its head, and the size of the disk in it.
func recognise(head []byte, length int64) (format string, capacity uint64, err error) {
	if length == 0 {
		return "", 0, errors.New("it is empty")
	}

	if format := foreignFormat(head); format != "" {
		return "", 0, fmt.Errorf("it is of the format %s. Convert it: qemu-img convert -O qcow2 FROM TO", format)
	}

	if len(head) < diskSizeAt+8 || !bytes.HasPrefix(head, qcow2Magic) {
		return rawFormat, uint64(length), nil
	}

	if binary.BigEndian.Uint64(head[8:]) != 0 {
		return "", 0, errors.New("it is an overlay, and the host would look for the file below it. Make it whole: qemu-img convert -O qcow2 FROM TO")
	}

	return "qcow2", binary.BigEndian.Uint64(head[24:]), nil
}

func checkHash(img image, want string) error {
	if want != "" && img.SHA256 != want {
		return fmt.Errorf("the image %s has the SHA-256 %s, and %s was expected. Get the right image, or correct sha256", img.Path, img.SHA256, want)
	}

	return nil
}
