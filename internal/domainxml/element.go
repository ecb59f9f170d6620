package domainxml

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// element is an XML element and where it stands in the text that it was read from.
type element struct {
	name       string            // with its namespace before it, if it has one
	attributes map[string]string // by name, as name
	text       string            // without the space around it
	children   []*element

	begin, end    int64 // of the element
	inside, inner int64 // where its start tag ends, and where its end tag begins
}

// readElement reads a text that is one element, strictly. Comments are left out.
func readElement(text string) (*element, error) {
	decoder := xml.NewDecoder(strings.NewReader(text))

	var (
		root *element
		open []*element
	)

	for {
		begin := decoder.InputOffset()

		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}

		if err != nil {
			return nil, err
		}

		switch token := token.(type) {
		case xml.StartElement:
			read := &element{name: qualified(token.Name), attributes: attributes(token), begin: begin, inside: decoder.InputOffset()}

			switch {
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.children = append(parent.children, read)
			case root != nil:
				return nil, errors.New("an end tag has no beginning")
			default:
				root = read
			}

			open = append(open, read)
		case xml.EndElement:
			last := open[len(open)-1]
			last.inner, last.end = begin, decoder.InputOffset()
			last.text = strings.TrimSpace(last.text)
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(token)
			}
		case xml.Directive, xml.ProcInst:
			return nil, errors.New("it has a declaration, where only elements may stand")
		}
	}

	if root == nil {
		return nil, errors.New("it has no element")
	}

	return root, nil
}

func qualified(name xml.Name) string { return strings.TrimPrefix(name.Space+" "+name.Local, " ") }

func attributes(token xml.StartElement) map[string]string {
	all := make(map[string]string, len(token.Attr))

	for _, attribute := range token.Attr {
		if attribute.Name.Space != "xmlns" && attribute.Name.Local != "xmlns" { // namespaces are in the names
			all[qualified(attribute.Name)] = attribute.Value
		}
	}

	return all
}

// child is the first child of a name, or nil.
func (e *element) child(name string) *element {
	at := slices.IndexFunc(e.children, func(child *element) bool { return child.name == name })
	if at < 0 {
		return nil
	}

	return e.children[at]
}

// size is how much an element says.
func (e *element) size() int {
	size := 1 + len(e.attributes)
	for _, child := range e.children {
		size += child.size()
	}

	return size
}

// has reports whether an element says all that another one says. Libvirt adds to what it is told: addresses, aliases, defaults.
func (e *element) has(want *element) bool {
	if e.name != want.name || (want.text != "" && !sameText(e.text, want.text)) {
		return false
	}

	for name, value := range want.attributes {
		if its, there := e.attributes[name]; !there || !sameText(its, value) {
			return false
		}
	}

	return !slices.Contains(assign(want.children, e.children, (*element).has), nil)
}

// assign finds for each wanted element another one that it fits, or nil. What says most chooses first, of what says least, so that
// elements that are all there always find themselves.
func assign(want, from []*element, fits fit) []*element {
	bySize := func(a, b *element) int { return cmp.Compare(a.size(), b.size()) }
	free := slices.SortedStableFunc(slices.Values(from), bySize)
	found := make(map[*element]*element, len(want))

	for _, wanted := range slices.SortedStableFunc(slices.Values(want), func(a, b *element) int { return bySize(b, a) }) {
		if at := slices.IndexFunc(free, func(have *element) bool { return fits(have, wanted) }); at >= 0 {
			found[wanted] = free[at]
			free = slices.Delete(free, at, at+1)
		}
	}

	all := make([]*element, len(want))
	for i, wanted := range want {
		all[i] = found[wanted]
	}

	return all
}

// sameText takes numbers for equal however they are written: libvirt writes 0x0000 for 0x0.
func sameText(a, b string) bool {
	if a == b {
		return true
	}

	one, err := strconv.ParseUint(a, 0, 64)
	if err != nil {
		return false
	}

	other, err := strconv.ParseUint(b, 0, 64)

	return err == nil && one == other
}

// String writes the element in one way, whatever way it was written in.
func (e *element) String() string {
	var text strings.Builder

	fmt.Fprintf(&text, "<%s", e.name)

	for _, name := range slices.Sorted(maps.Keys(e.attributes)) {
		fmt.Fprintf(&text, " %s='%s'", name, escape(e.attributes[name]))
	}

	text.WriteString(">" + escape(e.text))

	for _, child := range e.children {
		text.WriteString(child.String())
	}

	local := e.name[strings.LastIndexByte(e.name, ' ')+1:]
	text.WriteString("</" + local + ">")

	return text.String()
}

func escape(text string) string {
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(text)) // a strings.Builder takes everything

	return escaped.String()
}
