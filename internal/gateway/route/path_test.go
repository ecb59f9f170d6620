package route

import (
	"strings"
	"testing"
)

func TestPathIsOneThatEveryEngineMatchesAlike(t *testing.T) {
	tests := map[string]string{ // what the error says; "" for none
		"/":            "",
		"/shop":        "",
		"/shop/":       "",
		"/v1.2/a-b_c~": "",
		"/it's;x=1,2":  "",
		"/...":         "",
		"/.well-known": "",
		"":             "does not begin with",
		"shop":         "does not begin with",
		"~/shop":       "does not begin with",
		"/a b":         "other than letters",
		"/a%20b":       "other than letters",
		"/a?b":         "other than letters",
		"/a#b":         "other than letters",
		"/`":           "other than letters",
		`/"`:           "other than letters",
		"/ü":           "other than letters",
		"/a\n":         "other than letters",
		"//":           "empty segment",
		"/a//b":        "empty segment",
		"/a//":         "empty segment",
		"/.":           "empty segment",
		"/a/./b":       "empty segment",
		"/a/..":        "empty segment",
		"/../a":        "empty segment",
	}

	for path, want := range tests {
		t.Run(path, func(t *testing.T) {
			err := checkPath(path)
			if want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}

			if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("error is %v, want one with %q", err, want)
			}
		})
	}
}
