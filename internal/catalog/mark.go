package catalog

import (
	"maps"
	"strings"
	"time"
)

// MarkKey is the key of the meta data under which services and nodes carry our mark.
const MarkKey = "managed-by"

// Mark is what this provider writes to the meta data of what it registers: who it belongs to, and the settings that
// Consul has no place for.
type Mark struct {
	Owner string        // tells states apart; "" in what nobody's state has
	Wait  time.Duration // how long its creator waits for it to pass; 0 means not at all
	Drain time.Duration // how long it stays out of service before it is deregistered; 0 means not at all
	Force bool          // whether it is taken from others
}

// String renders the mark, such as "terraform-provider-hypervisor owner=1c9f drain=10s".
func (m Mark) String() string {
	words := []string{managedBy}

	for _, field := range []struct{ name, value string }{
		{"owner", m.Owner}, {"wait_for_passing", durationText(m.Wait)}, {"drain", durationText(m.Drain)},
	} {
		if field.value != "" {
			words = append(words, field.name+"="+field.value)
		}
	}

	if m.Force {
		words = append(words, "force")
	}

	return strings.Join(words, " ")
}

// readMark takes our mark out of meta data. found is whether there is one.
func readMark(meta map[string]string) (mark Mark, rest map[string]string, found bool) {
	words := strings.Fields(meta[MarkKey])
	if len(words) == 0 || words[0] != managedBy {
		return Mark{}, meta, false
	}

	for _, word := range words[1:] {
		switch name, value, _ := strings.Cut(word, "="); name {
		case "owner":
			mark.Owner = value
		case "wait_for_passing":
			mark.Wait = parsed(value, 0)
		case "drain":
			mark.Drain = parsed(value, 0)
		case "force":
			mark.Force = true
		}
	}

	rest = maps.Clone(meta)
	delete(rest, MarkKey)

	return mark, rest, true
}

// marked returns the meta data with the mark in it.
func (m Mark) marked(meta map[string]string) map[string]string {
	all := make(map[string]string, len(meta)+1)
	maps.Copy(all, meta)
	all[MarkKey] = m.String()

	return all
}

// sameSettings is equality but for the owner.
func (m Mark) sameSettings(other Mark) bool {
	m.Owner = other.Owner

	return m == other
}

// Foreign reports whether what carries the mark m belongs to another state than the one of the mark mine. Whoever forces
// takes from others, and what has no owner yet is anybody's.
func (m Mark) Foreign(mine Mark) bool {
	return m.Owner != "" && m.Owner != mine.Owner && !mine.Force
}
