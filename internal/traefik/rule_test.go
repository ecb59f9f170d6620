package traefik

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRuleIsWrittenInTraefiksLanguage(t *testing.T) {
	tests := map[string]struct {
		hosts, paths []string
		want         string
	}{
		"one host":               {[]string{"shop.example.com"}, nil, "Host(`shop.example.com`)"},
		"one path":               {nil, []string{"/"}, "PathPrefix(`/`)"},
		"one of both":            {[]string{"a.test"}, []string{"/x"}, "Host(`a.test`) && PathPrefix(`/x`)"},
		"several, in order":      {[]string{"b.test", "a.test"}, []string{"/y", "/x"}, "(Host(`a.test`) || Host(`b.test`)) && (PathPrefix(`/x`) || PathPrefix(`/y`))"},
		"a backtick is escaped":  {nil, []string{"/`) || PathPrefix(`/"}, "PathPrefix(\"/`) || PathPrefix(`/\")"},
		"a quote stays a quote":  {nil, []string{`/"x"'`}, "PathPrefix(`/\"x\"'`)"},
		"both kinds are escaped": {nil, []string{"/`\""}, "PathPrefix(\"/`\\\"\")"},
		"nothing asks nothing":   {nil, nil, ""},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := renderRule(test.hosts, test.paths); got != test.want {
				t.Errorf("rule is %s, want %s", got, test.want)
			}
		})
	}
}

func TestRuleWrittenByHandIsReadOrRefused(t *testing.T) {
	tests := map[string]struct {
		rule         string
		hosts, paths []string
		err          string
	}{
		"spaces, parentheses and case": {"((host(\"a.test\")))&&(PATHPREFIX(`/x`))", []string{"a.test"}, []string{"/x"}, ""},
		"paths first":                  {"PathPrefix(`/x`) && Host(`a.test`)", []string{"a.test"}, []string{"/x"}, ""},
		"a repetition":                 {"Host(`a.test`) || Host(`a.test`)", []string{"a.test"}, nil, ""},
		"another matcher":              {"Host(`a.test`) && Method(`GET`)", nil, nil, "the matcher Method is not understood"},
		"a negation":                   {"!Host(`a.test`)", nil, nil, "only Host and PathPrefix"},
		"a mixed alternative":          {"Host(`a.test`) || PathPrefix(`/`)", nil, nil, "either Host or PathPrefix"},
		"hosts twice":                  {"Host(`a.test`) && Host(`b.test`)", nil, nil, "Host is asked for twice"},
		"two values":                   {"Host(`a.test`, `b.test`)", nil, nil, "one value each"},
		"no string":                    {"Host(1)", nil, nil, "one value each"},
		"no rule at all":               {"Host(`a.test`", nil, nil, "read the rule"},
		"empty":                        {"", nil, nil, "read the rule"},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			hosts, paths, err := parseRule(test.rule)
			expect(t, err, test.err)

			if err == nil && !(slices.Equal(hosts, test.hosts) && slices.Equal(paths, test.paths)) {
				t.Errorf("read %q and %q, want %q and %q", hosts, paths, test.hosts, test.paths)
			}
		})
	}
}

func TestEveryRuleIsReadAsItWasWritten(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 12))

	for range 5000 {
		hosts, paths := randomTexts(random, ""), randomTexts(random, "/")
		if len(hosts)+len(paths) == 0 {
			continue
		}

		rule := renderRule(hosts, paths)

		gotHosts, gotPaths, err := parseRule(rule)
		if err != nil {
			t.Fatalf("read %s: %v", rule, err)
		}

		if diff := cmp.Diff([][]string{hosts, paths}, [][]string{gotHosts, gotPaths}); diff != "" {
			t.Fatalf("rule %s differs (-written +read):\n%s", rule, diff)
		}
	}
}

// randomTexts returns different texts in order, full of what a rule might trip over; none in a quarter of the cases.
func randomTexts(random *rand.Rand, begin string) []string {
	alphabet := []rune("ab`\"'\\()|&,/ \n\r\t\x00ü中%")

	var texts []string

	for range random.IntN(4) {
		text := []rune(begin)
		for range random.IntN(8) {
			text = append(text, alphabet[random.IntN(len(alphabet))])
		}

		texts = append(texts, string(text))
	}

	slices.Sort(texts)

	return slices.Compact(texts)
}
