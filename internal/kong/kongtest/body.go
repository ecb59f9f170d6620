package kongtest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
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

// decodeForm reads "name=value" and "name[]=value". Kong guesses the type of each value from its text.
func decodeForm(raw string) map[string]any {
	input := map[string]any{}
	form, err := url.ParseQuery(raw)
	if err != nil {
		return input
	}

	for name, texts := range form {
		plain, isList := strings.CutSuffix(name, "[]")
		var values []any
		for _, text := range texts {
			values = append(values, guess(text))
		}
		if isList {
			input[plain] = values
		} else {
			input[plain] = values[len(values)-1]
		}
	}

	return input
}

func guess(text string) any {
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		return number
	}
	if truth, err := strconv.ParseBool(text); err == nil {
		return truth
	}

	return text
}
