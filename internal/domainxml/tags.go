package domainxml

import (
	"encoding/xml"
	"slices"
	"strings"
)

// retag writes a start tag with other attributes in the place of some.
func retag(text string, instead []string, others ...xml.Attr) (string, error) {
	token, err := xml.NewDecoder(strings.NewReader(text)).RawToken()
	if err != nil {
		return "", err
	}

	start, _ := token.(xml.StartElement)
	kept := slices.DeleteFunc(start.Attr, func(a xml.Attr) bool { return slices.Contains(instead, a.Name.Local) })

	var tag strings.Builder

	tag.WriteString("<" + prefixed(start.Name))

	for _, attribute := range append(others, kept...) {
		tag.WriteString(" " + prefixed(attribute.Name) + `="`)
		_ = xml.EscapeText(&tag, []byte(attribute.Value)) // a builder takes everything
		tag.WriteString(`"`)
	}

	if strings.HasSuffix(text, "/>") {
		tag.WriteString("/")
	}

	return tag.String() + ">", nil
}

// prefixed is a name as it stands in a text, of which RawToken has the prefix.
func prefixed(name xml.Name) string { return strings.TrimPrefix(name.Space+":"+name.Local, ":") }

func attribute(name, value string) xml.Attr {
	return xml.Attr{Name: xml.Name{Local: name}, Value: value}
}
