package kongtest

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Proxy answers requests as Kong's proxy does as long as it needs nobody else for that: without a route, a service, a
// key or a receiver. What it would pass on to a receiver is answered 502.
func (s *Server) Proxy() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()

		status, message := s.proxied(r)
		send(w, answer{status, map[string]any{"message": message, "request_id": s.newSecret()}})
	})
}

func (s *Server) proxied(r *http.Request) (status int, message string) {
	route := s.match(r)
	if route == nil {
		return http.StatusNotFound, "no Route matched with those values"
	}

	service := s.store["services"][reference(route.values["service"])]
	if service == nil {
		return http.StatusServiceUnavailable, "no Service found with those values"
	}

	if s.wantsKey(route, service) && r.Header.Get("apikey") == "" && !r.URL.Query().Has("apikey") {
		return http.StatusUnauthorized, "No API key found in request"
	}

	host, _ := service.values["host"].(string)
	if upstream := s.find(s.entities["upstreams"], host, scope{}); upstream != nil && s.isEmptied(upstream) {
		return http.StatusServiceUnavailable, "failure to get a peer from the ring-balancer"
	}

	return http.StatusBadGateway, "An invalid response was received from the upstream server"
}

// match finds the route with the longest path that fits. Routes of expressions are left out, and those of services that
// are turned off.
func (s *Server) match(r *http.Request) *row {
	var found *row
	longest := -1

	for _, route := range s.rows(s.entities["routes"], scope{}, true) {
		service := s.store["services"][reference(route.values["service"])]
		if service != nil && service.values["enabled"] == false || !isEmpty(route.values["expression"]) ||
			!fits(route.values["hosts"], r.Host) || !fits(route.values["methods"], r.Method) {
			continue
		}
		if length := matched(route.values["paths"], r.URL.Path); length > longest {
			found, longest = route, length
		}
	}

	return found
}

func fits(list any, text string) bool {
	values, _ := list.([]any)

	return len(values) == 0 || slices.Contains(values, any(text))
}

// matched is how much of a path the longest of a route's paths takes: -1 for none, 0 if the route has none.
func matched(list any, path string) int {
	values, _ := list.([]any)
	if len(values) == 0 {
		return 0
	}

	longest := -1
	for _, value := range values {
		prefix := fmt.Sprint(value)
		if expression, isPattern := strings.CutPrefix(prefix, "~"); isPattern {
			if pattern, err := regexp.Compile("^(?:" + expression + ")"); err == nil && pattern.MatchString(path) {
				longest = max(longest, len(pattern.FindString(path)))
			}
		} else if strings.HasPrefix(path, prefix) {
			longest = max(longest, len(prefix))
		}
	}

	return longest
}

func (s *Server) wantsKey(route, service *row) bool {
	for _, plugin := range s.rows(s.entities["plugins"], scope{}, true) {
		ofRoute, ofService := reference(plugin.values["route"]), reference(plugin.values["service"])
		if plugin.values["name"] == "key-auth" && plugin.values["enabled"] == true &&
			(ofRoute == "" || ofRoute == route.id) && (ofService == "" || ofService == service.id) {
			return true
		}
	}

	return false
}

// isEmptied says whether nothing of an upstream receives traffic.
func (s *Server) isEmptied(upstream *row) bool {
	for _, target := range s.rows(s.entities["targets"], scope{"upstream", upstream.id}, true) {
		if weight, _ := target.values["weight"].(float64); weight > 0 {
			return false
		}
	}

	return true
}
