package kongtest

import (
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// place is where a request's path leads: a collection or a row, perhaps below a parent.
type place struct {
	entity *entity
	within scope
	key    string // of a row; "" for the collection
	path   string // of the collection, for links to the next page
	fixed  bool   // a row that is reached through another one that refers to it
	byID   bool
}

// serve answers one request. The order of the cases is the order in which Kong's paths win.
func (s *Server) serve(r *http.Request, input map[string]any) answer {
	var parts []string
	for part := range strings.SplitSeq(strings.Trim(r.URL.EscapedPath(), "/"), "/") {
		text, err := url.PathUnescape(part)
		if err != nil {
			return notFound
		}
		parts = append(parts, text)
	}

	if workspace := s.workspaces[parts[0]]; workspace != nil && s.about.edition == "enterprise" {
		parts, s.store = append(parts[1:], "")[:max(len(parts)-1, 1)], workspace
	} else {
		s.store = s.workspaces[defaultWorkspace]
	}

	if s.cutOff && needsDatabase(parts[0]) {
		return withoutDatabase(parts[0])
	}
	if told, about := s.inform(r.Method, parts); about {
		return told
	}

	switch {
	case parts[0] == "tags" && len(parts) <= 2:
		return s.tags(strings.Join(parts[1:], ""), r.URL.EscapedPath(), r.URL.Query())
	case parts[0] == "" || parts[0] == "schemas" || parts[0] == "config":
		return s.serveAbout(r.Method, parts, input)
	}

	at, ok := s.locate(parts)
	if !ok {
		return s.serveHealth(r, parts)
	}

	if isForm(r) {
		infer(at.entity.of(input), input)
	}

	query := r.URL.Query()
	if at.key == "" {
		return s.serveCollection(r.Method, at, input, query)
	}

	return s.serveRow(r.Method, at, input)
}

// collection finds an entity by its collection's path.
func (s *Server) collection(path string) *entity {
	for _, e := range s.entities {
		if e.at() == path && !e.nested {
			return e
		}
	}

	return nil
}

// locate finds what a path names. A parent that does not exist makes the whole path unknown.
func (s *Server) locate(parts []string) (place, bool) {
	top := s.collection(parts[0])
	if top == nil || len(parts) > 4 {
		return place{}, false
	}
	if len(parts) == 1 {
		return place{entity: top, path: "/" + top.at()}, true
	}
	if len(parts) == 2 {
		return place{entity: top, key: parts[1]}, true
	}

	parent := s.find(top, parts[1], scope{})
	if parent == nil {
		return place{}, false
	}
	if f := top.field(parts[2]); f != nil && f.kind == foreignKind && len(parts) == 3 {
		id := reference(parent.values[f.name])

		return place{entity: s.entities[f.refers], key: id, fixed: true}, id != ""
	}

	for _, child := range s.children(top) {
		if child.entity.nestedAt() != parts[2] {
			continue
		}

		at := place{entity: child.entity, within: scope{child.field.name, parent.id}, path: "/" + strings.Join(parts[:3], "/")}
		switch {
		case len(parts) == 4 && child.entity.nested && parts[3] == "all":
			at.byID = true
			at.path += "/all"
		case len(parts) == 4:
			at.key = parts[3]
		}

		return at, true
	}

	return place{}, false
}

func (s *Server) serveCollection(method string, at place, input map[string]any, query url.Values) answer {
	s.asked = ""
	switch method {
	case http.MethodGet:
		return s.list(at.entity, at.within, at.byID, at.path, query)
	case http.MethodPost:
		return s.create(at, input)
	default:
		return notAllowed
	}
}

func (s *Server) serveRow(method string, at place, input map[string]any) answer {
	if at.entity.name == "certificates" && !at.fixed {
		if refused := s.certificateOf(&at, method); refused != nil {
			return *refused
		}
	}

	if f := at.entity.field(at.entity.key); !isID(at.key) && !at.entity.nested && f != nil {
		value := any(at.key)
		for _, check := range f.checks {
			if text := check(value); text != "" {
				return failure(http.StatusBadRequest, codeBadKey, "invalid unique "+at.entity.key, text, nil)
			}
		}
	}

	s.asked = at.key
	stored := s.find(at.entity, at.key, at.within)
	switch method {
	case http.MethodGet:
		if stored == nil {
			return notFound
		}

		return s.shown(http.StatusOK, at.entity, stored.values)
	case http.MethodPut:
		if at.entity.updateOnly {
			return s.change(at, stored, input)
		}

		return s.replace(at, stored, input)
	case http.MethodPatch:
		return s.change(at, stored, input)
	case http.MethodDelete:
		return s.delete(at, stored)
	default:
		return notAllowed
	}
}

func (s *Server) create(at place, input map[string]any) answer {
	values := s.prepare(at, input)
	if values["id"] == nil {
		values["id"] = s.newID()
	} else if id, ok := values["id"].(string); ok && s.store[at.entity.name][id] != nil {
		return primaryKeyViolation(id)
	}

	if refused := s.save(at.entity, values, input, false); refused != nil {
		return *refused
	}

	return s.shown(http.StatusCreated, at.entity, values)
}

// replace is a PUT: what the client leaves out gets its default, created_at among it, and the path decides identity.
func (s *Server) replace(at place, stored *row, input map[string]any) answer {
	values := s.prepare(at, input)
	switch {
	case isID(at.key):
		values["id"] = strings.ToLower(at.key)
	case stored != nil:
		values["id"] = stored.id
		s.name(at, values)
	default:
		s.name(at, values)
		if values["id"] == nil {
			values["id"] = s.newID()
		}
	}

	s.replacing = true
	defer func() { s.replacing = false }()

	if refused := s.save(at.entity, values, input, false); refused != nil {
		return *refused
	}

	return s.shown(http.StatusOK, at.entity, values)
}

// name writes the path's key into the row.
func (s *Server) name(at place, values map[string]any) {
	if at.entity.field(at.entity.key) != nil {
		values[at.entity.key] = at.key
	}
}

// shown is an answer with a row as clients see it.
func (s *Server) shown(status int, e *entity, values map[string]any) answer {
	return answer{status, s.visible(e, values)}
}

func (s *Server) visible(e *entity, values map[string]any) map[string]any {
	if e.present == nil {
		return values
	}

	return e.present(s, values)
}

// prepare turns a client's body into a whole entity with defaults and times.
func (s *Server) prepare(at place, input map[string]any) map[string]any {
	values := cloneMap(input)
	if at.entity.rewrite != nil {
		at.entity.rewrite(values)
	}
	if at.within.field != "" {
		values[at.within.field] = map[string]any{"id": at.within.id}
	}

	fields := at.entity.of(values)
	complete(fields, values)
	for _, f := range fields {
		if f.made && values[f.name] == nil {
			values[f.name] = s.newSecret()
		}
	}

	if !at.entity.createdOnly {
		values["updated_at"] = s.time(at.entity)
	}
	if values["created_at"] == nil {
		values["created_at"] = s.time(at.entity)
	}

	return values
}

// change is a PATCH, and a target's PUT.
func (s *Server) change(at place, stored *row, input map[string]any) answer {
	if stored == nil {
		return missing(at)
	}

	patch := cloneMap(input)
	if at.entity.rewrite != nil {
		at.entity.rewrite(patch)
	}
	delete(patch, "id")

	values := merge(at.entity.of(stored.values), stored.values, patch)
	complete(at.entity.of(values), values)
	if !at.entity.createdOnly {
		values["updated_at"] = s.time(at.entity)
	}
	if refused := s.save(at.entity, values, patch, true); refused != nil {
		return *refused
	}

	return s.shown(http.StatusOK, at.entity, values)
}

// missing is the answer to a PATCH of a row that does not exist: below a parent it is an unknown path.
func missing(at place) answer {
	if at.within.field != "" {
		return notFound
	}

	keys, with := map[string]any{at.entity.key: at.key}, ""
	if isID(at.key) {
		keys, with = map[string]any{"id": at.key}, "primary key "
	}

	return failure(http.StatusNotFound, codeNotFound, "not found", "could not find the entity with "+with+"'"+spell(keys)+"'", keys)
}

func (s *Server) delete(at place, stored *row) answer {
	switch {
	case at.fixed:
		return notAllowed
	case stored == nil && at.within.field != "":
		return notFound
	case stored == nil:
		return noContent
	case s.readOnly:
		return s.refuseRemoval(at)
	}

	if refused := s.remove(at.entity, stored); refused != nil {
		return *refused
	}

	return noContent
}

// time is the current time as a collection stores it: in seconds, whole ones except for targets.
func (s *Server) time(e *entity) float64 {
	seconds := float64(s.now().UnixMilli()) / float64(time.Second/time.Millisecond)
	if e.fractions {
		return seconds
	}

	return math.Floor(seconds)
}
