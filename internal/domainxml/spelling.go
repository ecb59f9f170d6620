package domainxml

import (
	"fmt"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// ByPath returns a domain's definition, or the element of one disk, with the disks that are given as volumes given by their paths
// instead; one for which path returns none stays as it is. Text in which nothing changes is returned as it is. An error of path
// ends it.
func ByPath(text string, path func(Volume) (string, error)) (string, error) {
	if !strings.Contains(text, " pool=") {
		return text, nil
	}

	return respell(text, func(source *libvirtxml.DomainDiskSource) (bool, error) {
		if source.Volume == nil {
			return false, nil
		}

		at, err := path(Volume{Pool: source.Volume.Pool, Name: source.Volume.Volume})
		if err != nil || at == "" {
			return false, err
		}

		given := sourceAt(at)
		source.Volume, source.File, source.Block = nil, given.File, given.Block

		return true, nil
	})
}

// ByVolume is the way back: disks that are given by their paths are given as the volumes that volume finds there. One for which it
// finds the zero Volume stays as it is.
func ByVolume(text string, volume func(path string) (Volume, error)) (string, error) {
	if !hasPath(text) {
		return text, nil
	}

	return respell(text, func(source *libvirtxml.DomainDiskSource) (bool, error) {
		at := file(source)
		if at == "" {
			return false, nil
		}

		found, err := volume(at)
		if err != nil || found == (Volume{}) {
			return false, err
		}

		source.Volume, source.File, source.Block = volumeSource(found).Volume, nil, nil

		return true, nil
	})
}

// hasPath reports whether a disk may be given by its path.
func hasPath(text string) bool {
	return strings.Contains(text, "<source file=") || strings.Contains(text, "<source dev=")
}

// respell changes the sources of all disks of a definition, or of the disk that the text is.
func respell(text string, change func(*libvirtxml.DomainDiskSource) (bool, error)) (string, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "<disk") {
		var disk libvirtxml.DomainDisk
		if err := disk.Unmarshal(text); err != nil {
			return "", fmt.Errorf("parse the disk's XML: %w", err)
		}

		if disk.Source == nil {
			return text, nil
		}

		if changed, err := change(disk.Source); err != nil || !changed {
			return text, err
		}

		return disk.Marshal()
	}

	domain, err := unmarshal(text)
	if err != nil {
		return "", err
	}

	different := false

	for _, disk := range domain.Devices.Disks {
		if disk.Source == nil || !isDisk(disk) {
			continue
		}

		changed, err := change(disk.Source)
		if err != nil {
			return "", fmt.Errorf("disk %q: %w", disk.Serial, err)
		}

		different = different || changed
	}

	if !different {
		return text, nil
	}

	return domain.Marshal()
}
