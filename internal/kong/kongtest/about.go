package kongtest

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
)

// about is what the server says of itself.
type about struct {
	version, edition, flavor, database string
}

var usual = about{version: "3.9.1", edition: "community", flavor: "traditional", database: "postgres"}

// before says whether the server is of an older release. One whose version nobody can read is the newest.
func (a about) before(major, minor int) bool {
	var isMajor, isMinor int
	if _, err := fmt.Sscanf(a.version, "%d.%d", &isMajor, &isMinor); err != nil {
		return false
	}

	return isMajor < major || isMajor == major && isMinor < minor
}

// rootDocument is what a Kong 3.9.1 with a database says at "/".
//
//go:embed data/root.json
var rootDocument []byte

//go:embed data/routes-traditional.json
var traditionalRoutes []byte

//go:embed data/routes-expressions.json
var expressionsRoutes []byte

func (s *Server) setFlavor(flavor string) {
	s.about.flavor = flavor
	s.entities["routes"] = routes()
	if flavor == "expressions" {
		s.entities["routes"] = expressionRoutes()
	}

	for _, store := range s.workspaces { // the same table with other columns
		for _, r := range store["routes"] {
			for name := range r.values {
				if s.entities["routes"].field(name) == nil {
					delete(r.values, name)
				}
			}
			complete(s.entities["routes"].fields, r.values)
		}
	}
}

// serveAbout answers what is not about rows: "/", "/schemas" and "/config".
func (s *Server) serveAbout(method string, parts []string, input map[string]any) answer {
	switch {
	case parts[0] == "" && method == http.MethodGet:
		return answer{http.StatusOK, s.root()}
	case parts[0] == "config" && len(parts) == 1:
		return s.serveConfig(method, input)
	case parts[0] == "schemas" && len(parts) == 2 && method == http.MethodGet:
		return s.entitySchema(parts[1])
	case parts[0] == "schemas" && len(parts) == 3 && parts[2] == "validate" && method == http.MethodPost:
		return s.judge(parts[1], input)
	case parts[0] == "schemas" && len(parts) == 3 && parts[1] == "plugins" && method == http.MethodGet:
		return s.pluginSchema(parts[2])
	}

	return notFound
}

func (s *Server) root() map[string]any {
	document := decodeObject(rootDocument)
	document["version"], document["edition"] = s.about.version, s.about.edition

	configuration, _ := document["configuration"].(map[string]any)
	configuration["router_flavor"], configuration["database"] = s.about.flavor, s.about.database

	enabled := map[string]bool{}
	for _, r := range s.store["plugins"] {
		name, _ := r.values["name"].(string)
		enabled[name] = true
	}
	inUse := []any{}
	for _, name := range sortedKeys(enabled) {
		inUse = append(inUse, name)
	}
	if available, _ := document["plugins"].(map[string]any); available != nil {
		available["enabled_in_cluster"] = inUse
	}

	return document
}

func decodeObject(text []byte) map[string]any {
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		panic(err) // the text is part of the program
	}

	return object
}

func (s *Server) entitySchema(name string) answer {
	e := s.entities[name]
	switch {
	case e == nil:
		return answer{http.StatusNotFound, map[string]any{"message": "No entity named '" + name + "'"}}
	case name == "routes" && s.about.flavor == "expressions":
		return answer{http.StatusOK, decodeObject(expressionsRoutes)}
	case name == "routes":
		return answer{http.StatusOK, decodeObject(traditionalRoutes)}
	}

	return answer{http.StatusOK, map[string]any{"fields": describe(e.fields)}}
}

func (s *Server) pluginSchema(name string) answer {
	p, known := bundled[name]
	if !known {
		return answer{http.StatusNotFound, map[string]any{"message": "No plugin named '" + name + "'"}}
	}

	return answer{http.StatusOK, map[string]any{"fields": describe(pluginFields(p))}}
}

// judge checks what a client would write, and writes nothing.
func (s *Server) judge(name string, input map[string]any) answer {
	e := s.entities[name]
	if e == nil {
		return answer{http.StatusNotFound, map[string]any{"message": "No entity named '" + name + "'"}}
	}

	values := s.prepare(place{entity: e}, input)
	if refused := s.examine(e, values, false); refused != nil {
		return *refused
	}

	return answer{http.StatusOK, map[string]any{"message": "schema validation successful"}}
}

var kindNames = map[kind]string{
	stringKind: "string", integerKind: "integer", numberKind: "number", booleanKind: "boolean",
	setKind: "set", arrayKind: "array", mapKind: "map", recordKind: "record", foreignKind: "foreign",
}

// describe writes fields as Kong does: a list of objects with one key each.
func describe(fields []field) []any {
	list := []any{}
	for _, f := range fields {
		list = append(list, map[string]any{f.name: f.describe()})
	}

	return list
}

func (f *field) describe() map[string]any {
	described := map[string]any{"type": kindNames[f.kind]}
	if f.required {
		described["required"] = true
	}
	if f.initial != nil {
		described["default"] = f.initial
	}
	if f.secret {
		described["encrypted"], described["referenceable"] = true, true
	}
	if f.refers != "" {
		described["reference"] = f.refers
	}

	switch {
	case f.kind == recordKind:
		described["fields"] = describe(f.fields)
		if short := f.describeShort(); len(short) > 0 {
			described["shorthand_fields"] = short
		}
	case f.kind == mapKind && f.element != nil:
		described["keys"] = map[string]any{"type": "string"}
		described["values"] = f.element.describe()
	case f.element != nil:
		described["elements"] = f.element.describe()
	}

	return described
}

func (f *field) describeShort() []any {
	var list []any
	for _, short := range f.short {
		target := f
		for _, name := range short.to {
			target = cmp.Or(lookup(target.fields, name), target)
		}
		list = append(list, map[string]any{short.name: target.describe()})
	}

	return list
}
