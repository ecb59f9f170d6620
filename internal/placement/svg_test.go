package placement

import (
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// drawn is an element of a picture with the text right inside it.
type drawn struct {
	name, text string
	attributes map[string]string
}

// readPicture parses the picture as strictly as XML demands.
func readPicture(t *testing.T, picture string) []drawn {
	t.Helper()

	var elements []drawn

	var open []int

	for decoder := xml.NewDecoder(strings.NewReader(picture)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return elements
		}

		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}

		switch token := token.(type) {
		case xml.StartElement:
			element := drawn{name: token.Name.Local, attributes: map[string]string{}}
			for _, attribute := range token.Attr {
				element.attributes[attribute.Name.Local] = attribute.Value
			}

			open = append(open, len(elements))
			elements = append(elements, element)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				elements[open[len(open)-1]].text += string(token)
			}
		}
	}
}

func TestPicturesNameEveryCoreOnce(t *testing.T) {
	f := shop(20)
	titles := map[string]int{}

	for _, element := range readPicture(t, CoreMapSVG(f.fleet, f.result)) {
		if element.name == "title" {
			titles[element.text]++
		}
	}

	hosts, groups := mapHosts(f.fleet, f.result), map[string]string{}
	for _, machine := range f.fleet.Machines {
		groups[machine.Name] = machine.Group
	}

	cores := 0

	for _, host := range hosts {
		for _, node := range host.nodes {
			for _, core := range node.cores {
				cores++

				title := fmt.Sprintf("%s, node %d, CPU %s: %s", host.name, node.id, core.cpus, core.label())
				if group := groups[core.label()]; group != "" {
					title += " of group " + group
				}

				if titles[title] != 1 {
					t.Errorf("%q is there %d times", title, titles[title])
				}
			}
		}
	}

	if cores != 640 || len(titles) != 641 {
		t.Errorf("%d titles for %d cores; want one for each of 640 and one for the picture", len(titles), cores)
	}
}

func TestNothingIsDrawnOutsideThePictureOrOnOthers(t *testing.T) {
	for _, count := range []int{1, 2, 3, 20} {
		f := shop(count)

		size := func(element drawn, name string) int {
			number, _ := strconv.Atoi(element.attributes[name]) // one that has none is at 0
			return number
		}

		elements := readPicture(t, CoreMapSVG(f.fleet, f.result))
		kinds := map[string][]image.Rectangle{}

		for _, element := range elements {
			right, bottom := size(element, "x")+size(element, "width"), size(element, "y")+size(element, "height")
			if right > size(elements[0], "width") || bottom > size(elements[0], "height") {
				t.Errorf("with %d hosts %+v reaches to %d, %d", count, element, right, bottom)
			}

			kind, _, _ := strings.Cut(element.attributes["class"], " ")
			switch kind {
			case "free", "drain", "pool", "others", "idle", "machine":
				kind = "block"
			case "card":
			default:
				continue
			}

			rectangle := image.Rect(size(element, "x"), size(element, "y"), right, bottom)
			for _, other := range kinds[kind] {
				if rectangle.Overlaps(other) {
					t.Errorf("with %d hosts %+v is on the one at %v", count, element, other)
				}
			}

			kinds[kind] = append(kinds[kind], rectangle)
		}

		if len(kinds["card"]) != count || len(kinds["block"]) < 15*count {
			t.Errorf("%d hosts have %d cards with %d blocks", count, len(kinds["card"]), len(kinds["block"]))
		}
	}
}

func TestPicturesKeepNamesFromBecomingMarkup(t *testing.T) {
	hostile := []string{
		`<script>alert(1)</script>`, `"><svg onload="alert(1)`, `]]>`, `&amp;`, `'"`, "a\x00b\x1b\xff", "</title></g></svg>",
	}

	plainElements := 0

	for _, name := range append([]string{strings.Repeat("a", 40)}, hostile...) {
		host := twoSockets(name)
		host.Draining = false
		f := fill(host)
		f.add(0, Machine{Name: name, VCPUs: 2, Group: name})
		f.add(0, Machine{Name: name + "2", VCPUs: 1, Group: name})

		elements := readPicture(t, CoreMapSVG(f.fleet, f.result))
		if plainElements == 0 {
			plainElements = len(elements)
		}

		if len(elements) != plainElements {
			t.Errorf("with the name %q the picture has %d elements instead of %d", name, len(elements), plainElements)
		}

		for _, element := range elements {
			if element.name == "script" || element.attributes["onload"] != "" {
				t.Errorf("the name %q became %+v", name, element)
			}
		}

		whole := fmt.Sprintf("%s, node 0, CPU 1,33: %s of group %s", plain(name), plain(name), plain(name))
		if !slices.ContainsFunc(elements, func(e drawn) bool { return e.name == "title" && e.text == whole }) {
			t.Errorf("no core has the title %q", whole)
		}
	}
}

func TestPicturesAreWholeWithoutAnything(t *testing.T) {
	elements := readPicture(t, CoreMapSVG(Fleet{}, Result{}))

	if got := elements[1]; got.name != "title" || got.text != "Core map: 0 hosts with 0 machines, 0 of 0 cores free" {
		t.Errorf("the picture's title is %+v", got)
	}
}

func TestPicturesLoadNothing(t *testing.T) {
	f := shop(3)
	picture := CoreMapSVG(f.fleet, f.result)
	picture = strings.Replace(picture, "http://www.w3.org/2000/svg", "", 1)

	for _, loading := range []string{"://", "href", "@import", "<script", "<image"} {
		if strings.Contains(picture, loading) {
			t.Errorf("the picture has %q", loading)
		}
	}

	for _, reference := range regexp.MustCompile(`url\(([^)]*)\)`).FindAllStringSubmatch(picture, -1) {
		if id := strings.TrimPrefix(reference[1], "#"); !strings.Contains(picture, `<pattern id="`+id+`"`) {
			t.Errorf("the picture refers to %s, which it does not have", reference[1])
		}
	}
}

func TestEveryClassOfThePictureHasAStyle(t *testing.T) {
	f := shop(20)

	// Groups enough for each colour and pattern.
	for i := range f.fleet.Machines {
		f.fleet.Machines[i].Group = fmt.Sprint("group-", i%31)
	}

	for _, element := range readPicture(t, CoreMapSVG(f.fleet, f.result)) {
		for class := range strings.FieldsSeq(element.attributes["class"]) {
			if class != "machine" && !regexp.MustCompile(`\.`+class+`[,{]`).MatchString(stylesheet) {
				t.Errorf("the class %q of %+v has no style", class, element)
			}
		}
	}
}

// luminance is that of WCAG 2.2, of a colour such as "#fff" or "#56b4e9".
func luminance(t *testing.T, colour string) float64 {
	t.Helper()

	digits := strings.TrimPrefix(colour, "#")
	if len(digits) == 3 {
		digits = digits[:1] + digits[:1] + digits[1:2] + digits[1:2] + digits[2:] + digits[2:]
	}

	sum := 0.0

	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		value, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatalf("the colour %q is none: %v", colour, err)
		}

		part := float64(value) / 255
		if part <= 0.04045 {
			sum += weight * part / 12.92
		} else {
			sum += weight * math.Pow((part+0.055)/1.055, 2.4)
		}
	}

	return sum
}

func TestTextContrastsWithItsGroundInLightAndDark(t *testing.T) {
	light, dark, found := strings.Cut(stylesheet, "@media (prefers-color-scheme:dark){")
	if !found {
		t.Fatal("the stylesheet has no dark part")
	}

	fill := func(sheet, class string) string {
		for _, rule := range regexp.MustCompile(`([^{}]+)\{[^}]*?\bfill:(#[0-9a-f]+)`).FindAllStringSubmatch(sheet, -1) {
			if slices.Contains(strings.Split(strings.TrimSpace(rule[1]), ","), class) {
				return rule[2]
			}
		}

		return ""
	}

	pairs := map[string][]string{
		"text":    {".ground", ".card"},
		".muted":  {".ground", ".card"},
		".ink":    {".pool", ".others"},
		".faint":  {".free", ".idle", ".drain"},
		".badged": {".badge"},
		".dark":   {".c0", ".c1", ".c2", ".c3", ".c4", ".c5", ".groupless"},
	}

	for theme, sheets := range map[string][]string{"light": {light}, "dark": {dark, light}} {
		colour := func(class string) string {
			for _, sheet := range sheets {
				if value := fill(sheet, class); value != "" {
					return value
				}
			}

			t.Fatalf("%s has no colour in %s", class, theme)

			return ""
		}

		for text, grounds := range pairs {
			for _, ground := range grounds {
				a, b := luminance(t, colour(text)), luminance(t, colour(ground))
				if contrast := (max(a, b) + 0.05) / (min(a, b) + 0.05); contrast < 4.5 {
					t.Errorf("%s on %s has a contrast of %.2f in %s, below 4.5", text, ground, contrast, theme)
				}
			}
		}
	}
}
