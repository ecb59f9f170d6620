package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Refusal is why there is no placement. What is refused is sorted: hosts, groups and then machines, each by name.
type Refusal struct { //nolint:errname // it is what the documentation calls it
	Refused []Refused
}

// Refused is one thing for which there is no placement.
type Refused struct {
	Kind   string // "VM", "group" or "host"
	Name   string
	Like   []string     // further ones that have the same demands and are refused for the same reasons
	Cause  string       // a sentence; it ends in a colon if Hosts says more
	Hosts  []HostReason // one for each host, by name
	Remedy string       // what would help, in a sentence
}

// HostReason is why a host does not take a machine.
type HostReason struct {
	Host   string
	Reason string // such as "draining", or "needs 4 cores on one node; node 0 has 3 free, node 1 has 2"
}

// Error lists everything that is refused, each with its reasons.
func (r *Refusal) Error() string {
	texts := make([]string, len(r.Refused))
	for i, refused := range r.Refused {
		texts[i] = refused.Summary() + "\n" + refused.Detail()
	}

	return strings.Join(texts, "\n\n")
}

// Summary is one line that names what is refused.
func (r Refused) Summary() string { return fmt.Sprintf("Unable to place %s %q", r.Kind, r.Name) }

// Detail is the cause, a line for each host, and the remedy.
func (r Refused) Detail() string {
	var text strings.Builder

	text.WriteString(r.Cause + "\n")

	for _, line := range r.Hosts {
		fmt.Fprintf(&text, "  %s: %s\n", line.Host, line.Reason)
	}

	if len(r.Like) > 0 {
		fmt.Fprintf(&text, "The same holds for %s.\n", list(r.Like))
	}

	text.WriteString(r.Remedy)

	return text.String()
}

func (r *Refusal) add(kind, name, cause, remedy string) {
	r.Refused = append(r.Refused, Refused{Kind: kind, Name: name, Cause: cause, Remedy: remedy})
}

func (r *Refusal) sort() {
	slices.SortStableFunc(r.Refused, func(a, b Refused) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), strings.Compare(a.Name, b.Name), strings.Compare(a.Cause, b.Cause))
	})
}

// kinds are what can be refused, in the order in which they are listed.
var kinds = []string{"host", "group", "VM"}

// err is the refusal, or nil if nothing is refused.
func (r *Refusal) err() error {
	if len(r.Refused) == 0 {
		return nil
	}

	return r
}

// listed is how many names a sentence gives before it only counts.
const listed = 10

// list writes names as part of a sentence.
func list(names []string) string {
	if len(names) > listed+1 {
		return fmt.Sprintf("%s and %d others", strings.Join(names[:listed], ", "), len(names)-listed)
	}

	return enumerate(names, "and")
}

func enumerate(words []string, last string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	case 2:
		return words[0] + " " + last + " " + words[1]
	default:
		return strings.Join(words[:len(words)-1], ", ") + ", " + last + " " + words[len(words)-1]
	}
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

// size writes bytes exactly, in the largest unit that leaves no fraction.
func size(bytes uint64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}

	unit := 0
	for ; bytes > 0 && bytes%1024 == 0 && unit < len(units)-1; unit++ {
		bytes /= 1024
	}

	return fmt.Sprintf("%d %s", bytes, units[unit])
}

// count writes a number of things.
func count(number int, thing string) string {
	if number == 1 {
		return "1 " + thing
	}

	return fmt.Sprintf("%d %ss", number, thing)
}
