package kongtest

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// serveHealth answers below an upstream: its health, and marks for its targets. A fake that proxies nothing checks
// nothing and resolves no names: it says what Kong says of targets that are addresses, without checks.
func (s *Server) serveHealth(r *http.Request, parts []string) answer {
	if len(parts) < 3 || parts[0] != "upstreams" {
		return notFound
	}
	upstream := s.find(s.entities["upstreams"], parts[1], scope{})
	if upstream == nil {
		return notFound
	}

	if len(parts) == 3 && parts[2] == "health" && r.Method == http.MethodGet {
		return s.health(upstream, r.URL.Query().Get("balancer_health") == "1")
	}

	if len(parts) < 5 || parts[2] != "targets" || !strings.HasSuffix(parts[len(parts)-1], "healthy") ||
		s.find(s.entities["targets"], parts[3], scope{"upstream", upstream.id}) == nil {
		return notFound
	}
	if r.Method != http.MethodPut {
		return notAllowed
	}
	if checked(upstream) {
		return noContent
	}

	return answer{http.StatusBadRequest, map[string]any{"message": fmt.Sprintf("no healthchecker found for %v", upstream.values["name"])}}
}

// checked says whether any check of the upstream is on.
func checked(upstream *row) bool {
	for _, path := range []string{
		"healthchecks.active.healthy.interval", "healthchecks.active.unhealthy.interval", "healthchecks.passive.healthy.successes",
		"healthchecks.passive.unhealthy.http_failures", "healthchecks.passive.unhealthy.tcp_failures", "healthchecks.passive.unhealthy.timeouts",
	} {
		if number, _ := dig(upstream.values, path).(float64); number > 0 {
			return true
		}
	}

	return false
}

func (s *Server) health(upstream *row, whole bool) answer {
	targets := s.rows(s.entities["targets"], scope{"upstream", upstream.id}, false)
	node := s.anyID()

	if whole {
		return answer{http.StatusOK, map[string]any{"node_id": node, "next": nil, "data": balancer(upstream, targets)}}
	}

	data := []any{}
	for _, target := range targets {
		line := cloneMap(target.values)
		line["health"], line["data"] = "HEALTHCHECKS_OFF", peer(target, "health", "HEALTHCHECKS_OFF")
		data = append(data, line)
	}

	return answer{http.StatusOK, map[string]any{"node_id": node, "next": nil, "data": data}}
}

func balancer(upstream *row, targets []*row) map[string]any {
	hosts, total := []any{}, 0.0
	for _, target := range slices.Backward(targets) { // the balancer has them in the order in which they came
		hosts = append(hosts, peer(target, "healthy", true))
		weight, _ := target.values["weight"].(float64)
		total += weight
	}

	health := "HEALTHY"
	if total == 0 {
		health = "UNHEALTHY"
	}

	return map[string]any{
		"id": upstream.id, "health": "HEALTHCHECKS_OFF", "balancer_health": health,
		"details": map[string]any{"healthy": total > 0, "hosts": hosts, "weight": weights(total)},
	}
}

func weights(total float64) map[string]any {
	return map[string]any{"total": total, "available": total, "unavailable": 0.0}
}

// peer is a target as the balancer sees it.
func peer(target *row, word string, health any) map[string]any {
	text, _ := target.values["target"].(string)
	weight, _ := target.values["weight"].(float64)
	colon := strings.LastIndex(text, ":")
	host, port := text[:colon], 0.0
	if _, err := fmt.Sscan(text[colon+1:], &port); err != nil {
		port = 0
	}

	kind := "A"
	if address, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && address.Is6() {
		kind = "AAAA"
	}

	return map[string]any{
		"host": host, "port": port, "dns": kind, "nodeWeight": weight, "weight": weights(weight),
		"addresses": []any{map[string]any{"ip": host, "port": port, "weight": weight, word: health}},
	}
}
