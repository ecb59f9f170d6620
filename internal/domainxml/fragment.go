package domainxml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// FragmentURI is the namespace of the element in a domain's metadata that keeps Spec.XML. It is apart from the mark: it is written
// with a definition, so what a running machine was started with keeps the XML that it was started with.
const FragmentURI = "https://github.com/baiyi-infra/terraform-provider-hypervisor/xml/1"

// sections are the elements below <domain> whose own elements are the user's and ours side by side.
var sections = []string{"devices", "features", "os", "cpu", "cputune", "memoryBacking"}

// ours are the elements that follow from other attributes, by their section, and the attributes that say them.
var ours = map[string]string{
	"name": "name", "uuid": "", "title": "title", "description": "description", "metadata": "",
	"memory": "memory", "currentMemory": "memory", "maxMemory": "memory_maximum", "vcpu": "cpu", "vcpus": "cpu",
	"iothreads": "io_threads", "iothreadids": "io_threads", "numatune": "numa_nodes and placement", "on_poweroff": "", "on_reboot": "",
	"os/type": "machine", "os/boot": "disks", "features/acpi": "", "features/apic": "",
	"cpu/model": "cpu_model", "cpu/topology": "cpu_topology", "cpu/numa": "numa_nodes",
	"cputune/vcpupin": "cpu.pins", "cputune/emulatorpin": "cpu.emulator", "cputune/iothreadpin": "io_threads",
	"memoryBacking/hugepages": "memory_backing", "memoryBacking/locked": "memory_backing", "memoryBacking/allocation": "memory_backing",
	"devices/interface": "interfaces", "devices/memballoon": "",
}

// repeated are the elements outside devices of which there may be several; of all others the user's takes the place of the one that
// is there.
var repeated = []string{
	"seclabel", "sysinfo", "cpu/feature", "cputune/cachetune", "cputune/memorytune", "cputune/vcpusched", "cputune/iothreadsched", "os/smbios",
}

// aloneAmongDevices are the devices of which there is one.
var aloneAmongDevices = []string{"devices/emulator", "devices/iommu", "devices/nvram"}

// A piece is one element of a user's own XML, with the section that it belongs to; the section is empty for what stands below
// <domain> itself.
type piece struct {
	*element

	section string
	source  string
}

// place names the piece among ours.
func (p piece) place() string { return strings.TrimPrefix(p.section+"/"+p.name, "/") }

func (p piece) alone() bool {
	if p.section == "devices" {
		return slices.Contains(aloneAmongDevices, p.place())
	}

	return !slices.Contains(repeated, p.place())
}

// fragment is a user's own XML, read.
type fragment struct {
	pieces   []piece
	firmware string // the attribute of <os>
}

const (
	opening = "<domain>"
	closing = "</domain>"
)

// readFragment reads elements as they stand below <domain>. Errors are sentences for whoever wrote them.
func readFragment(text string) (fragment, error) {
	if strings.TrimSpace(text) == "" {
		return fragment{}, nil
	}

	whole := opening + text + closing

	root, err := readElement(whole)
	if err != nil {
		return fragment{}, fmt.Errorf("this is not well-formed XML: %w. Write elements as they stand below <domain>", err)
	}

	if root.text != "" {
		return fragment{}, fmt.Errorf("there is text between the elements: %q. Write elements as they stand below <domain>", root.text)
	}

	var read fragment

	for _, child := range root.children {
		if err := read.take(child, whole); err != nil {
			return fragment{}, err
		}
	}

	if len(read.pieces) == 0 && read.firmware == "" {
		return fragment{}, errors.New("the XML says nothing. Leave it out")
	}

	return read, nil
}

// take reads an element below <domain>.
func (f *fragment) take(child *element, whole string) error {
	if child.name == "domain" {
		return errors.New("<domain> is the provider's. Write the elements that stand below it")
	}

	if !slices.Contains(sections, child.name) {
		return f.add(piece{element: child, source: whole[child.begin:child.end]})
	}

	for name, value := range child.attributes {
		if child.name != "os" || name != "firmware" {
			return fmt.Errorf("the attribute %s of <%s> is the provider's. Leave it out", name, child.name)
		}

		f.firmware = value
	}

	if child.text != "" {
		return fmt.Errorf("there is text between the elements of <%s>: %q. Take it out", child.name, child.text)
	}

	for _, below := range child.children {
		if err := f.add(piece{element: below, section: child.name, source: whole[below.begin:below.end]}); err != nil {
			return err
		}
	}

	return nil
}

func (f *fragment) add(p piece) error {
	by, taken := ours[p.place()]
	if p.place() == "devices/disk" {
		by, taken = "disks", p.attributes["device"] == "disk" || p.attributes["device"] == ""
	}

	switch {
	case taken && by == "":
		return fmt.Errorf("<%s> is what the provider itself writes and relies on. Leave it out", p.name)
	case taken:
		return fmt.Errorf("<%s> is what the provider itself writes. Say it by %s, and leave it out", p.name, by)
	}

	if err := declared(p.source); err != nil {
		return err
	}

	for _, other := range f.pieces {
		if p.alone() && other.place() == p.place() {
			return fmt.Errorf("<%s> stands there twice, and a machine has one. Make it one", p.name)
		}
	}

	f.pieces = append(f.pieces, p)

	return nil
}

// declared refuses prefixes that the element itself does not declare, since it will stand elsewhere.
func declared(source string) error {
	decoder := xml.NewDecoder(strings.NewReader(source))

	spaces := []string{"", "xmlns", "xml", "http://www.w3.org/XML/1998/namespace"}

	for {
		token, err := decoder.Token()
		if err != nil { // that it is well-formed is known
			return nil //nolint:nilerr // it is the end of the text
		}

		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}

		for _, attribute := range start.Attr {
			if attribute.Name.Space == "xmlns" || attribute.Name.Local == "xmlns" {
				spaces = append(spaces, attribute.Value)
			}
		}

		if !slices.Contains(spaces, start.Name.Space) {
			return fmt.Errorf("nothing declares the prefix %s of <%[1]s:%s>. Declare it there, such as <qemu:commandline xmlns:qemu=\"http://libvirt.org/schemas/domain/qemu/1.0\">", start.Name.Space, start.Name.Local)
		}
	}
}

// CanonicalXML writes a Spec's XML in one way: two texts with the same result mean the same. The error says what is wrong with
// it: it is malformed, or says what other attributes say.
func CanonicalXML(text string) (string, error) {
	read, err := readFragment(text)
	if err != nil {
		return "", err
	}

	lines := make([]string, 0, len(read.pieces)+1)
	for _, p := range read.pieces {
		lines = append(lines, p.section+" "+p.String())
	}

	if read.firmware != "" {
		lines = append(lines, "firmware "+read.firmware)
	}

	slices.Sort(lines)

	return strings.Join(lines, "\n"), nil
}

// SameXML reports whether two texts of Spec.XML mean the same.
func SameXML(a, b string) bool {
	if a == b {
		return true
	}

	one, err := CanonicalXML(a)
	if err != nil {
		return false
	}

	other, err := CanonicalXML(b)

	return err == nil && one == other
}

// keptFragment is the element of the metadata.
type keptFragment struct {
	XMLName xml.Name `xml:"https://github.com/baiyi-infra/terraform-provider-hypervisor/xml/1 fragment"`
	Text    string   `xml:",chardata"`
}

// renderKept is the element that keeps the XML, or nothing.
func renderKept(text string) (string, error) {
	if text == "" {
		return "", nil
	}

	kept, err := xml.Marshal(keptFragment{Text: text})

	return string(kept), err
}

// kept is the XML that the definition was written with.
func kept(metadata *libvirtxml.DomainMetadata) (string, error) {
	if metadata == nil || !strings.Contains(metadata.XML, FragmentURI) {
		return "", nil
	}

	var all struct {
		Kept keptFragment `xml:"https://github.com/baiyi-infra/terraform-provider-hypervisor/xml/1 fragment"`
	}

	if err := xml.Unmarshal([]byte("<metadata>"+metadata.XML+"</metadata>"), &all); err != nil {
		return "", fmt.Errorf("parse the domain's metadata: %w", err)
	}

	return all.Kept.Text, nil
}
