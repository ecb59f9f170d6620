package placement

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// drawing is a picture as far as it is drawn.
type drawing struct {
	text   strings.Builder
	styles map[string]style  // by machine
	groups map[string]string // by machine
}

// begin writes an element's start. Attributes are names, which are the caller's own words, each followed by its value.
func (d *drawing) begin(element string, attributes ...any) {
	d.text.WriteString("<" + element)

	for i := 0; i+1 < len(attributes); i += 2 {
		fmt.Fprintf(&d.text, ` %s="`, attributes[i])
		d.escape(fmt.Sprint(attributes[i+1]))
		d.text.WriteByte('"')
	}

	d.text.WriteByte('>')
}

func (d *drawing) end(element string) {
	d.text.WriteString("</" + element + ">")
}

func (d *drawing) leaf(element, content string, attributes ...any) {
	d.begin(element, attributes...)
	d.escape(content)
	d.text.WriteString("</" + element + ">")
}

// escape writes text that anybody may have chosen. What XML cannot carry becomes U+FFFD.
func (d *drawing) escape(text string) {
	_ = xml.EscapeText(&d.text, []byte(text)) // a strings.Builder does not fail
}

// start writes everything that does not depend on the hosts.
func (d *drawing) start(width, height int, totals string) {
	d.begin("svg", "xmlns", "http://www.w3.org/2000/svg", "width", width, "height", height,
		"viewBox", fmt.Sprintf("0 0 %d %d", width, height),
		"role", "graphics-document", "aria-labelledby", "core-map-title core-map-desc")
	d.text.WriteByte('\n')
	d.leaf("title", "Core map: "+totals, "id", "core-map-title")
	d.leaf("desc", "Every core of every host with the machine that owns it; pointing at a core names both.", "id", "core-map-desc")
	d.text.WriteString("\n<style>" + stylesheet + "</style>\n<defs>" + tiles + "</defs>\n")
	d.leaf("rect", "", "class", "ground", "width", "100%", "height", "100%")
	d.leaf("text", "Core map", "class", "heading", "x", margin, "y", margin+22)
	d.leaf("text", totals, "class", "muted", "x", margin, "y", margin+46)
	d.text.WriteByte('\n')
}

// The colours of machines are those of Okabe and Ito ("Color Universal Design", 2008) that dark text is readable on
// (4.5:1 and more), so that they are the same in light and dark.
const stylesheet = `
text{font:12.5px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:#1f2328}
.heading{font-size:22px;font-weight:600}
.host{font:600 16px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.label{font:600 11px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.cpu{font:10px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.muted,.faint{fill:#59636e}
.ink{fill:#1f2328}
.dark{fill:#111}
.badged{font-size:12px;font-weight:600;text-anchor:middle;fill:#111}
.ground{fill:#fff}
.card{fill:#f6f8fa;stroke:#d1d9e0}
.badge{fill:#e69f00}
.free{fill:#fff;stroke:#8c959f;stroke-dasharray:3 3}
.idle{fill:#fff;stroke:#59636e}
.drain{fill:#eaeef2;stroke:#8c959f;stroke-dasharray:1 3}
.pool{fill:#d1d9e0;stroke:#818b98}
.others{fill:#afb8c1;stroke:#59636e}
.drain-band{fill:url(#core-map-drain)}
.others-band{fill:url(#core-map-others)}
.glass{fill:#fff;fill-opacity:0}
g:hover>.glass{fill-opacity:.3}
.c0{fill:#56b4e9}.c1{fill:#e69f00}.c2{fill:#cc79a7}.c3{fill:#009e73}.c4{fill:#f0e442}.c5{fill:#d55e00}.groupless{fill:#c9bff0}
.p0{fill:#111;fill-opacity:.75}.p1{fill:url(#core-map-1)}.p2{fill:url(#core-map-2)}.p3{fill:url(#core-map-3)}.p4{fill:url(#core-map-4)}
@media (prefers-color-scheme:dark){
text,.ink{fill:#f0f6fc}
.muted,.faint{fill:#9198a1}
.ground{fill:#0d1117}
.card{fill:#151b23;stroke:#3d444d}
.free,.idle{fill:#0d1117;stroke:#656c76}
.drain{fill:#212830;stroke:#656c76}
.pool{fill:#3d444d;stroke:#656c76}
.others{fill:#59636e;stroke:#9198a1}
}
`

// tiles are the patterns of the bands.
const tiles = `
<pattern id="core-map-1" width="7" height="7" patternUnits="userSpaceOnUse"><path d="M-1 8L8 -1M-4.5 4.5L4.5 -4.5M2.5 11.5L11.5 2.5" stroke="#111" stroke-width="2"/></pattern>
<pattern id="core-map-2" width="7" height="5" patternUnits="userSpaceOnUse"><path d="M0 1.5H7" stroke="#111" stroke-width="2"/></pattern>
<pattern id="core-map-3" width="7" height="6" patternUnits="userSpaceOnUse"><circle cx="3.5" cy="3" r="1.8" fill="#111"/></pattern>
<pattern id="core-map-4" width="7" height="7" patternUnits="userSpaceOnUse"><path d="M2 0V7M5 0V7" stroke="#111" stroke-width="1.5"/></pattern>
<pattern id="core-map-drain" width="6" height="6" patternUnits="userSpaceOnUse"><path d="M-1 -1L7 7" stroke="#818b98" stroke-width="1.5"/></pattern>
<pattern id="core-map-others" width="6" height="6" patternUnits="userSpaceOnUse"><path d="M-1 -1L7 7M-1 7L7 -1" stroke="#818b98" stroke-width="1.5"/></pattern>
`
