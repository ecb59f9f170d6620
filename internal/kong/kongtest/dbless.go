package kongtest

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"gopkg.in/yaml.v3"
)

// declared is the namespace of the ids that a Kong without a database gives: each collection has one below it.
var declared = uuid.MustParse("fd02801f-0957-4a15-a55a-c8d9606f30b5")

func unsupportedWrite(text string) answer {
	return failure(http.StatusMethodNotAllowed, codeReadOnly, "operation unsupported", text+" when not using a database", nil)
}

// refuseWrite is the answer to what would create or change a row.
func (s *Server) refuseWrite(e *entity, updating bool) answer {
	switch by := byKey(e, s.asked); {
	case updating:
		return unsupportedWrite("cannot update '" + e.name + "' entities" + by)
	case s.replacing:
		return unsupportedWrite("cannot create or update '" + e.name + "' entities" + by)
	default:
		return unsupportedWrite("cannot create '" + e.name + "' entities")
	}
}

func (s *Server) refuseRemoval(at place) answer {
	return unsupportedWrite("cannot remove '" + at.entity.name + "' entities" + byKey(at.entity, at.key))
}

// byKey says by which field a path names a row, unless that is the id.
func byKey(e *entity, key string) string {
	if key == "" || isID(key) || e.nested {
		return ""
	}

	return " by '" + e.key + "'"
}

// serveConfig answers at /config, where the whole configuration stands of a Kong without a database.
func (s *Server) serveConfig(method string, input map[string]any) answer {
	if !s.readOnly {
		return answer{http.StatusBadRequest, map[string]any{"message": "this endpoint is only available when Kong is configured to not use a database"}}
	}

	switch method {
	case http.MethodGet:
		text, err := yaml.Marshal(s.dump())
		if err != nil {
			return unexpected
		}

		return answer{http.StatusOK, map[string]any{"config": string(text)}}
	case http.MethodPost:
		if text, given := input["config"].(string); given {
			input = map[string]any{}
			if err := yaml.Unmarshal([]byte(text), &input); err != nil {
				return answer{http.StatusBadRequest, map[string]any{"message": "declarative config is invalid: failed parsing"}}
			}
		}

		return s.load(input)
	default:
		return notAllowed
	}
}

// load replaces everything by what a declarative configuration says.
func (s *Server) load(config map[string]any) answer {
	problems := map[string]any{}
	if config["_format_version"] == nil {
		problems["_format_version"] = "required field missing"
	}

	fresh, shown := s.emptyStore(), map[string]any{}
	for _, name := range sortedKeys(s.entities) {
		list, _ := config[name].([]any)
		for i, line := range list {
			values, problem := s.declare(s.entities[name], line)
			if problem != nil {
				holes, _ := problems[name].([]any)
				holes = append(holes, make([]any, i-len(holes))...)
				problems[name] = append(holes, problem)

				continue
			}

			id := fmt.Sprint(values["id"])
			fresh[name][id] = &row{id: id, values: values}
			if shown[name] == nil {
				shown[name] = map[string]any{}
			}
			if byID, ok := shown[name].(map[string]any); ok {
				byID[id] = values
			}
		}
	}

	if len(problems) > 0 {
		return failure(http.StatusBadRequest, codeConfig, "invalid declarative configuration",
			"declarative config is invalid: "+tables(problems), problems)
	}
	s.workspaces[defaultWorkspace], s.store = fresh, fresh

	return answer{http.StatusCreated, shown}
}

func (s *Server) declare(e *entity, line any) (values map[string]any, problem any) {
	given, _ := numbers(line).(map[string]any)
	values = s.prepare(place{entity: e}, given)

	if values["id"] == nil {
		name, _ := values[e.key].(string)
		if name == "" {
			name = s.anyID()
		}
		values["id"] = uuid.NewSHA1(uuid.NewSHA1(declared, []byte(e.name)), []byte(name)).String()
	}
	for _, f := range e.fields { // a reference is written as a plain id or name
		if text, plain := values[f.name].(string); plain && f.kind == foreignKind {
			values[f.name] = map[string]any{"id": text}
		}
	}

	found := validate(e.of(values), values)
	if len(found) > 0 {
		return nil, map[string]any(found)
	}

	return values, nil
}

// numbers makes YAML's whole numbers those of JSON.
func numbers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, below := range value {
			value[key] = numbers(below)
		}
	case []any:
		for i, below := range value {
			value[i] = numbers(below)
		}
	case int:
		return float64(value)
	}

	return value
}

// dump is the declarative configuration that stands for the rows.
func (s *Server) dump() map[string]any {
	config := map[string]any{"_format_version": "3.0", "_transform": false}
	for name, e := range s.entities {
		var list []any
		for _, r := range s.rows(e, scope{}, true) {
			line := cloneMap(r.values)
			for _, f := range e.fields {
				if id := reference(line[f.name]); f.kind == foreignKind && id != "" {
					line[f.name] = id
				}
			}
			list = append(list, line)
		}
		if list != nil {
			config[name] = list
		}
	}

	return config
}

// tables writes problems on one line, as Lua tables.
func tables(value any) string {
	switch value := value.(type) {
	case map[string]any:
		var parts []string
		for _, key := range sortedKeys(value) {
			parts = append(parts, key+"="+tables(value[key]))
		}

		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		var parts []string
		for i, below := range value {
			if below != nil && i > 0 && value[i-1] == nil {
				parts = append(parts, fmt.Sprintf("[%d]=%s", i+1, tables(below)))
			} else if below != nil {
				parts = append(parts, tables(below))
			}
		}

		return "{" + strings.Join(parts, ",") + "}"
	default:
		return fmt.Sprintf("%q", value)
	}
}
