package kongtest

import (
	"fmt"
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

	if parts[0] == "tags" && len(parts) <= 2 {
		return s.tags(strings.Join(parts[1:], ""), r.URL.EscapedPath(), r.URL.Query())
	}

	at, ok := s.locate(parts)
	if !ok {
		return s.serveHealth(r.Method, parts)
	}

	query := r.URL.Query()
	if at.key == "" {
		return s.serveCollection(r.Method, at, input, query)
	}

	return s.serveRow(r.Method, at, input)
}

// locate finds what a path names. A parent that does not exist makes the whole path unknown.
func (s *Server) locate(parts []string) (place, bool) {
	top := s.entities[parts[0]]
	if top == nil || top.nested || len(parts) > 4 {
		return place{}, false
	}
	if len(parts) == 1 {
		return place{entity: top, path: "/" + top.name}, true
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
		if child.entity.name != parts[2] {
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

// serveHealth answers PUT /upstreams/{name}/targets/{target}/healthy and /unhealthy. A fake that proxies nothing has no
// health checker, and says so as Kong does for an upstream without checks.
func (s *Server) serveHealth(method string, parts []string) answer {
	if len(parts) != 5 || parts[0] != "upstreams" || parts[2] != "targets" || !strings.HasSuffix(parts[4], "healthy") {
		return notFound
	}
	upstream := s.find(s.entities["upstreams"], parts[1], scope{})
	if upstream == nil || s.find(s.entities["targets"], parts[3], scope{"upstream", upstream.id}) == nil {
		return notFound
	}
	if method != http.MethodPut {
		return notAllowed
	}

	return answer{http.StatusBadRequest, map[string]any{"message": fmt.Sprintf("no healthchecker found for %v", upstream.values["name"])}}
}

func (s *Server) serveCollection(method string, at place, input map[string]any, query url.Values) answer {
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
	if !isID(at.key) && !at.entity.nested {
		value := any(at.key)
		for _, check := range at.entity.field(at.entity.key).checks {
			if text := check(value); text != "" {
				return failure(http.StatusBadRequest, codeBadKey, "invalid unique "+at.entity.key, text, nil)
			}
		}
	}

	stored := s.find(at.entity, at.key, at.within)
	switch method {
	case http.MethodGet:
		if stored == nil {
			return notFound
		}

		return answer{http.StatusOK, stored.values}
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

	if refused := s.save(at.entity, values); refused != nil {
		return *refused
	}

	return answer{http.StatusCreated, values}
}

// replace is a PUT: what the client leaves out gets its default, created_at among it, and the path decides identity.
func (s *Server) replace(at place, stored *row, input map[string]any) answer {
	values := s.prepare(at, input)
	switch {
	case isID(at.key):
		values["id"] = strings.ToLower(at.key)
	case stored != nil:
		values["id"] = stored.id
		values[at.entity.key] = at.key
	default:
		values[at.entity.key] = at.key
		if values["id"] == nil {
			values["id"] = s.newID()
		}
	}

	if refused := s.save(at.entity, values); refused != nil {
		return *refused
	}

	return answer{http.StatusOK, values}
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

	complete(at.entity.fields, values)
	values["updated_at"] = s.time(at.entity)
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

	values := merge(at.entity.fields, stored.values, patch)
	complete(at.entity.fields, values)
	values["updated_at"] = s.time(at.entity)
	if refused := s.save(at.entity, values); refused != nil {
		return *refused
	}

	return answer{http.StatusOK, values}
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
