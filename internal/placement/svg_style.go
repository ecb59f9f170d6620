package placement

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Colours and patterns have no divisor in common, so that 30 styles differ.
const (
	colours  = 6
	patterns = 5
)

// style is how the machines of a group look, or a machine where none has a group.
type style int

// groupless is how machines without a group look where others have one.
const groupless style = -1

func (s style) colour() string {
	if s == groupless {
		return "groupless"
	}

	return "c" + strconv.Itoa(int(s)%colours)
}

func (s style) pattern() string { return "p" + strconv.Itoa(int(s)%patterns) }

// kin is machines that look alike, as the legend names them.
type kin struct {
	name  string
	style style
}

// stylesOf gives every group of the placed machines a style, by name; if no machine has a group, each gets its own. It
// returns the styles by machine and what the legend says.
func stylesOf(groups map[string]string, result Result) (map[string]style, []kin) {
	members := map[string][]string{}
	for _, machine := range slices.Sorted(maps.Keys(result.Assignments)) {
		members[groups[machine]] = append(members[groups[machine]], machine)
	}

	loners := members[""]
	delete(members, "")

	styles := map[string]style{}

	if len(members) == 0 {
		for i, machine := range loners {
			styles[machine] = style(i)
		}

		return styles, nil
	}

	var legend []kin

	for i, name := range slices.Sorted(maps.Keys(members)) {
		legend = append(legend, kin{name: "group " + shorten(plain(name), legendLetters), style: style(i)})

		for _, machine := range members[name] {
			styles[machine] = style(i)
		}
	}

	for _, machine := range loners {
		styles[machine] = groupless
	}

	if len(loners) > 0 {
		legend = append([]kin{{name: "no group", style: groupless}}, legend...)
	}

	return styles, legend
}

func (o owner) class() string {
	switch o.kind {
	case machineOwner:
		return "machine"
	case idleOwner:
		return "idle"
	case othersOwner:
		return "others"
	case poolOwner:
		return "pool"
	case drainOwner:
		return "drain"
	default:
		return "free"
	}
}

// ink is the class of text on the owner's ground: the machines' grounds are the same in light and dark.
func (o owner) ink() string {
	switch o.kind {
	case machineOwner:
		return "dark"
	case poolOwner, othersOwner:
		return "ink"
	default:
		return "faint"
	}
}

// short is the label where there is room for one word, and the legend says the rest.
func (o owner) short() string {
	switch o.kind {
	case machineOwner:
		return o.label
	case idleOwner:
		return "idle"
	case othersOwner:
		return "others"
	case poolOwner:
		return "pool"
	case drainOwner:
		return "closed"
	default:
		return "free"
	}
}

// legendEntry is one thing that the legend explains.
type legendEntry struct {
	owner owner
	style style
	text  string
	x, y  int
}

const (
	legendTop     = 92
	legendHeight  = 28
	legendKins    = 12 // a reader keeps no more apart by colour, and the cores bear names
	legendLetters = 24
)

// layLegend places what the legend explains in lines of the width, and returns below which height the hosts may begin.
func layLegend(kins []kin, width int) ([]legendEntry, int) {
	entries := []legendEntry{
		{owner: freeCPU, text: "free"},
		{owner: poolCPU, text: "shared pool"},
		{owner: takenCPU, text: "taken by others"},
		{owner: emptyCPU, text: "empty, host is draining"},
		{owner: owner{kind: idleOwner}, text: "idle sibling of a machine's CPU"},
	}

	for _, kin := range kins[:min(len(kins), legendKins)] {
		entries = append(entries, legendEntry{owner: owner{kind: machineOwner}, style: kin.style, text: kin.name})
	}

	if more := len(kins) - legendKins; more > 0 {
		entries[len(entries)-1].text += fmt.Sprintf(" and %s that a core names when pointed at", plural(more, "more group"))
	}

	if len(kins) == 0 {
		entries = append(entries, legendEntry{owner: owner{kind: machineOwner}, text: "machine"})
	}

	x, y := margin, legendTop

	for i := range entries {
		wide := 42 + 7*utf8.RuneCountInString(entries[i].text) + 20
		if x+wide > width-margin+20 && x > margin {
			x, y = margin, y+legendHeight
		}

		entries[i].x, entries[i].y = x, y
		x += wide
	}

	return entries, y + legendHeight + 8
}

func (d *drawing) legend(e legendEntry) {
	const swatchWidth, swatchHeight = 32, 18

	swatch := drawing{styles: map[string]style{"": e.style}}
	swatch.block(e.owner, "", e.x, e.y, swatchWidth, swatchHeight)
	d.text.WriteString(swatch.text.String())
	d.leaf("text", e.text, "class", "muted", "x", e.x+swatchWidth+8, "y", e.y+13)
}
