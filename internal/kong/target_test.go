package kong

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kong/go-kong/kong"
)

func TestWeightIsGivenBeforeItIsTaken(t *testing.T) {
	target := func(name string, weight int, tags ...string) *kong.Target {
		return &kong.Target{ID: new("id of " + name), Target: &name, Weight: &weight, Tags: kong.StringSlice(tags...)}
	}
	current := []*kong.Target{
		target("10.0.0.1:80", 100, mark),
		target("10.0.0.2:80", 0, mark),
		target("10.0.0.3:80", 50, mark),
		target("10.0.0.4:80", 50),
		target("10.0.0.6:80", 50, mark),
		target("10.0.0.5:80", 50, "team", mark),
	}
	declared := map[string]int{"10.0.0.1:80": 0, "10.0.0.2:80": 30, "10.0.0.3:80": 50, "10.0.0.4:80": 50, "10.0.0.9:80": 30, "10.0.0.8:80": 0}

	needed, obsolete := changes(declared, current)

	var order []string
	for _, c := range needed {
		verb := "change "
		if c.id == "" {
			verb = "create "
		}
		order = append(order, verb+c.target)
	}
	for _, target := range obsolete {
		order = append(order, "delete "+*target.Target)
	}
	want := []string{
		"change 10.0.0.2:80", "create 10.0.0.9:80", // these gain 30
		"change 10.0.0.4:80", "create 10.0.0.8:80", // nothing but our mark, and nothing to receive yet
		"change 10.0.0.1:80", // loses 100
		"delete 10.0.0.5:80", "delete 10.0.0.6:80",
	}
	if difference := cmp.Diff(want, order); difference != "" {
		t.Errorf("order of the changes: wanted (-), got (+):\n%s", difference)
	}
}

func TestTargetsReadInTheFormInWhichTheyWerePut(t *testing.T) {
	cases := map[string]string{
		"10.0.0.1:80":             "10.0.0.1:80",
		"old.example.com:8000":    "old.example.com:8000",
		"web.service.consul:8000": "web.service.consul:8000",
		"without-port":            "without-port",
		"[fd00:0000::0001]:80":    "[fd00::1]:80",
		"[0000:0000:0000:0000:0000:0000:0000:0001]:8000": "[::1]:8000",
	}
	for kongs, want := range cases {
		if got := spelled(&kong.Target{Target: &kongs}); got != want {
			t.Errorf("%s reads as %s, not %s", kongs, got, want)
		}
	}
}
