package kongtest

import (
	"maps"
	"net/http"
	"slices"
)

// unavailable are paths of what this Kong is not: another role, or a feature that is off.
var unavailable = map[string]string{
	"clustering":    "this endpoint is only available when Kong is configured to run as Control Plane for the cluster",
	"filter-chains": "this endpoint is only available when wasm is enabled",
}

// inform answers what is about the server and not about rows. It says no to paths that lead to rows.
func (s *Server) inform(method string, parts []string) (answer, bool) {
	if text, off := unavailable[parts[0]]; off {
		return answer{http.StatusBadRequest, map[string]any{"message": text}}, true
	}

	switch {
	case parts[0] == "plugins" && len(parts) == 2 && parts[1] == "enabled":
		return reading(method, map[string]any{"enabled_plugins": slices.Sorted(maps.Keys(bundled))}), true
	case parts[0] == "cache" && len(parts) <= 2:
		if method == http.MethodDelete {
			return noContent, true
		}

		return notFound, true
	case parts[0] == "status" && len(parts) == 1:
		return reading(method, map[string]any{"database": map[string]any{"reachable": !s.cutOff}}), true
	}

	return answer{}, false
}

// reading is the answer at a path that can only be read.
func reading(method string, body map[string]any) answer {
	if method != http.MethodGet {
		return notAllowed
	}

	return answer{http.StatusOK, body}
}

// needsDatabase says whether a path is answered from the database, without which Kong answers 500.
func needsDatabase(first string) bool {
	return !slices.Contains([]string{"status", "schemas", "clustering", "filter-chains", "endpoints"}, first)
}

// withoutDatabase is the answer while the database does not answer. Kong words it in another way at its root.
func withoutDatabase(first string) answer {
	if first == "" {
		return answer{http.StatusInternalServerError, map[string]any{"message": "An unexpected error happened"}}
	}

	return unexpected
}
