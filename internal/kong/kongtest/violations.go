package kongtest

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The codes that Kong puts into an error's body.
const (
	codeSchema     = 2
	codePrimaryKey = 3
	codeForeignKey = 4
	codeUnique     = 5
	codeNotFound   = 6
	codeOffset     = 7
	codeSize       = 9
	codeBadKey     = 10
	codeOptions    = 11
	codeReadOnly   = 12
	codeUnresolved = 13
	codeConfig     = 14
	codeReferenced = 19
)

// wholeEntity is the key under which Kong reports a broken rule between fields.
const wholeEntity = "@entity"

// violations says what is wrong, by field.
type violations map[string]any

func (v violations) entity(text string) {
	list, _ := v[wholeEntity].([]any)
	v[wholeEntity] = append(list, text)
}

// conditional reports a broken rule of the form "if this field has that value, another one must ...".
func (v violations) conditional(given, broken, text string) {
	v.entity("failed conditional validation given value of field '" + given + "'")
	v[broken] = text
}

// lines spells the violations as Kong's message does: rules between fields first, then fields by name, a nested field
// with its parent's name before it and everything deeper as a Lua table.
func (v violations) lines() []string {
	var lines []string
	entity, _ := v[wholeEntity].([]any)
	for _, text := range entity {
		lines = append(lines, fmt.Sprint(text))
	}

	for _, name := range sortedKeys(v) {
		if name == wholeEntity {
			continue
		}

		switch problem := v[name].(type) {
		case map[string]any:
			for _, below := range sortedKeys(problem) {
				lines = append(lines, name+"."+below+": "+lua(problem[below], ""))
			}
		case []any:
			for i, below := range problem {
				if below != nil {
					lines = append(lines, name+"."+strconv.Itoa(i+1)+": "+lua(below, ""))
				}
			}
		default:
			lines = append(lines, fmt.Sprintf("%s: %v", name, problem))
		}
	}

	return lines
}

// lua spells a nested problem as Kong's pretty printer does; a plain text at the top stays as it is.
func lua(value any, indent string) string {
	deeper := indent + "  "
	var entries []string

	switch value := value.(type) {
	case map[string]any:
		for _, key := range sortedKeys(value) {
			entries = append(entries, deeper+luaKey(key)+" = "+luaValue(value[key], deeper))
		}
	case []any:
		whole := true // a list without holes so far has no keys
		for i, element := range value {
			switch {
			case element == nil:
				whole = false
			case whole:
				entries = append(entries, deeper+luaValue(element, deeper))
			default:
				entries = append(entries, fmt.Sprintf("%s[%d] = %s", deeper, i+1, luaValue(element, deeper)))
			}
		}
	default:
		return fmt.Sprint(value)
	}

	return "{\n" + strings.Join(entries, ",\n") + "\n" + indent + "}"
}

func luaValue(value any, indent string) string {
	text := lua(value, indent)
	if _, plain := value.(string); plain {
		return strconv.Quote(text)
	}

	return text
}

var luaName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func luaKey(key string) string {
	if luaName.MatchString(key) {
		return key
	}

	return `["` + key + `"]`
}

// answer is what a request gets: a status and, unless body is nil, a JSON body.
type answer struct {
	status int
	body   any
}

var (
	notFound   = answer{http.StatusNotFound, map[string]any{"message": "Not found"}}
	notAllowed = answer{http.StatusMethodNotAllowed, map[string]any{"message": "Method not allowed"}}
	unexpected = answer{http.StatusInternalServerError, map[string]any{"message": "An unexpected error occurred"}}
	noContent  = answer{http.StatusNoContent, nil}
)

func failure(status, code int, name, message string, fields any) answer {
	body := map[string]any{"name": name, "message": message, "code": code}
	if fields != nil {
		body["fields"] = fields
	}

	return answer{status, body}
}

func schemaViolation(found violations) answer {
	lines := found.lines()
	count := "schema violation"
	if len(lines) > 1 {
		count = strconv.Itoa(len(lines)) + " schema violations"
	}

	return failure(http.StatusBadRequest, codeSchema, "schema violation", count+" ("+strings.Join(lines, "; ")+")", map[string]any(found))
}

func primaryKeyViolation(id any) answer {
	keys := map[string]any{"id": id}

	return failure(http.StatusBadRequest, codePrimaryKey, "primary key violation", "primary key violation on key '"+spell(keys)+"'", keys)
}

func uniqueViolation(keys map[string]any) answer {
	return failure(http.StatusConflict, codeUnique, "unique constraint violation", "UNIQUE violation detected on '"+spell(keys)+"'", keys)
}

// spell writes keys as Kong's messages do: {name="web",upstream={id="..."}}.
func spell(keys map[string]any) string {
	var parts []string
	for _, key := range sortedKeys(keys) {
		if below, nested := keys[key].(map[string]any); nested {
			parts = append(parts, key+"="+spell(below))
		} else if keys[key] == nil {
			parts = append(parts, key+"=null")
		} else {
			parts = append(parts, fmt.Sprintf("%s=%q", key, keys[key]))
		}
	}

	return "{" + strings.Join(parts, ",") + "}"
}

func sortedKeys[M ~map[string]V, V any](m M) []string {
	return slices.Sorted(maps.Keys(m))
}

// atLeastOne asks for a value in one of some fields, which may lie inside a record ("config.allow").
func (v violations) atLeastOne(values map[string]any, updating bool, names ...string) {
	for _, name := range names {
		if !isEmpty(dig(values, name)) {
			return
		}
	}

	prefix := ""
	if updating {
		prefix = "when updating, "
	}
	v.entity(prefix + "at least one of these fields must be non-empty: " + quoted(names))
}

// dig reads a value by its path.
func dig(values map[string]any, path string) any {
	var value any = values
	for name := range strings.SplitSeq(path, ".") {
		below, _ := value.(map[string]any)
		value = below[name]
	}

	return value
}
