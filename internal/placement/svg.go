package placement

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Sizes in the picture's units, which are pixels where nothing scales it.
const (
	margin      = 24
	cellWidth   = 76
	cellHeight  = 36
	lineHeight  = 14
	lineGap     = 2
	cellGap     = 4
	cellsPerRow = 8
	nodeGap     = 10
	nodeIndent  = 62
	cardPadding = 16
	cardHeader  = 62
	cardGap     = 20
	cardWidth   = 2*cardPadding + nodeIndent + cellsPerRow*(cellWidth+cellGap) - cellGap
	cardsPerRow = 2
	bandInset   = 3
	bandWidth   = 6
	textIndent  = bandInset + bandWidth + 4
	letterWidth = 6.7 // of the 11-unit monospaced font that names are in
)

// CoreMapSVG draws what CoreMap writes as a picture, two hosts side by side. It is readable in light and dark, as the
// viewer prefers, and without colour vision: what is owned is named, each colour has a band with a pattern beside it,
// and what no machine owns differs by words and border. The machines of a group share a colour and a pattern. Pointing
// at a core names it and its owner. The picture loads no font, script or other file.
func CoreMapSVG(fleet Fleet, result Result) string {
	hosts := mapHosts(fleet, result)
	columns := min(max(len(hosts), 1), cardsPerRow)
	width := 2*margin + columns*(cardWidth+cardGap) - cardGap

	groups := map[string]string{}
	for _, machine := range fleet.Machines {
		groups[machine.Name] = machine.Group
	}

	styles, kins := stylesOf(groups, result)
	entries, top := layLegend(kins, width)

	places, height := layCards(hosts, columns, top)

	picture := drawing{styles: styles, groups: groups}
	picture.start(width, height+margin, fleetTotals(hosts, result))

	for _, entry := range entries {
		picture.legend(entry)
	}

	for i, host := range hosts {
		picture.card(host, places[i].x, places[i].y)
	}

	picture.end("svg")

	return picture.text.String()
}

type place struct{ x, y int }

// layCards puts each host below what ends highest, so that a small one leaves no hole beside a large one, and returns
// where the last one ends.
func layCards(hosts []mappedHost, columns, top int) ([]place, int) {
	ends := slices.Repeat([]int{top}, columns)
	places := make([]place, len(hosts))

	for i, host := range hosts {
		column := slices.Index(ends, slices.Min(ends))
		places[i] = place{x: margin + column*(cardWidth+cardGap), y: ends[column]}
		ends[column] += host.height() + cardGap
	}

	return places, slices.Max(ends) - cardGap
}

func fleetTotals(hosts []mappedHost, result Result) string {
	cores, free := 0, 0

	for _, host := range hosts {
		for _, node := range host.nodes {
			cores += len(node.cores)

			for _, core := range node.cores {
				if core.kind() == nobody {
					free++
				}
			}
		}
	}

	return fmt.Sprintf("%s with %s, %d of %s free",
		plural(len(hosts), "host"), plural(len(result.Assignments), "machine"), free, plural(cores, "core"))
}

func (n mappedNode) height() int {
	if len(n.cores) == 0 {
		return 20 // one line of text
	}

	rows := (len(n.cores) + cellsPerRow - 1) / cellsPerRow

	return rows*(n.cellHeight()+cellGap) - cellGap
}

// cellHeight leaves a line to each thread of a core that several have.
func (n mappedNode) cellHeight() int {
	height := cellHeight

	for _, core := range n.cores {
		if _, whole := core.whole(); !whole {
			height = max(height, core.cpus.Len()*(lineHeight+lineGap)-lineGap)
		}
	}

	return height
}

func (h mappedHost) height() int {
	height := cardHeader + cardPadding - nodeGap
	for _, node := range h.nodes {
		height += node.height() + nodeGap
	}

	return height
}

func (d *drawing) card(host mappedHost, x, y int) {
	name := plain(host.name)

	d.begin("g", "role", "group", "aria-label", name+": "+host.totals())
	d.leaf("rect", "", "class", "card", "x", x, "y", y, "width", cardWidth, "height", host.height(), "rx", 8)

	room := cardWidth - 2*cardPadding
	if host.draining {
		room -= 90
		d.leaf("rect", "", "class", "badge", "x", x+cardWidth-cardPadding-78, "y", y+13, "width", 78, "height", 20, "rx", 10)
		d.leaf("text", "draining", "class", "badged", "x", x+cardWidth-cardPadding-39, "y", y+27)
	}

	d.leaf("text", shorten(name, room/10), "class", "host", "x", x+cardPadding, "y", y+28)
	d.leaf("text", host.totals(), "class", "muted", "x", x+cardPadding, "y", y+47)

	y += cardHeader

	for _, node := range host.nodes {
		d.node(host, node, x+cardPadding, y)
		y += node.height() + nodeGap
	}

	d.end("g")
	d.text.WriteByte('\n') // a host is a line, for the picture to have few of them
}

func (d *drawing) node(host mappedHost, node mappedNode, x, y int) {
	height := node.cellHeight()
	d.leaf("text", "node "+strconv.Itoa(node.id), "class", "muted", "x", x, "y", y+14)

	if len(node.cores) == 0 {
		d.leaf("text", "memory only", "class", "muted", "x", x+nodeIndent, "y", y+14)
	}

	at := 0

	for _, run := range node.runs(cellsPerRow) {
		left := x + nodeIndent + at%cellsPerRow*(cellWidth+cellGap)
		top := y + at/cellsPerRow*(height+cellGap)
		at += len(run)

		held, whole := run[0].whole()
		if whole && held.kind == machineOwner { // one block, for the name to have room
			d.block(held, held.label, left, top, len(run)*(cellWidth+cellGap)-cellGap, height)
		}

		for i, core := range run {
			d.core(host, node, core, left+i*(cellWidth+cellGap), top, height)
		}
	}
}

// core draws what is of one core alone: its numbers, its owner unless a block of cores shows it, and what pointing at it
// tells.
func (d *drawing) core(host mappedHost, node mappedNode, core mappedCore, x, y, height int) {
	held, whole := core.whole()
	cpus := core.cpus.CPUs()

	d.begin("g")
	d.leaf("title", fmt.Sprintf("%s, node %d, CPU %s: %s", plain(host.name), node.id, core.cpus, d.told(core)))

	switch {
	case !whole:
		line := (height+lineGap)/len(cpus) - lineGap

		for i, cpu := range cpus {
			label := strconv.Itoa(cpu) + " " + core.owners[i].short()
			d.block(core.owners[i], label, x, y+i*(line+lineGap), cellWidth, line)
		}
	case held.kind != machineOwner:
		d.block(held, held.short(), x, y, cellWidth, height)
	default: // something to point at
		d.leaf("rect", "", "class", "glass", "x", x, "y", y, "width", cellWidth, "height", height)
	}

	if whole {
		numbers := shorten(core.cpus.String(), (cellWidth-textIndent-2)/6)
		d.leaf("text", numbers, "class", "cpu "+held.ink(), "x", x+textIndent, "y", y+29)
	}

	d.end("g")
}

// told is the core's label, with the group if the core is one machine's.
func (d *drawing) told(core mappedCore) string {
	held, whole := core.whole()
	if group := d.groups[held.machine]; whole && group != "" {
		return core.label() + " of group " + plain(group)
	}

	return core.label()
}

// block draws a rectangle that one owner has.
func (d *drawing) block(held owner, label string, x, y, width, height int) {
	class := held.class()
	style := d.styles[held.machine]

	if held.kind == machineOwner {
		class += " " + style.colour()
	}

	d.leaf("rect", "", "class", class, "x", x, "y", y, "width", width, "height", height, "rx", 4)

	switch held.kind {
	case idleOwner:
		d.band(style.colour(), x, y, height)
	case machineOwner:
		if style != groupless {
			d.band(style.pattern(), x, y, height)
		}
	case othersOwner, drainOwner:
		d.band(class+"-band", x, y, height)
	case nobody, poolOwner:
	}

	if label == "" {
		return
	}

	line := y + 15
	if height < cellHeight {
		line = y + height/2 + 4
	}

	letters := int(float64(width-textIndent-1) / letterWidth)
	d.leaf("text", shorten(label, letters), "class", "label "+held.ink(), "x", x+textIndent, "y", line)
}

func (d *drawing) band(class string, x, y, height int) {
	d.leaf("rect", "", "class", class,
		"x", x+bandInset, "y", y+bandInset, "width", bandWidth, "height", max(0, height-2*bandInset))
}

// shorten leaves out the middle of a text that is longer than the letters that fit, because names of machines differ
// at their ends.
func shorten(text string, letters int) string {
	if utf8.RuneCountInString(text) <= letters {
		return text
	}

	runes := []rune(text)
	tail := (letters - 1) / 2

	return string(runes[:letters-1-tail]) + "…" + string(runes[len(runes)-tail:])
}
