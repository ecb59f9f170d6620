package domainxml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// standard are the devices that every machine is made with. A user's own device of the same kind is another one.
var standard = []string{
	`<serial type="pty"><target port="0"/></serial>`,
	`<channel type="unix"><target type="virtio" name="org.qemu.guest_agent.0"/></channel>`,
	`<rng model="virtio"><backend model="random">/dev/urandom</backend></rng>`,
}

// A fit says whether an element is a wanted one.
type fit func(have, want *element) bool

// fitOf is the fit for a definition. Of what runs only the kinds of elements are compared, since libvirt fills in what it chose, such
// as the port of a display.
func fitOf(domain *libvirtxml.Domain) fit {
	if domain.ID != nil {
		return func(have, want *element) bool { return have.name == want.name }
	}

	return (*element).has
}

// A cut replaces a stretch of a text.
type cut struct {
	begin, end int64
	with       string
}

// weave brings a definition from one user's own XML to another. What is there already stays as libvirt wrote it.
func weave(text string, was, want fragment, fits fit) (string, error) {
	root, err := readElement(text)
	if err != nil {
		return "", fmt.Errorf("parse domain XML: %w", err)
	}

	found := want.in(root, fits)
	stay := slices.Clone(found)

	var cuts []cut

	for _, there := range was.in(root, fits) {
		if there != nil && !slices.Contains(stay, there) {
			cuts = append(cuts, cut{begin: there.begin, end: there.end})
			stay = append(stay, there) // it goes, so nothing takes its place once more
		}
	}

	opened := map[string]string{} // sections that the definition does not have yet

	for i, p := range want.pieces {
		switch parent := p.parent(root); {
		case found[i] != nil:
		case parent == nil:
			opened[p.section] += p.source
		default:
			cuts = append(cuts, p.into(parent, stay))
		}
	}

	for _, section := range sortedKeys(opened) {
		cuts = append(cuts, cut{begin: root.inner, end: root.inner, with: fmt.Sprintf("<%s>%s</%[1]s>", section, opened[section])})
	}

	return apply(text, cuts), nil
}

// parent is the element that the piece belongs in, or nil if it is not there.
func (p piece) parent(root *element) *element {
	if p.section == "" {
		return root
	}

	return root.child(p.section)
}

// into inserts the piece, in place of the only one of its kind.
func (p piece) into(parent *element, taken []*element) cut {
	if p.alone() {
		if other := parent.child(p.name); other != nil && !slices.Contains(taken, other) {
			return cut{begin: other.begin, end: other.end, with: p.source}
		}
	}

	return cut{begin: parent.inner, end: parent.inner, with: p.source}
}

func apply(text string, cuts []cut) string {
	slices.SortStableFunc(cuts, func(a, b cut) int { return cmp.Compare(a.begin, b.begin) })

	var edited strings.Builder

	done := int64(0)

	for _, c := range cuts {
		edited.WriteString(text[done:c.begin] + c.with)
		done = c.end
	}

	return edited.String() + text[done:]
}

// in finds each piece in a definition, or nil where it is not.
func (f fragment) in(root *element, fits fit) []*element {
	all := make([]*element, len(f.pieces))

	for _, section := range append([]string{""}, sections...) {
		parent := root
		if section != "" {
			parent = root.child(section)
		}

		var (
			want      []*element
			positions []int
		)

		for i, p := range f.pieces {
			if p.section == section {
				want, positions = append(want, p.element), append(positions, i)
			}
		}

		if parent == nil || len(want) == 0 {
			continue
		}

		for i, there := range assign(want, others(parent), fits) {
			all[positions[i]] = there
		}
	}

	return all
}

// others are the children that may be a user's own.
func others(parent *element) []*element {
	all := slices.Clone(parent.children)

	if parent.name != "devices" {
		return all
	}

	for _, text := range standard {
		own, err := readElement(text)
		if err != nil {
			panic(err) // they are ours
		}

		if at := slices.IndexFunc(all, func(have *element) bool { return have.has(own) }); at >= 0 {
			all = slices.Delete(all, at, at+1)
		}
	}

	return all
}

// present is what of the XML a definition was written with is there: the text itself if all of it is.
func present(text string, domain *libvirtxml.Domain) (string, error) {
	written, err := kept(domain.Metadata)
	if written == "" || err != nil {
		return "", err
	}

	read, err := readFragment(written)
	if err != nil {
		return "", nil //nolint:nilerr // somebody wrote what we never do, so nothing of it is there
	}

	root, err := readElement(text)
	if err != nil {
		return "", fmt.Errorf("parse domain XML: %w", err)
	}

	found := read.in(root, fitOf(domain))
	firmware := read.firmware == "" || (domain.OS != nil && domain.OS.Firmware == read.firmware)

	if firmware && !slices.Contains(found, nil) {
		return written, nil
	}

	return read.only(found, firmware), nil
}

// only is the XML of the pieces that were found.
func (f fragment) only(found []*element, firmware bool) string {
	var text strings.Builder

	if firmware && f.firmware != "" {
		fmt.Fprintf(&text, "<os firmware='%s'/>", escape(f.firmware))
	}

	for i, p := range f.pieces {
		switch {
		case found[i] == nil:
		case p.section == "":
			text.WriteString(p.source)
		default:
			fmt.Fprintf(&text, "<%s>%s</%[1]s>", p.section, p.source)
		}
	}

	return text.String()
}

// Unkept tells which piece of the XML that a machine is to have a definition does not have as it was written, since its host keeps
// it in other words, or not at all; it is empty if all is there. Such a machine would never be as declared.
func Unkept(text string, want Spec) (string, error) {
	read, err := readFragment(want.XML)
	if err != nil {
		return "", err
	}

	root, err := readElement(text)
	if err != nil {
		return "", fmt.Errorf("parse domain XML: %w", err)
	}

	for i, there := range read.in(root, (*element).has) {
		if there != nil {
			continue
		}

		p := read.pieces[i]
		if parent := p.parent(root); parent != nil && parent.child(p.name) != nil {
			return fmt.Sprintf("%s, which the host keeps as %s", p, parent.child(p.name)), nil
		}

		return fmt.Sprintf("%s, which the host leaves out", p), nil
	}

	return "", nil
}
