package traefik

import (
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/google/go-cmp/cmp"
)

func TestRuleIsWrittenInTraefiksLanguage(t *testing.T) {
	tests := map[string]struct {
		route gateway.Route
		want  string
	}{
		"one host":               {gateway.Route{Hosts: []string{"shop.example.com"}}, "Host(`shop.example.com`)"},
		"all hosts below one":    {gateway.Route{Hosts: []string{"*.shop.test", "shop.test"}}, "(HostRegexp(`^.+\\.shop\\.test$`) || Host(`shop.test`))"},
		"one path":               {gateway.Route{Paths: []string{"/"}}, "PathPrefix(`/`)"},
		"one of both":            {gateway.Route{Hosts: []string{"a.test"}, Paths: []string{"/x"}}, "Host(`a.test`) && PathPrefix(`/x`)"},
		"several, in order":      {gateway.Route{Hosts: []string{"b.test", "a.test"}, Paths: []string{"/y", "/x"}}, "(Host(`a.test`) || Host(`b.test`)) && (PathPrefix(`/x`) || PathPrefix(`/y`))"},
		"all kinds of paths":     {gateway.Route{Paths: []string{"/x"}, ExactPaths: []string{"/e"}, PathPatterns: []string{"/v[0-9]|/w"}}, "(PathRegexp(`^(?:/v[0-9]|/w)`) || Path(`/e`) || PathPrefix(`/x`))"},
		"methods and headers":    {gateway.Route{Methods: []string{"PUT", "GET"}, Headers: map[string][]string{"X-B": {"1"}, "X-A": {"a.b", "c"}}}, "(Method(`GET`) || Method(`PUT`)) && (HeaderRegexp(`X-A`, `(?i)^a\\.b$`) || HeaderRegexp(`X-A`, `(?i)^c$`)) && HeaderRegexp(`X-B`, `(?i)^1$`)"},
		"any connection":         {gateway.Route{Protocol: gateway.TCP}, "HostSNI(`*`)"},
		"server names":           {gateway.Route{Protocol: gateway.TLS, SNIs: []string{"b.test", "a.test"}}, "(HostSNI(`a.test`) || HostSNI(`b.test`))"},
		"a backtick is escaped":  {gateway.Route{Paths: []string{"/`) || PathPrefix(`/"}}, "PathPrefix(\"/`) || PathPrefix(`/\")"},
		"a quote stays a quote":  {gateway.Route{Paths: []string{`/"x"'`}}, "PathPrefix(`/\"x\"'`)"},
		"both kinds are escaped": {gateway.Route{Paths: []string{"/`\""}}, "PathPrefix(\"/`\\\"\")"},
		"nothing asks nothing":   {gateway.Route{}, ""},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, renderRule(test.route, pathsOf(test.route))); diff != "" {
				t.Errorf("rule differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRuleWrittenByHandIsReadOrRefused(t *testing.T) {
	tests := map[string]struct {
		rule string
		want gateway.Route
		err  string
	}{
		"spaces, parentheses and case": {"((host(\"a.test\")))&&(PATHPREFIX(`/x`))", gateway.Route{Hosts: []string{"a.test"}, Paths: []string{"/x"}}, ""},
		"paths first":                  {"PathPrefix(`/x`) && Host(`a.test`)", gateway.Route{Hosts: []string{"a.test"}, Paths: []string{"/x"}}, ""},
		"all hosts below one":          {"Host(`a.test`) || HostRegexp(`^.+\\.a\\.test$`)", gateway.Route{Hosts: []string{"a.test", "*.a.test"}}, ""},
		"hosts of their own":           {"HostRegexp(`^[ab]\\.test$`)", gateway.Route{}, "the pattern of hosts"},
		"another matcher":              {"Host(`a.test`) && Query(`a`)", gateway.Route{}, "the matcher Query is not understood"},
		"a pattern of their own":       {"PathRegexp(`/x`)", gateway.Route{}, "is not of the form"},
		"a header of their own":        {"HeaderRegexp(`X-A`, `a|b`)", gateway.Route{}, "compared with more than a value"},
		"a negation":                   {"!Host(`a.test`)", gateway.Route{}, "only matchers with values"},
		"a mixed alternative":          {"Host(`a.test`) || PathPrefix(`/`)", gateway.Route{}, "either Host or path"},
		"hosts twice":                  {"Host(`a.test`) && Host(`b.test`)", gateway.Route{}, "Host is asked for twice"},
		"two values":                   {"Host(`a.test`, `b.test`)", gateway.Route{}, "Host has 2 values"},
		"no string":                    {"Host(1)", gateway.Route{}, "texts as values"},
		"no rule at all":               {"Host(`a.test`", gateway.Route{}, "read the rule"},
		"empty":                        {"", gateway.Route{}, "read the rule"},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseRule(test.rule)
			expect(t, err, test.err)

			if diff := cmp.Diff(test.want, got); err == nil && diff != "" {
				t.Errorf("route differs (-want +got):\n%s", diff)
			}
		})
	}
}
