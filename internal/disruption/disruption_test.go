package disruption

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table in the guide anew")

// guide has the table of all rules between two lines.
const (
	guide = "../../templates/guides/changing-a-machine.md"
	begin = "<!-- written by make generate: begin -->\n"
	end   = "<!-- written by make generate: end -->\n"
)

func TestGuideHasTheTableOfAllRules(t *testing.T) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}

	before, rest, found := strings.Cut(string(text), begin)
	table, after, closed := strings.Cut(rest, end)

	if !found || !closed {
		t.Fatalf("%s has no place for the table: the lines %q and %q", guide, begin, end)
	}

	want := "\n" + Markdown() + "\n"
	if table == want {
		return
	}

	if !*update {
		t.Fatalf("%s has another table than the rules say. Write it anew with make generate", guide)
	}

	if err := os.WriteFile(guide, []byte(before+begin+want+end+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFirstRuleThatFitsDecides(t *testing.T) {
	saved := rules
	t.Cleanup(func() { rules = saved })

	rules = []Rule{
		{"disks", added, Live, "1"},
		{"disks.*.volume", undecided, Replace, "2"},
		{"disks.*.volume", ofBootDisk, Reboot, "3"},
		{"disks.*.volume", always, Live, "4"},
		{"memory", ofContainer, None, "8"},
		{"memory", within, Live, "5"},
		{"memory", always, Reboot, "6"},
		{"wait_for", always, None, "7"},
	}

	for _, test := range []struct {
		change Change
		want   string
	}{
		{Change{Attribute: "disks", Kind: Added}, "1"},
		{Change{Attribute: "disks", Kind: Removed}, "nothing is known about how to change it on a machine that there is"},
		{Change{Attribute: "disks.*.volume"}, "4"},
		{Change{Attribute: "disks.*.volume", Boot: true}, "3"},
		{Change{Attribute: "disks.*.volume", Kind: Undecided}, "2"},
		{Change{Attribute: "disks.*", Kind: Undecided}, "2"},
		{Change{Attribute: "disks", Kind: Undecided}, "2"},
		{Change{Attribute: "memory"}, "6"},
		{Change{Attribute: "memory", Within: true}, "5"},
		{Change{Attribute: "memory", Kind: Undecided}, "6"},
		{Change{Attribute: "memory", Container: true}, "8"},
		{Change{Attribute: "memory", Container: true, Kind: Undecided}, "8"},
		{Change{Attribute: "disks.*.volume", Container: true}, "4"},
		{Change{Attribute: "wait_for.tcp"}, "7"},
		{Change{Attribute: "wait_for.tcp", Kind: Undecided}, "7"},
		{Change{Attribute: "nobody.knows"}, "nothing is known about how to change it on a machine that there is"},
		{Change{Attribute: "nobody.knows", Kind: Undecided}, "nothing is known about how to change it on a machine that there is"},
	} {
		if got := Judge(test.change); got.Reason != test.want {
			t.Errorf("%+v is decided by %+v, want rule %q", test.change, got, test.want)
		}
	}
}

func TestWhatNoRuleSpeaksOfReplaces(t *testing.T) {
	if got := Judge(Change{Attribute: "nobody.knows"}); got.Class != Replace || got.Attribute != "nobody.knows" {
		t.Errorf("an attribute without a rule is of class %s, as %q", got.Class, got.Attribute)
	}
}

// TestEachRuleCanDecide finds rules that another one hides, and such as are written twice.
func TestEachRuleCanDecide(t *testing.T) {
	samples := map[Condition]Change{
		always: {}, added: {Kind: Added}, removed: {Kind: Removed}, within: {Within: true}, ofBootDisk: {Boot: true}, undecided: {Kind: Undecided},
		ofContainer: {Container: true}, staying: {Staying: true},
	}

	for _, rule := range Rules() {
		change := samples[rule.When]
		change.Attribute = rule.Attribute

		if got := Judge(change); got != rule {
			t.Errorf("%s (%s) is decided by %+v", rule.Attribute, rule.When, got)
		}

		if rule.Reason == "" || strings.ContainsAny(rule.Reason, "|\n") {
			t.Errorf("%s has the reason %q", rule.Attribute, rule.Reason)
		}
	}
}

func TestClassesAreReadAsTheyAreWritten(t *testing.T) {
	for _, class := range []Class{None, Live, Reboot, Replace} {
		if got := Parse(class.String()); got != class {
			t.Errorf("%s is read as %s", class, got)
		}
	}

	if Parse("") != Live || len(Names()) != 4 {
		t.Errorf("nothing is read as %s, and the classes are %v", Parse(""), Names())
	}
}
