package placement

import (
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

// style is how the machines of a group look, or a machine that has none.
type style int

func (s style) colour() string  { return "c" + strconv.Itoa(int(s)%colours) }
func (s style) pattern() string { return "p" + strconv.Itoa(int(s)%patterns) }

// grouped is a group that has machines, as the legend names it.
type grouped struct {
	name  string
	style style
}

// stylesOf gives every group a style, and then every machine that has no group, both by name. It returns the styles by
// machine and the groups.
func stylesOf(fleet Fleet, result Result) (map[string]style, []grouped) {
	groupOf := map[string]string{}
	for _, machine := range fleet.Machines {
		groupOf[machine.Name] = machine.Group
	}

	members := map[string]bool{}
	for machine := range result.Assignments {
		members[groupOf[machine]] = true
	}

	delete(members, "")

	var groups []grouped

	styleOf := map[string]style{}
	for i, name := range slices.Sorted(maps.Keys(members)) {
		groups = append(groups, grouped{name: name, style: style(i)})
		styleOf[name] = style(i)
	}

	styles, next := map[string]style{}, style(len(groups))

	for _, machine := range slices.Sorted(maps.Keys(result.Assignments)) {
		if group := groupOf[machine]; group != "" {
			styles[machine] = styleOf[group]

			continue
		}

		styles[machine] = next
		next++
	}

	return styles, groups
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

// entry is one thing that the legend explains.
type entry struct {
	owner owner
	style style
	text  string
	x, y  int
}

const (
	legendTop    = 92
	legendHeight = 28
	legendWidest = 12 // groups; a reader keeps no more apart by colour, and the names are on the cores
)

// layLegend places what the legend explains in lines of the width, and returns below which height the hosts may begin.
func layLegend(groups []grouped, width int) ([]entry, int) {
	entries := []entry{
		{owner: freeCPU, text: "free"},
		{owner: poolCPU, text: "shared pool"},
		{owner: takenCPU, text: "taken by others"},
		{owner: emptyCPU, text: "empty, host is draining"},
		{owner: owner{kind: idleOwner}, text: "idle sibling of a machine's CPU"},
	}

	for _, group := range groups[:min(len(groups), legendWidest)] {
		machine := owner{kind: machineOwner}
		entries = append(entries, entry{owner: machine, style: group.style, text: "group " + shorten(plain(group.name), 24)})
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

func (d *drawing) legend(e entry) {
	const swatchWidth, swatchHeight = 32, 18

	swatch := drawing{styles: map[string]style{"": e.style}}
	swatch.block(e.owner, "", e.x, e.y, swatchWidth, swatchHeight)
	d.text.WriteString(swatch.text.String())
	d.leaf("text", e.text, "class", "muted", "x", e.x+swatchWidth+8, "y", e.y+13)
}
