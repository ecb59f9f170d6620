package cloudinit

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// NoNetwork is a ready-made network configuration for a machine whose network somebody else sets up: cloud-init leaves it
// alone.
const NoNetwork = "version: 1\nconfig: disabled\n"

// Folder is where cloud-init looks for a seed in the machine's own files, and what Archive is unpacked into.
const Folder = "/var/lib/cloud/seed/nocloud"

// Archive makes the seed as a tar archive, for a machine without disks. Its files have the names that they have in Render's
// image, and only root may read them.
func Archive(seed Seed) ([]byte, error) {
	files, err := seed.files()
	if err != nil {
		return nil, err
	}

	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)

	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: 0o600, Size: int64(len(f.content))}

		if err := writer.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("archive seed: %w", err)
		}

		if _, err := writer.Write(f.content); err != nil {
			return nil, fmt.Errorf("archive seed: %w", err)
		}
	}

	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("archive seed: %w", err)
	}

	return archive.Bytes(), nil
}

// ParseArchive reads a seed from an archive that Archive made, as Parse does.
func ParseArchive(archive []byte) (Seed, error) {
	files := map[string][]byte{}
	reader := tar.NewReader(bytes.NewReader(archive))

	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}

		if err != nil {
			return Seed{}, errForeign
		}

		if files[header.Name], err = io.ReadAll(reader); err != nil {
			return Seed{}, errForeign
		}
	}

	if files["meta-data"] == nil || files["user-data"] == nil {
		return Seed{}, errForeign
	}

	return parse(files["meta-data"], files["user-data"], files["network-config"])
}
