package domainxml

import (
	"encoding/xml"
	"fmt"
	"slices"
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
// finds the zero Volume stays as it is. HasPath says sooner that there are none.
func ByVolume(text string, volume func(path string) (Volume, error)) (string, error) {
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

// HasPath reports whether a disk may be given by its path, without reading the definition.
func HasPath(text string) bool {
	return strings.Contains(text, "<source file=") || strings.Contains(text, "<source dev=")
}

// respell changes the sources of all disks of a definition, or of the disk that the text is. All other text stays as it is: it may
// have what libvirtxml does not know.
func respell(text string, change func(*libvirtxml.DomainDiskSource) (bool, error)) (string, error) {
	root, err := readElement(text)
	if err != nil {
		return "", fmt.Errorf("parse domain XML: %w", err)
	}

	var all strings.Builder

	done := int64(0)

	for _, disk := range disksOf(root) {
		edits, err := respellDisk(text, disk, change)
		if err != nil {
			return "", err
		}

		for _, edit := range edits {
			all.WriteString(text[done:edit.of.begin] + edit.tag)

			done = edit.of.inside
		}
	}

	return all.String() + text[done:], nil
}

// disksOf are the disks of a domain, or the disk that the element is, as far as they have a source.
func disksOf(root *element) []*element {
	all := []*element{root}

	if root.name != "disk" {
		devices := root.child("devices")
		if devices == nil {
			return nil
		}

		all = devices.children
	}

	return slices.DeleteFunc(slices.Clone(all), func(e *element) bool { return e.name != "disk" || e.child("source") == nil })
}

// retagged is an element whose start tag is another one.
type retagged struct {
	of  *element
	tag string
}

// respellDisk are the tags of a disk that has another source then, in their order.
func respellDisk(text string, disk *element, change func(*libvirtxml.DomainDiskSource) (bool, error)) ([]retagged, error) {
	var parsed libvirtxml.DomainDisk
	if err := parsed.Unmarshal(text[disk.begin:disk.end]); err != nil {
		return nil, fmt.Errorf("parse a disk: %w", err)
	}

	if !isDisk(parsed) {
		return nil, nil
	}

	if changed, err := change(parsed.Source); err != nil || !changed {
		return nil, err
	}

	kind, given := attributesOf(parsed.Source)
	source := disk.child("source")

	diskTag, err := retag(text[disk.begin:disk.inside], []string{"type"}, attribute("type", kind))
	if err != nil {
		return nil, err
	}

	sourceTag, err := retag(text[source.begin:source.inside], []string{"file", "dev", "pool", "volume"}, given...)

	return []retagged{{disk, diskTag}, {source, sourceTag}}, err
}

// attributesOf is the type of a disk that has the source, and what the source is given by.
func attributesOf(source *libvirtxml.DomainDiskSource) (kind string, given []xml.Attr) {
	switch {
	case source.Volume != nil:
		return "volume", []xml.Attr{attribute("pool", source.Volume.Pool), attribute("volume", source.Volume.Volume)}
	case source.Block != nil:
		return "block", []xml.Attr{attribute("dev", source.Block.Dev)}
	default:
		return "file", []xml.Attr{attribute("file", source.File.File)}
	}
}
