package traefik

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// setting is one setting of a middleware: its kind and, of a group, what is inside.
type setting struct {
	kind   settingKind
	fields map[string]setting
}

type settingKind int

const (
	text settingKind = iota + 1
	number
	truth
	duration // a number of seconds or a text with a unit
	pattern  // a regular expression
	list     // of texts
	networks // a list of addresses and prefixes
	table    // texts by names of the user's
	group
)

// encode writes a value as keys below a path. A group without anything in it is a switch.
func encode(keys map[string]string, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, below := range value {
			encode(keys, path+"/"+name, below)
		}
		if len(value) == 0 {
			keys[path] = "true"
		}
	case []any:
		for i, below := range value {
			encode(keys, path+"/"+strconv.Itoa(i), below)
		}
	case float64:
		keys[path] = strconv.FormatFloat(value, 'f', -1, 64)
	case nil:
	default:
		keys[path] = fmt.Sprint(value)
	}
}

// node is a key or a folder of keys.
type node struct {
	value    string
	children map[string]*node
}

func treeOf(keys map[string]string) *node {
	root := &node{}
	for path, value := range keys {
		at := root
		for name := range strings.SplitSeq(path, "/") {
			if at.children == nil {
				at.children = map[string]*node{}
			}
			if at.children[name] == nil {
				at.children[name] = &node{}
			}
			at = at.children[name]
		}
		at.value = value
	}

	return root
}

// decode reads a value of the kind of a setting; what is not of that kind is a text. Names that no setting has are kept,
// and those of settings are found whatever their case, as Traefik does.
func decode(of setting, n *node) any {
	switch of.kind {
	case number:
		if value, err := strconv.ParseFloat(n.value, 64); err == nil {
			return value
		}
	case truth:
		if value, err := strconv.ParseBool(n.value); err == nil {
			return value
		}
	case list, networks:
		return n.texts()
	case table:
		values := map[string]any{}
		for name, child := range n.children {
			values[name] = child.value
		}

		return values
	case group:
		values := map[string]any{}
		for name, child := range n.children {
			if known := canonical(maps.Keys(of.fields), name); known != "" {
				values[known] = decode(of.fields[known], child)
			} else {
				values[name] = child.value
			}
		}

		return values
	}

	return n.value
}

// texts is a list, whether it stands in one key or in numbered ones.
func (n *node) texts() []any {
	values := []any{}
	if n.children == nil {
		for value := range strings.SplitSeq(n.value, ",") {
			values = append(values, strings.TrimSpace(value))
		}

		return values
	}

	byNumber := slices.SortedFunc(maps.Keys(n.children), func(a, b string) int {
		first, err := strconv.Atoi(a)
		second, other := strconv.Atoi(b)
		if err != nil || other != nil {
			return strings.Compare(a, b)
		}

		return first - second
	})
	for _, name := range byNumber {
		values = append(values, n.children[name].value)
	}

	return values
}

// check tells what of a value does not fit the setting.
func (s setting) check(at string, value any) []gateway.Unsupported {
	refuse := func(reason string) []gateway.Unsupported {
		return []gateway.Unsupported{{Attribute: at, Reason: reason}}
	}

	switch s.kind {
	case group, table:
		values, ok := value.(map[string]any)
		if !ok {
			return refuse("Write settings in braces.")
		}

		return s.checkInside(at, values)
	case list, networks:
		values, ok := value.([]any)
		if !ok || len(values) == 0 {
			return refuse("Write a list with at least one text.")
		}
		for i, element := range values {
			if problem := checkText(s.kind, element); problem != "" {
				return refuse(fmt.Sprintf("Element %d: %s", i, problem))
			}
		}
	case number:
		if number, ok := value.(float64); !ok || number != float64(int64(number)) {
			return refuse("Write a whole number.")
		}
	case truth:
		if _, ok := value.(bool); !ok {
			return refuse("Write true or false.")
		}
	default:
		if problem := checkText(s.kind, value); problem != "" {
			return refuse(problem)
		}
	}

	return nil
}

func (s setting) checkInside(at string, values map[string]any) []gateway.Unsupported {
	var found []gateway.Unsupported

	for _, name := range slices.Sorted(maps.Keys(values)) {
		inside, known := s.fields[name]
		path := at + "." + name

		switch {
		case values[name] == nil:
		case s.kind == table:
			if _, isText := values[name].(string); !isText || name == "" || strings.Contains(name, "/") {
				found = append(found, gateway.Unsupported{Attribute: path, Reason: "Write texts by names without slashes."})
			}
		case !known:
			found = append(found, gateway.Unsupported{
				Attribute: path, Reason: "There is no such setting. Those that there are: " + strings.Join(slices.Sorted(maps.Keys(s.fields)), ", ") + ".",
			})
		default:
			found = append(found, inside.check(path, values[name])...)
		}
	}

	return found
}

// checkText says what is wrong with a text, and does not repeat it: it may be a secret.
func checkText(kind settingKind, value any) string {
	if _, isNumber := value.(float64); isNumber && kind == duration {
		return ""
	}

	content, ok := value.(string)
	if !ok {
		return "Write a text."
	}

	switch kind {
	case duration:
		if _, err := time.ParseDuration(content); err != nil {
			return `Write a duration such as "10s".`
		}
	case pattern:
		if _, err := regexp.Compile(content); err != nil {
			return "Write a regular expression in Go's syntax."
		}
	case networks:
		if _, err := netip.ParseAddr(content); err != nil {
			if _, err := netip.ParsePrefix(content); err != nil {
				return `Write an IP address or a prefix such as "10.0.0.0/8".`
			}
		}
	}

	return ""
}

// canonical finds a name among others whatever its case, "" if it is not there.
func canonical(names func(func(string) bool), wanted string) string {
	for name := range names {
		if strings.EqualFold(name, wanted) {
			return name
		}
	}

	return ""
}
