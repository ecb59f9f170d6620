package placement

import (
	"fmt"
	"strconv"
	"strings"
)

// maxCoreLines is how many cores a map draws on a line each: 32 hosts of 64 threads, whose map is below the 64 KiB at
// which review tools cut a comment. A plan prints every line of a text that changes, and OpenTofu 1.12 compares old
// lines with new ones by a table of all pairs: a plan takes 0.2 s and 0.1 GiB with 1,000 lines, 1 s and 0.2 GiB with
// 3,000, and 12 s and 2.6 GiB with 12,000. In a larger fleet a NUMA node is a line. The hardware alone decides it, so no
// machine changes how a map is laid out.
const maxCoreLines = 1024

// CoreMap draws every host, node and core with its owner, for a plan to show line by line what moves. A host is a line
// with its totals and then one line for each core, or for each NUMA node in a fleet of more than 1,024 cores. Every
// line names its host and its CPUs, so that the changed lines can be read without the others. A machine changes only
// the lines of its cores, or of its nodes, and the totals of its host: nothing else depends on machines, not even the
// width of a column. Where machines were before does not show either, or an applied map would change once more.
//
// Owners are names of machines, quoted as in Go if they are more than ASCII letters, digits, ".", "_" and "-"; what no
// machine owns is in parentheses.
func CoreMap(fleet Fleet, result Result) string {
	hosts := mapHosts(fleet, result)

	cores := 0
	for _, host := range hosts {
		cores += host.cores()
	}

	var text strings.Builder

	for _, host := range hosts {
		fmt.Fprintf(&text, "%s: %s\n", plain(host.name), host.totals())

		if cores > maxCoreLines {
			writeNodes(&text, host)
		} else {
			writeCores(&text, host)
		}
	}

	return text.String()
}

func writeCores(text *strings.Builder, host mappedHost) {
	nodeWidth, cpuWidth := 0, 0 // a host's own, so that another host changes none of its lines

	for _, node := range host.nodes {
		nodeWidth = max(nodeWidth, len(strconv.Itoa(node.id)))
		for _, core := range node.cores {
			cpuWidth = max(cpuWidth, len(core.cpus.String()))
		}
	}

	for _, node := range host.nodes {
		if len(node.cores) == 0 {
			fmt.Fprintf(text, "  %s node %-*d (memory only)\n", plain(host.name), nodeWidth, node.id)
		}

		for _, core := range node.cores {
			fmt.Fprintf(text, "  %s node %-*d cpu %-*s  %s\n",
				plain(host.name), nodeWidth, node.id, cpuWidth, core.cpus, core.label())
		}
	}
}

func writeNodes(text *strings.Builder, host mappedHost) {
	for _, node := range host.nodes {
		fmt.Fprintf(text, "  %s node %d: ", plain(host.name), node.id)

		if len(node.cores) == 0 {
			text.WriteString("(memory only)")
		}

		for i, run := range node.runs(len(node.cores)) {
			if i > 0 {
				text.WriteString("; ")
			}

			if _, whole := run[0].whole(); whole {
				fmt.Fprintf(text, "%s ", cpusOf(run))
			}

			text.WriteString(run[0].label())
		}

		text.WriteByte('\n')
	}
}

// label names the owner of the core, or for each of its CPUs the owner if they have several.
func (c mappedCore) label() string {
	if owner, whole := c.whole(); whole {
		return owner.label
	}

	labels := make([]string, len(c.owners))
	for i, cpu := range c.cpus.CPUs() {
		labels[i] = strconv.Itoa(cpu) + " " + c.owners[i].label
	}

	return strings.Join(labels, ", ")
}

// totals counts the host's cores by who has them. A core that a machine has a thread of counts as the machine's.
func (h mappedHost) totals() string {
	var cores [machineOwner + 1]int

	all, threads := 0, 0

	for _, node := range h.nodes {
		for _, core := range node.cores {
			all++

			kind := core.kind()
			cores[kind]++

			for _, owner := range core.owners {
				if owner.kind == nobody && kind != nobody {
					threads++
				}
			}
		}
	}

	text := fmt.Sprintf("%d of %s free", cores[nobody], plural(all, "core"))
	if h.draining {
		text = "draining, " + text
	}

	if threads > 0 {
		text += " and " + plural(threads, "thread")
	}

	if machines := cores[machineOwner] + cores[idleOwner]; machines > 0 {
		text += fmt.Sprintf(", %d with %s", machines, plural(h.machines, "machine"))
	}

	for _, kind := range []ownerKind{poolOwner, othersOwner, drainOwner} {
		if cores[kind] > 0 {
			text += fmt.Sprintf(", %d %s", cores[kind], map[ownerKind]string{
				poolOwner: "in the shared pool", othersOwner: "taken by others", drainOwner: "empty",
			}[kind])
		}
	}

	return text
}

func plural(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}

	return strconv.Itoa(count) + " " + noun + "s"
}

// plain returns the name as it is if it cannot be taken for anything else, and quoted in ASCII if it can: a name with a
// line break would draw cores that do not exist, one that turns the direction of writing would swap what surrounds it.
func plain(name string) string {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("._-", r)) {
			return strconv.QuoteToASCII(name)
		}
	}

	if name == "" {
		return `""`
	}

	return name
}
