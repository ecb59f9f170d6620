package domainxml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// MarkURI is the namespace of our element in a domain's metadata; MarkKey is the prefix that libvirt writes it with.
const (
	MarkURI = "https://github.com/baiyi-infra/terraform-provider-hypervisor/vm/1"
	MarkKey = "hypervisor"
)

// markElement is our element as it stands in <metadata>. Interface names are kept in it because libvirt has no place
// for them (an <alias> of the user's would, but not on LXC and Xen).
type markElement struct {
	XMLName    xml.Name        `xml:"https://github.com/baiyi-infra/terraform-provider-hypervisor/vm/1 vm"`
	Exclusive  bool            `xml:"exclusive,attr"`
	Complete   bool            `xml:"complete,attr"`
	Leaving    bool            `xml:"leaving,attr,omitempty"`
	Digest     string          `xml:"digest,attr,omitempty"`
	Settings   string          `xml:"settings,omitempty"`
	Claim      *markClaim      `xml:"claim"`
	Move       *markMove       `xml:"move"`
	Interfaces []markInterface `xml:"interface"`
	Seed       *markVolume     `xml:"seed"` // on Xen, where the definition has its path only
}

type markClaim struct {
	VCPUs     string `xml:"vcpus,attr,omitempty"`
	Emulator  string `xml:"emulator,attr,omitempty"`
	Exclusive bool   `xml:"exclusive,attr"`
}

type markMove struct {
	To    string `xml:"to,attr,omitempty"`
	From  string `xml:"from,attr,omitempty"`
	Disks string `xml:"disks,attr,omitempty"`
}

type markVolume struct {
	Pool string `xml:"pool,attr"`
	Name string `xml:"name,attr"`
}

type markInterface struct {
	Name string `xml:"name,attr"`
	MAC  string `xml:"mac,attr"`
}

// RenderMark returns the metadata element of the machine, to be written by itself (virDomainSetMetadata).
func RenderMark(spec Spec) (string, error) {
	element := markElement{
		Exclusive: spec.Mark.Exclusive, Complete: spec.Mark.Complete, Leaving: spec.Mark.Leaving, Digest: spec.Mark.Digest, Settings: spec.Mark.Settings,
	}

	if spec.Mark.Claim != (Claim{}) {
		claim := markClaim(spec.Mark.Claim)
		element.Claim = &claim
	}

	if spec.Mark.Move != (Move{}) {
		move := markMove(spec.Mark.Move)
		element.Move = &move
	}

	for _, name := range sortedKeys(spec.Interfaces) {
		element.Interfaces = append(element.Interfaces, markInterface{Name: name, MAC: spec.Interfaces[name].MAC})
	}

	if (spec.Type == Xen || spec.Type == LXC) && spec.Seed != nil { // no disk's definition names it as a volume
		seed := markVolume(*spec.Seed)
		element.Seed = &seed
	}

	text, err := xml.Marshal(element)
	if err != nil {
		return "", fmt.Errorf("render the mark of domain %q: %w", spec.Name, err)
	}

	return string(text), nil
}

// editMark puts the wanted mark in place of the one that the definition has. What others have noted stays.
func editMark(domain *libvirtxml.Domain, want Spec) error {
	mark, err := RenderMark(want)
	if err != nil {
		return err
	}

	if domain.Metadata == nil {
		domain.Metadata = &libvirtxml.DomainMetadata{}
	}

	written, err := renderKept(want.XML)
	if err != nil {
		return fmt.Errorf("edit the mark of domain %q: %w", want.Name, err)
	}

	rest := domain.Metadata.XML

	for _, own := range []xml.Name{{Space: MarkURI, Local: "vm"}, {Space: FragmentURI, Local: "fragment"}} {
		if rest, err = without(own, rest); err != nil {
			return fmt.Errorf("edit the mark of domain %q: %w", want.Name, err)
		}
	}

	domain.Metadata.XML = rest + mark + written

	return nil
}

// Remark returns a domain's definition with another mark in the place of the one that it has, as virDomainSetMetadata leaves it.
func Remark(domain, mark string) (string, error) {
	begin, end, err := find(xml.Name{Space: MarkURI, Local: "vm"}, domain)

	switch {
	case err != nil:
		return "", fmt.Errorf("replace the domain's mark: %w", err)
	case end == 0:
		return "", errors.New("replace the domain's mark: it has none")
	default:
		return domain[:begin] + mark + domain[end:], nil
	}
}

// without cuts an element out of the text of a domain's metadata.
func without(own xml.Name, metadata string) (string, error) {
	begin, end, err := find(own, metadata)
	if err != nil {
		return "", fmt.Errorf("parse the domain's metadata: %w", err)
	}

	return metadata[:begin] + metadata[end:], nil
}

// find tells where an element begins and ends: both at 0 if there is none.
func find(own xml.Name, text string) (begin, end int64, err error) {
	decoder := xml.NewDecoder(strings.NewReader(text))

	for {
		begin := decoder.InputOffset()

		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return 0, 0, nil
		}

		if err != nil {
			return 0, 0, err
		}

		element, ok := token.(xml.StartElement)
		if !ok || element.Name != own {
			continue
		}

		err = decoder.Skip()

		return begin, decoder.InputOffset(), err
	}
}

// mark is what the element says.
func (e markElement) mark() Mark {
	mark := Mark{Managed: true, Exclusive: e.Exclusive, Complete: e.Complete, Leaving: e.Leaving, Digest: e.Digest, Settings: e.Settings}
	if e.Claim != nil {
		mark.Claim = Claim(*e.Claim)
	}

	if e.Move != nil {
		mark.Move = Move(*e.Move)
	}

	return mark
}

// parseMark finds our element among the metadata of a domain. It returns nil if there is none.
func parseMark(metadata *libvirtxml.DomainMetadata) (*markElement, error) {
	if metadata == nil {
		return nil, nil
	}

	var all struct {
		Mark *markElement `xml:"https://github.com/baiyi-infra/terraform-provider-hypervisor/vm/1 vm"`
	}

	if err := xml.Unmarshal([]byte("<metadata>"+metadata.XML+"</metadata>"), &all); err != nil {
		return nil, fmt.Errorf("parse the domain's metadata: %w", err)
	}

	return all.Mark, nil
}
