package kongtest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// row is one entity in the store.
type row struct {
	id     string
	values map[string]any
	order  int // rises with every row that is created
}

func isID(text string) bool {
	_, err := uuid.Parse(text)

	return err == nil && len(text) == len(uuid.Nil.String())
}

// scope narrows a collection to the rows whose foreign key has one value.
type scope struct {
	field string
	id    string
}

func (s scope) holds(r *row) bool { return s.field == "" || reference(r.values[s.field]) == s.id }

func reference(value any) string {
	keys, _ := value.(map[string]any)
	id, _ := keys["id"].(string)

	return id
}

// rows lists a collection by id, or from the newest to the oldest where Kong does so.
func (s *Server) rows(e *entity, within scope, byID bool) []*row {
	var rows []*row
	for _, r := range s.store[e.name] {
		if within.holds(r) {
			rows = append(rows, r)
		}
	}

	slices.SortFunc(rows, func(a, b *row) int {
		if e.newestFirst && !byID {
			return cmp.Compare(b.order, a.order)
		}

		return strings.Compare(a.id, b.id)
	})

	return rows
}

// find looks a row up by its id or by the collection's other key.
func (s *Server) find(e *entity, key string, within scope) *row {
	if isID(key) {
		if r := s.store[e.name][strings.ToLower(key)]; r != nil && within.holds(r) {
			return r
		}

		return nil
	}

	if e.name == "targets" {
		if normal, ok := normalTarget(key); ok {
			key = normal
		}
	}
	for _, r := range s.store[e.name] {
		if r.values[e.key] == key && within.holds(r) {
			return r
		}
	}

	return nil
}

// save checks values against the schema and the other rows and stores them under their id. A nil answer is success.
func (s *Server) save(e *entity, values map[string]any) *answer {
	if e.settle != nil {
		e.settle(values)
	}

	found := validate(e.fields, values)
	if e.inspect != nil {
		e.inspect(values, found)
	}
	if len(found) > 0 {
		refused := schemaViolation(found)

		return &refused
	}

	if refused := s.resolve(e, values); refused != nil {
		return refused
	}

	for _, name := range e.notNull {
		if values[name] == nil {
			refused := primaryKeyViolation(values["id"])

			return &refused
		}
	}

	if refused := s.collide(e, values); refused != nil {
		return refused
	}

	id := fmt.Sprint(values["id"])
	stored := s.store[e.name][id]
	if stored == nil {
		s.created++
		stored = &row{id: id, order: s.created}
		s.store[e.name][id] = stored
	}
	stored.values = values

	return nil
}

// resolve turns foreign keys given by name into ids and refuses those that refer to nothing.
func (s *Server) resolve(e *entity, values map[string]any) *answer {
	for _, f := range e.fields {
		keys, ok := values[f.name].(map[string]any)
		if f.kind != foreignKind || !ok {
			continue
		}

		parent := s.entities[f.refers]
		if _, byID := keys["id"]; !byID && parent != nil {
			name, _ := keys[parent.key].(string)
			r := s.find(parent, name, scope{})
			if r == nil {
				refused := unresolved(f, parent, keys)

				return &refused
			}
			keys = map[string]any{"id": r.id}
		}

		values[f.name] = map[string]any{"id": keys["id"]}
		if s.store[f.refers][reference(values[f.name])] == nil {
			refused := failure(http.StatusBadRequest, codeForeignKey, "foreign key violation",
				fmt.Sprintf("the foreign key '%s' does not reference an existing '%s' entity.", spell(keys), f.refers),
				map[string]any{f.name: values[f.name]})

			return &refused
		}
	}

	return nil
}

func unresolved(f field, parent *entity, keys map[string]any) answer {
	text := fmt.Sprintf("the foreign key cannot be resolved with '%s' for an existing '%s' entity", spell(keys), f.refers)

	return failure(http.StatusBadRequest, codeUnresolved, "foreign keys unresolved",
		fmt.Sprintf("foreign key unresolved (%s.%s: %s)", f.name, parent.key, text),
		map[string]any{f.name: map[string]any{parent.key: text}})
}

// collide refuses values that another row already holds where they must be unique.
func (s *Server) collide(e *entity, values map[string]any) *answer {
	for _, names := range e.unique {
		keys := map[string]any{}
		for _, name := range names {
			keys[name] = values[name]
		}
		if slices.ContainsFunc(names, func(name string) bool { return values[name] == nil }) {
			continue
		}

		for _, r := range s.store[e.name] {
			same := func(name string) bool { return fmt.Sprint(r.values[name]) == fmt.Sprint(values[name]) }
			if r.id != values["id"] && !slices.ContainsFunc(names, func(name string) bool { return !same(name) }) {
				refused := uniqueViolation(keys)

				return &refused
			}
		}
	}

	return nil
}

// remove deletes a row with the rows that go with it, unless another row forbids it.
func (s *Server) remove(e *entity, r *row) *answer {
	for _, child := range s.children(e) {
		for _, below := range s.rows(child.entity, scope{child.field.name, r.id}, true) {
			if child.field.cascade {
				delete(s.store[child.entity.name], below.id)

				continue
			}

			refused := failure(http.StatusBadRequest, codeForeignKey, "foreign key violation",
				fmt.Sprintf("an existing '%s' entity references this '%s' entity", child.entity.name, e.name),
				map[string]any{"@referenced_by": child.entity.name})

			return &refused
		}
	}
	delete(s.store[e.name], r.id)

	return nil
}

// child is a collection that refers to another one, and by which field.
type child struct {
	entity *entity
	field  field
}

func (s *Server) children(parent *entity) []child {
	var children []child
	for _, name := range sortedKeys(s.entities) {
		for _, f := range s.entities[name].fields {
			if f.refers == parent.name {
				children = append(children, child{s.entities[name], f})
			}
		}
	}

	return children
}
