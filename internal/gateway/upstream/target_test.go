package upstream

import (
	"strings"
	"testing"
)

func TestTargetHasOneFormOnly(t *testing.T) {
	tests := map[string]string{ // what the error says; "" for none
		"10.0.0.101:80":          "",
		"web-1.example.com:8080": "",
		"localhost:65535":        "",
		"[fd00::101]:80":         "",
		"":                       "missing port",
		"10.0.0.101":             "missing port",
		":80":                    "neither an IP address nor a host name",
		"10.0.0.101:":            "the port",
		"10.0.0.101:0":           "the port",
		"10.0.0.101:65536":       "the port",
		"10.0.0.101:080":         "the port",
		"10.0.0.101:+80":         "the port",
		"10.0.0.101:http":        "the port",
		"fd00::101:80":           "too many colons",
		"[fd00:0::101]:80":       `is written "fd00::101"`,
		"[fd00::101%eth0]:80":    `is written "fd00::101"`,
		"[10.0.0.101]:80":        `is written "10.0.0.101:80"`,
		"Web-1:80":               "lower case",
		"web_1:80":               "neither",
		"-web:80":                "neither",
		"web..1:80":              "neither",
		"http://web:80":          "too many colons",
		"web`:80":                "neither",
		"we b:80":                "neither",
	}

	for target, want := range tests {
		t.Run(target, func(t *testing.T) {
			err := checkTarget(target)
			if want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}

			if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("error is %v, want one with %q", err, want)
			}
		})
	}
}
