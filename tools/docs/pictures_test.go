package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Widths of a letter by the size of its font, on the average of DejaVu Sans: the widest of the fonts that `system-ui` may be.
const (
	letter     = 0.55
	boldLetter = 0.64
)

// TestLabelsStayInTheirBoxes finds labels that are wider than the smallest box around them, which no XML parser objects to.
func TestLabelsStayInTheirBoxes(t *testing.T) {
	for _, name := range drawn(t) {
		picture := readPicture(t, name)
		for _, label := range picture.labels {
			box, found := picture.around(label)
			if found && label.width() > box.width {
				t.Errorf("%s: %q takes about %.0f of its box's %.0f", name, label.text, label.width(), box.width)
			}
		}
	}
}

// Without a browser, such as in an editor or a mail, custom properties of CSS leave a picture black.
func TestPicturesNeedNoCustomProperties(t *testing.T) {
	for _, name := range drawn(t) {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}

		if strings.Contains(string(content), "var(--") {
			t.Errorf("%s has custom properties of CSS: write the colours themselves", name)
		}
	}
}

// drawn are the pictures that somebody drew by hand, with their labels in the middle of boxes.
func drawn(t *testing.T) []string {
	t.Helper()

	var names []string

	for _, pattern := range []string{"templates/images/*.svg", "modules/*/*.svg", "examples/*/*.svg"} {
		found, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no pictures match %s (%v)", pattern, err)
		}

		names = append(names, found...)
	}

	return names
}

type (
	box   struct{ x, y, width, height float64 }
	label struct {
		x, y, size float64
		bold       bool
		text       string
	}
	picture struct {
		boxes  []box
		labels []label
	}
)

func (l label) width() float64 {
	if l.bold {
		return float64(len([]rune(l.text))) * l.size * boldLetter
	}

	return float64(len([]rune(l.text))) * l.size * letter
}

// around is the smallest box in which the middle of the label is.
func (p picture) around(l label) (box, bool) {
	var smallest box

	for _, b := range p.boxes {
		inside := l.x >= b.x && l.x <= b.x+b.width && l.y >= b.y && l.y <= b.y+b.height
		if inside && (smallest.width == 0 || b.width*b.height < smallest.width*smallest.height) {
			smallest = b
		}
	}

	return smallest, smallest.width > 0
}

func readPicture(t *testing.T, name string) picture {
	t.Helper()

	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	var result picture

	for decoder := xml.NewDecoder(file); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return result
		}

		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}

		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}

		switch at := attributes(start); {
		case start.Name.Local == "rect":
			result.boxes = append(result.boxes, box{number(at["x"], 0), number(at["y"], 0), number(at["width"], 0), number(at["height"], 0)})
		case start.Name.Local == "text" && at["text-anchor"] == "middle":
			var content struct {
				Text string `xml:",chardata"`
			}
			if err := decoder.DecodeElement(&content, &start); err != nil {
				t.Fatalf("%s: %v", name, err)
			}

			result.labels = append(result.labels, label{
				x: number(at["x"], 0), y: number(at["y"], 0), size: number(at["font-size"], 13),
				bold: at["font-weight"] != "", text: content.Text,
			})
		}
	}
}

func attributes(start xml.StartElement) map[string]string {
	result := map[string]string{}
	for _, a := range start.Attr {
		result[a.Name.Local] = a.Value
	}

	return result
}

func number(text string, otherwise float64) float64 {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return otherwise
	}

	return value
}
