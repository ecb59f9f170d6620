package kongtest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// row is one entity in the store.
type row struct {
	id     string
	values map[string]any
	order  int // rises with every row that is created

	expires time.Time // zero for never
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
		if within.holds(r) && !s.expired(e, r) {
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
		if r := s.store[e.name][strings.ToLower(key)]; r != nil && within.holds(r) && !s.expired(e, r) {
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
		if r.values[e.key] == key && within.holds(r) && !s.expired(e, r) {
			return r
		}
	}

	return nil
}

// examine checks values against the schema alone. A nil answer is success.
func (s *Server) examine(e *entity, values map[string]any, updating bool) *answer {
	var found violations
	if e.refuse != nil {
		found = e.refuse(values)
	}

	if len(found) == 0 {
		if e.settle != nil {
			e.settle(values)
		}

		found = validate(e.of(values), values)
		if e.inspect != nil {
			e.inspect(values, updating, found)
		}
	}

	if len(found) > 0 {
		refused := schemaViolation(found)

		return &refused
	}

	return nil
}

// save checks values against the schema and the other rows and stores them under their id. A nil answer is success.
// What the client gave is told from what was stored before.
func (s *Server) save(e *entity, values, given map[string]any, updating bool) *answer {
	if refused := s.examine(e, values, updating); refused != nil {
		return refused
	}

	if s.readOnly {
		refused := s.refuseWrite(e, updating)

		return &refused
	}

	if refused := s.resolve(e, values); refused != nil {
		return refused
	}

	if e.name == "certificates" {
		if refused := s.claimNames(values, given); refused != nil {
			return refused
		}
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

	if e.digest != nil {
		e.digest(values, given)
	}

	id := fmt.Sprint(values["id"])
	stored := s.store[e.name][id]
	if stored == nil {
		s.created++
		stored = &row{id: id, order: s.created}
		s.store[e.name][id] = stored
	}
	stored.values = values

	if seconds, ok := given["ttl"].(float64); ok && e.mortal {
		stored.expires = s.now().Add(time.Duration(seconds) * time.Second)
	}

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
		if !slices.ContainsFunc(names, func(name string) bool { return values[name] == nil }) && s.taken(e, names, values) {
			refused := uniqueViolation(pick(values, names))

			return &refused
		}
	}

	if e.scoped != nil && s.taken(e, e.scoped, values) {
		refused := uniqueViolation(pick(values, e.scoped))

		return &refused
	}

	return nil
}

func pick(values map[string]any, names []string) map[string]any {
	picked := map[string]any{}
	for _, name := range names {
		picked[name] = values[name]
	}

	return picked
}

// taken says whether another row has the same values under all of the names.
func (s *Server) taken(e *entity, names []string, values map[string]any) bool {
	for _, r := range s.store[e.name] {
		differs := func(name string) bool { return fmt.Sprint(r.values[name]) != fmt.Sprint(values[name]) }
		if r.id != values["id"] && !s.expired(e, r) && !slices.ContainsFunc(names, differs) {
			return true
		}
	}

	return false
}

// remove deletes a row with the rows that go with it, unless another row forbids it.
func (s *Server) remove(e *entity, r *row) *answer {
	if refused := s.refuseListed(e, r); refused != nil {
		return refused
	}

	children := s.children(e)
	for _, child := range children {
		if child.field.cascade || len(s.rows(child.entity, scope{child.field.name, r.id}, true)) == 0 {
			continue
		}

		refused := failure(http.StatusBadRequest, codeForeignKey, "foreign key violation",
			fmt.Sprintf("an existing '%s' entity references this '%s' entity", child.entity.name, e.name),
			map[string]any{"@referenced_by": child.entity.name})

		return &refused
	}

	for _, child := range children {
		for _, below := range s.rows(child.entity, scope{child.field.name, r.id}, true) {
			delete(s.store[child.entity.name], below.id)
		}
	}
	delete(s.store[e.name], r.id)

	return nil
}

// expired says whether a row's time to live is over.
func (s *Server) expired(e *entity, r *row) bool {
	return e.mortal && !r.expires.IsZero() && !r.expires.After(s.now())
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
