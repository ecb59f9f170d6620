package kongtest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// readBody decodes a request's body. No body is an empty object; a media type that Kong does not read is unsupported.
func readBody(r *http.Request) (input map[string]any, unsupported bool, malformed *answer) {
	raw, err := io.ReadAll(r.Body)
	if err != nil || len(raw) == 0 {
		return map[string]any{}, false, nil
	}

	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch media {
	case "application/json":
		input, malformed = decodeJSON(raw)
	case "application/x-www-form-urlencoded":
		input = decodeForm(string(raw))
	default:
		unsupported = true
	}

	return input, unsupported, malformed
}

func decodeJSON(raw []byte) (map[string]any, *answer) {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, &answer{http.StatusBadRequest, map[string]any{"message": "Cannot parse JSON body"}}
	}

	object, ok := value.(map[string]any)
	if !ok {
		return nil, &unexpected // Kong 3.9.1 trips over an array
	}

	return object, nil
}

func isForm(r *http.Request) bool {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))

	return media == "application/x-www-form-urlencoded"
}

var formIndex = regexp.MustCompile(`^(.+)\[(\d*)\]$`)

// decodeForm reads "name=value", "name[]=value" or "name[1]=value", and "record.field=value". Every value is a text.
func decodeForm(raw string) map[string]any {
	input := map[string]any{}
	form, err := url.ParseQuery(raw)
	if err != nil {
		return input
	}

	for _, name := range sortedKeys(form) {
		into, last := input, name
		for before, after, deeper := strings.Cut(last, "."); deeper; before, after, deeper = strings.Cut(last, ".") {
			below, ok := into[before].(map[string]any)
			if !ok {
				below = map[string]any{}
				into[before] = below
			}
			into, last = below, after
		}

		values := make([]any, 0, len(form[name]))
		for _, text := range form[name] {
			values = append(values, text)
		}
		if index := formIndex.FindStringSubmatch(last); index != nil {
			before, _ := into[index[1]].([]any)
			into[index[1]] = append(before, values...)
		} else if len(values) > 1 {
			into[last] = values
		} else {
			into[last] = values[0]
		}
	}

	return input
}

// infer makes the texts of a form values of the fields' kinds, as far as they are some; an empty one is null.
func infer(fields []field, values map[string]any) {
	for name, value := range values {
		if f := lookup(fields, name); f != nil {
			values[name] = f.infer(value)
		}
	}
}

func (f *field) infer(value any) any {
	text, isText := value.(string)
	if isText && text == "" {
		return nil
	}

	switch f.kind {
	case numberKind, integerKind:
		if number, err := strconv.ParseFloat(text, 64); isText && err == nil {
			return number
		}
	case booleanKind:
		if text == "true" || text == "false" {
			return text == "true"
		}
	case setKind, arrayKind:
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for i := range list {
			list[i] = f.element.infer(list[i])
		}

		return list
	case recordKind:
		if below, isRecord := value.(map[string]any); isRecord {
			infer(f.fields, below)
		}
	}

	return value
}

// withoutBody makes a HEAD a GET whose answer has no body.
func withoutBody(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, *http.Request) {
	if r.Method != http.MethodHead {
		return w, r
	}

	r = r.Clone(r.Context())
	r.Method = http.MethodGet

	return headers{w}, r
}

// headers is an answer without its body.
type headers struct{ http.ResponseWriter }

func (headers) Write(body []byte) (int, error) { return len(body), nil }

// options is the answer to what asks which methods a path has: a path that is none has none.
func (s *Server) options(r *http.Request) answer {
	asking := r.Clone(r.Context())
	asking.Method = http.MethodTrace // which no path has
	if s.serve(asking, map[string]any{}).status == http.StatusNotFound {
		return notFound
	}

	return noContent
}
