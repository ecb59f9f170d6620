package kongtest

import (
	"cmp"
	"fmt"
	"slices"
)

// kind is the type of a field as Kong's schemas name it.
type kind int

const (
	stringKind kind = iota + 1
	integerKind
	numberKind
	booleanKind
	setKind     // a list that drops what it already holds
	arrayKind   // a list that keeps everything
	mapKind     // free keys, one type of value
	recordKind  // fixed keys
	foreignKind // {"id": ...} of a row in another collection
)

// check judges a value that has the right kind. It returns Kong's words for what is wrong, or "".
type check func(value any) string

// field is one field of a schema.
type field struct {
	name     string
	kind     kind
	required bool
	initial  any     // the value of a field that the client left out
	element  *field  // of a set, an array, a map
	fields   []field // of a record
	refers   string  // the collection that a foreign key points into
	cascade  bool    // a row goes when the row that it refers to goes; without it, it forbids that
	blank    bool    // the empty string is a value
	secret   bool    // kept encrypted by an Enterprise edition, and never to be shown
	made     bool    // a random text stands in for what the client left out
	checks   []check
	short    []shorthand // of a record
}

// shorthand is an older name for a field deeper inside a record.
type shorthand struct {
	name  string
	to    []string
	shown bool // in answers too
}

// entity is the schema of one collection, and all that sets it apart from the others.
type entity struct {
	name    string
	path    string // of the collection, "" for its name
	below   string // of the collection below a parent, "" for its path
	key     string // the field that can stand for the id in a path
	fields  []field
	unique  [][]string
	scoped  []string // unique together, with null as a value like others
	filters []string // fields that a list can be narrowed by
	notNull []string // columns that the database refuses to leave empty although the schema lets null pass

	nested      bool // reached below its parent only
	updateOnly  bool // a PUT changes what exists and never creates
	newestFirst bool // lists begin with the row created last instead of the lowest id
	fractions   bool // times carry milliseconds
	createdOnly bool // no time of the last change
	mortal      bool // rows vanish ttl seconds after they were written

	rewrite func(input map[string]any)                                   // shorthands, before defaults are filled in
	settle  func(values map[string]any)                                  // what Kong decides by itself, before it checks
	inspect func(values map[string]any, updating bool, found violations) // rules between fields
	variant func(values map[string]any) []field                          // the fields, where they depend on the values
	refuse  func(values map[string]any) violations                       // what makes all other checks pointless
	digest  func(values, given map[string]any)                           // after all checks, before the row is stored
	present func(s *Server, values map[string]any) map[string]any        // what an answer shows of a row
}

func (e *entity) field(name string) *field { return lookup(e.fields, name) }

func (e *entity) at() string { return cmp.Or(e.path, e.name) }

func (e *entity) nestedAt() string { return cmp.Or(e.below, e.at()) }

func (e *entity) of(values map[string]any) []field {
	if e.variant == nil {
		return e.fields
	}

	return e.variant(values)
}

func lookup(fields []field, name string) *field {
	index := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
	if index < 0 {
		return nil
	}

	return &fields[index]
}

// complete fills in what the client left out; null stays null. Lists that are sets lose their duplicates.
func complete(fields []field, values map[string]any) {
	for _, f := range fields {
		value, given := values[f.name]
		if !given {
			value = clone(f.initial)
		}
		if !given && f.kind == recordKind && f.required {
			value = map[string]any{}
		}
		values[f.name] = f.complete(value)
	}
}

func (f *field) complete(value any) any {
	switch f.kind {
	case recordKind:
		if record, ok := value.(map[string]any); ok {
			expand(f.short, record)
			complete(f.fields, record)
		}
	case mapKind:
		if parts, ok := value.(map[string]any); ok {
			for key := range parts {
				parts[key] = f.element.complete(parts[key])
			}
		}
	case setKind, arrayKind:
		list, ok := value.([]any)
		if !ok {
			return value
		}
		if f.kind == setKind {
			list = distinct(list)
		}
		for i := range list {
			list[i] = f.element.complete(list[i])
		}

		return list
	}

	return value
}

// expand moves what was given under older names to where it belongs.
func expand(shorthands []shorthand, record map[string]any) {
	for _, short := range shorthands {
		value, given := record[short.name]
		delete(record, short.name)

		if !given || value == nil {
			continue
		}

		into := record
		for _, name := range short.to[:len(short.to)-1] {
			below, ok := into[name].(map[string]any)
			if !ok {
				below = map[string]any{}
				into[name] = below
			}
			into = below
		}
		into[short.to[len(short.to)-1]] = value
	}
}

func distinct(list []any) []any {
	kept := []any{}
	for _, value := range list {
		if !slices.ContainsFunc(kept, func(other any) bool { return fmt.Sprint(other) == fmt.Sprint(value) }) {
			kept = append(kept, value)
		}
	}

	return kept
}

// merge lays a patch over stored values: records are merged, everything else is replaced.
func merge(fields []field, stored, patch map[string]any) map[string]any {
	merged := cloneMap(stored)
	for name, value := range patch {
		f := lookup(fields, name)
		below, isRecord := value.(map[string]any)
		current, had := merged[name].(map[string]any)
		if f != nil && f.kind == recordKind && isRecord && had {
			merged[name] = merge(f.fields, current, below)

			continue
		}
		merged[name] = value
	}

	return merged
}

// validate returns what is wrong with each field, keyed by name, in the shape of Kong's "fields".
func validate(fields []field, values map[string]any) violations {
	found := violations{}
	for name := range values {
		if lookup(fields, name) == nil {
			found[name] = "unknown field"
		}
	}

	for _, f := range fields {
		if problem := f.validate(values[f.name]); problem != nil {
			found[f.name] = problem
		}
	}

	return found
}

// validate returns nil, a text, or for what has parts the problems of the parts.
func (f *field) validate(value any) any {
	if value == nil {
		if f.required {
			return "required field missing"
		}

		return nil
	}

	if problem := f.validateKind(value); problem != nil {
		return problem
	}

	for _, check := range f.checks {
		if text := check(value); text != "" {
			return text
		}
	}

	return nil
}

func (f *field) validateKind(value any) any {
	switch f.kind {
	case stringKind:
		text, ok := value.(string)
		if !ok {
			return "expected a string"
		}
		if text == "" && !f.blank {
			return "length must be at least 1"
		}
	case integerKind:
		number, ok := value.(float64)
		if !ok || number != float64(int64(number)) {
			return "expected an integer"
		}
	case numberKind:
		if _, ok := value.(float64); !ok {
			return "expected a number"
		}
	case booleanKind:
		if _, ok := value.(bool); !ok {
			return "expected a boolean"
		}
	default:
		return f.validateParts(value)
	}

	return nil
}

func (f *field) validateParts(value any) any {
	list, isList := value.([]any)
	parts, isMap := value.(map[string]any)

	switch {
	case f.kind == setKind && !isList:
		return "expected a set"
	case f.kind == arrayKind && !isList:
		return "expected an array"
	case f.kind == mapKind && !isMap:
		return "expected a map"
	case f.kind == recordKind && !isMap:
		return "expected a record"
	case f.kind == recordKind:
		if found := validate(f.fields, parts); len(found) > 0 {
			return map[string]any(found)
		}
	case f.kind == foreignKind:
		if parts["id"] == nil && len(parts) == 0 {
			return map[string]any{"id": "missing primary key"}
		}
	case f.kind == mapKind:
		for _, key := range sortedKeys(parts) {
			if problem := f.element.validate(parts[key]); problem != nil {
				return problem
			}
		}
	default:
		return f.validateElements(list)
	}

	return nil
}

// validateElements answers like Kong with a list that has a hole (null) for every element before the wrong one.
func (f *field) validateElements(list []any) any {
	var problems []any
	for i, value := range list {
		if problem := f.element.validate(value); problem != nil {
			problems = append(problems, make([]any, i-len(problems))...)
			problems = append(problems, problem)
		}
	}
	if problems == nil {
		return nil
	}

	return problems
}

func cloneMap(values map[string]any) map[string]any {
	copied := make(map[string]any, len(values))
	for key, value := range values {
		copied[key] = clone(value)
	}

	return copied
}

func clone(value any) any {
	switch value := value.(type) {
	case map[string]any:
		return cloneMap(value)
	case []any:
		copied := make([]any, len(value))
		for i, below := range value {
			copied[i] = clone(below)
		}

		return copied
	default:
		return value
	}
}
