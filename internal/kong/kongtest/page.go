package kongtest

import (
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

// cursor encodes where the next page begins: after the row with these keys.
func cursor(keys ...any) string {
	encoded, err := json.Marshal(keys)
	if err != nil {
		panic(err) // strings and numbers always encode
	}

	return base64.RawURLEncoding.EncodeToString(encoded)
}

func parseCursor(offset string) (keys []any, refused *answer) {
	decoded, err := base64.RawURLEncoding.DecodeString(offset)
	if err == nil {
		err = json.Unmarshal(decoded, &keys)
	}
	if err != nil {
		refused := failure(http.StatusBadRequest, codeOffset, "invalid offset", "'"+offset+"' is not a valid offset: bad json encoding", nil)

		return nil, &refused
	}

	id, _ := keys[0].(string)
	if !isID(id) {
		return nil, &unexpected // the database chokes on it
	}

	return keys, nil
}

func pageSize(query url.Values) (int, *answer) {
	if !query.Has("size") {
		return defaultPageSize, nil
	}

	message := ""
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

// entry is one line of a list, and the keys that a cursor after it holds.
type entry struct {
	value any
	keys  []any
}

// page cuts the requested page out of a whole list. The path is where "next" leads.
func page(entries []entry, path string, query url.Values) answer {
	size, refused := pageSize(query)
	if refused != nil {
		return *refused
	}
	if query.Has("offset") {
		keys, refused := parseCursor(query.Get("offset"))
		if refused != nil {
			return *refused
		}
		entries = after(entries, keys)
	}

	body := map[string]any{"next": nil}
	if len(entries) > size {
		entries = entries[:size]
		offset := cursor(entries[size-1].keys...)
		body["offset"] = offset
		body["next"] = next(path, offset, query)
	}
	data := []any{}
	for _, e := range entries {
		data = append(data, e.value)
	}
	body["data"] = data

	return answer{http.StatusOK, body}
}

// after drops the entries up to a cursor. If the row that it was made from has gone, the list goes on with the next id.
func after(entries []entry, keys []any) []entry {
	if at := slices.IndexFunc(entries, func(e entry) bool { return slices.Equal(e.keys, keys) }); at >= 0 {
		return entries[at+1:]
	}

	at := slices.IndexFunc(entries, func(e entry) bool { return e.keys[0].(string) > keys[0].(string) })
	if at < 0 {
		return nil
	}

	return entries[at:]
}

func next(path, offset string, query url.Values) string {
	link := path + "?offset=" + offset
	for _, name := range []string{"tags", "size"} {
		if query.Has(name) {
			link += "&" + name + "=" + url.QueryEscape(query.Get(name))
		}
	}

	return link
}

func (s *Server) list(e *entity, within scope, byID bool, path string, query url.Values) answer {
	matches, refused := tagFilter(query)
	if refused != nil {
		return *refused
	}

	var entries []entry
	for _, r := range s.rows(e, within, byID) {
		if tags, _ := r.values["tags"].([]any); matches(tags) {
			entries = append(entries, entry{r.values, []any{r.id()}})
		}
	}

	return page(entries, path, query)
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
					entries = append(entries, entry{line, []any{id, float64(i + 1)}})
				}
			}
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if byID := strings.Compare(a.keys[0].(string), b.keys[0].(string)); byID != 0 {
			return byID
		}

		return int(a.keys[1].(float64) - b.keys[1].(float64))
	})

	return page(entries, path, query)
}
