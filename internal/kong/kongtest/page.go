package kongtest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPageSize = 100
	maxPageSize     = 1000
	maxTags         = 5
)

// cursor says where a page ends: with a row, and in a list of tags with one of its tags, counted from 1.
type cursor struct {
	id  string
	tag int
}

// String is the cursor as the client gets it: a list of its parts as JSON, in base64.
func (c cursor) String() string {
	parts := strconv.Quote(c.id)
	if c.tag > 0 {
		parts += "," + strconv.Itoa(c.tag)
	}

	return base64.RawURLEncoding.EncodeToString([]byte("[" + parts + "]"))
}

func (c cursor) compare(other cursor) int {
	return cmp.Or(strings.Compare(c.id, other.id), cmp.Compare(c.tag, other.tag))
}

func parseCursor(offset string) (at cursor, refused *answer) {
	var parts []any
	decoded, err := base64.RawURLEncoding.DecodeString(offset)
	if err == nil {
		err = json.Unmarshal(decoded, &parts)
	}
	if err != nil {
		refused := failure(http.StatusBadRequest, codeOffset, "invalid offset", "'"+offset+"' is not a valid offset: bad json encoding", nil)

		return at, &refused
	}

	if len(parts) > 0 {
		at.id, _ = parts[0].(string)
	}
	if len(parts) > 1 {
		number, _ := parts[1].(float64)
		at.tag = int(number)
	}
	if !isID(at.id) {
		return at, &unexpected // the database chokes on it
	}

	return at, nil
}

func pageSize(query url.Values) (int, *answer) {
	if !query.Has("size") {
		return defaultPageSize, nil
	}

	var message string
	size, err := strconv.Atoi(query.Get("size"))
	switch {
	case err != nil:
		message = "size must be a number"
	case size < 1 || size > maxPageSize:
		message = "size must be an integer between 1 and 1000"
	default:
		return size, nil
	}
	refused := failure(http.StatusBadRequest, codeSize, "invalid size", message, nil)

	return 0, &refused
}

// tagFilter reads "a,b" (all of them) and "a/b" (any of them).
func tagFilter(query url.Values) (matches func(tags []any) bool, refused *answer) {
	if !query.Has("tags") {
		return func([]any) bool { return true }, nil
	}

	filter, message := query.Get("tags"), ""
	all, anyOf := strings.Split(filter, ","), strings.Split(filter, "/")
	switch {
	case filter == "":
		message = "cannot be null"
	case len(all) > 1 && len(anyOf) > 1:
		message = "invalid filter syntax"
	case max(len(all), len(anyOf)) > maxTags:
		message = "cannot query more than 5 tags"
	}
	if message != "" {
		return nil, &answer{http.StatusBadRequest, map[string]any{
			"name": "invalid options", "message": "invalid option (tags: " + message + ")",
			"options": map[string]any{"tags": message}, "code": codeOptions,
		}}
	}

	return func(tags []any) bool {
		has := func(tag string) bool { return slices.Contains(tags, any(tag)) }
		if len(anyOf) > 1 {
			return slices.ContainsFunc(anyOf, has)
		}

		return !slices.ContainsFunc(all, func(tag string) bool { return !has(tag) })
	}, nil
}

// entry is one line of a list, and the cursor after it.
type entry struct {
	value any
	end   cursor
}

// page cuts the requested page out of a whole list. The path is where "next" leads; a forgetful collection leaves the
// size of the page out of it.
func page(entries []entry, path string, query url.Values, forgetful bool) answer {
	size, refused := pageSize(query)
	if refused != nil {
		return *refused
	}
	if query.Has("offset") {
		end, refused := parseCursor(query.Get("offset"))
		if refused != nil {
			return *refused
		}
		entries = after(entries, end)
	}

	body := map[string]any{"next": nil}
	if len(entries) > size {
		entries = entries[:size]
		offset := entries[size-1].end.String()
		body["offset"] = offset
		body["next"] = next(path, offset, query, forgetful)
	}
	data := []any{}
	for _, e := range entries {
		data = append(data, e.value)
	}
	body["data"] = data

	return answer{http.StatusOK, body}
}

// after drops the entries up to a cursor. If the row that it was made from has gone, the list goes on with the next id.
func after(entries []entry, end cursor) []entry {
	if at := slices.IndexFunc(entries, func(e entry) bool { return e.end == end }); at >= 0 {
		return entries[at+1:]
	}

	at := slices.IndexFunc(entries, func(e entry) bool { return e.end.compare(end) > 0 })
	if at < 0 {
		return nil
	}

	return entries[at:]
}

func next(path, offset string, query url.Values, forgetful bool) string {
	arguments := []string{"offset=" + offset}
	for _, name := range []string{"tags", "size"} {
		if query.Has(name) && !forgetful {
			arguments = append(arguments, name+"="+url.QueryEscape(query.Get(name)))
		}
	}

	return path + "?" + strings.Join(arguments, "&")
}

func (s *Server) list(e *entity, within scope, byID bool, path string, query url.Values) answer {
	matches, refused := tagFilter(query)
	if refused != nil {
		return *refused
	}

	if s.readOnly && query.Has("tags") {
		return unexpected // Kong 3.9.1 trips over it without a database
	}

	var entries []entry
	for _, r := range s.rows(e, within, byID) {
		if tags, _ := r.values["tags"].([]any); matches(tags) && e.passes(r.values, query) {
			entries = append(entries, entry{s.visible(e, r.values), cursor{id: r.id}})
		}
	}

	return page(entries, path, query, within.field != "" && e.name == "plugins")
}

// passes says whether a row has what a list is narrowed to.
func (e *entity) passes(values map[string]any, query url.Values) bool {
	return !slices.ContainsFunc(e.filters, func(name string) bool {
		return query.Has(name) && values[name] != query.Get(name)
	})
}

// tags lists which row has which tag: all of them, or the rows that have one.
func (s *Server) tags(only, path string, query url.Values) answer {
	if text := tag(only); text != "" {
		return failure(http.StatusBadRequest, codeBadKey, "invalid unique tag", text, nil)
	}

	var entries []entry
	for name, rows := range s.store {
		for id, r := range rows {
			list, _ := r.values["tags"].([]any)
			for i, tag := range list {
				if only == "" || tag == only {
					line := map[string]any{"entity_name": name, "entity_id": id, "tag": tag}
					entries = append(entries, entry{line, cursor{id, i + 1}})
				}
			}
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return a.end.compare(b.end) })

	return page(entries, path, query, false)
}
