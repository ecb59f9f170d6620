package topology

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCPUSetReadsTheListFormat(t *testing.T) {
	for _, test := range []struct {
		text      string
		cpus      []int
		canonical string
	}{
		{"0", []int{0}, "0"},
		{"0-3,8", []int{0, 1, 2, 3, 8}, "0-3,8"},
		{"8,0-3", []int{0, 1, 2, 3, 8}, "0-3,8"},
		{"0,1,2,3", []int{0, 1, 2, 3}, "0-3"},
		{"4,5", []int{4, 5}, "4-5"},
		{"3-3", []int{3}, "3"},
		{"0-4,2-6,5", []int{0, 1, 2, 3, 4, 5, 6}, "0-6"},
		{"0-7,^3", []int{0, 1, 2, 4, 5, 6, 7}, "0-2,4-7"},
		{"0-7,^2-5", []int{0, 1, 6, 7}, "0-1,6-7"},
		{"^3,0-7", []int{0, 1, 2, 3, 4, 5, 6, 7}, "0-7"},
		{" 0 - 1 , 3 ", []int{0, 1, 3}, "0-1,3"},
		{"007", []int{7}, "7"},
		{"8191", []int{8191}, "8191"},
	} {
		set, err := ParseCPUSet(test.text)
		if err != nil {
			t.Errorf("ParseCPUSet(%q): %v", test.text, err)

			continue
		}

		if diff := cmp.Diff(test.cpus, set.CPUs()); diff != "" {
			t.Errorf("ParseCPUSet(%q) (-want +got):\n%s", test.text, diff)
		}

		if got := set.String(); got != test.canonical {
			t.Errorf("ParseCPUSet(%q).String() = %q, want %q", test.text, got, test.canonical)
		}
	}
}

func TestParseCPUSetSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":           `parse CPU set "": it names no CPU`,
		"  ":         `parse CPU set "  ": it names no CPU`,
		"^3":         `parse CPU set "^3": it names no CPU`,
		"0-3,^0-3":   `parse CPU set "0-3,^0-3": it names no CPU`,
		"0-3,":       `parse CPU set "0-3,": "" is not a CPU number`,
		"x":          `parse CPU set "x": "x" is not a CPU number`,
		"-1":         `parse CPU set "-1": "" is not a CPU number`,
		"1-":         `parse CPU set "1-": "" is not a CPU number`,
		"+1":         `parse CPU set "+1": "+1" is not a CPU number`,
		"0x1":        `parse CPU set "0x1": "0x1" is not a CPU number`,
		"1-2-3":      `parse CPU set "1-2-3": "2-3" is not a CPU number`,
		"1.5":        `parse CPU set "1.5": "1.5" is not a CPU number`,
		"3-1":        `parse CPU set "3-1": range "3-1" runs backwards`,
		"8192":       `parse CPU set "8192": CPU 8192 is above the highest possible, 8191`,
		"0-99999":    `parse CPU set "0-99999": CPU 99999 is above the highest possible, 8191`,
		"4294967296": `parse CPU set "4294967296": "4294967296" is not a CPU number`,
	} {
		set, err := ParseCPUSet(text)
		if err == nil {
			t.Errorf("ParseCPUSet(%q) = %v, want the error %q", text, set, want)
		} else if err.Error() != want {
			t.Errorf("ParseCPUSet(%q): %q, want %q", text, err, want)
		}
	}
}

func TestEmptySetWritesNothing(t *testing.T) {
	if set := NewCPUSet(); set.String() != "" || !set.IsEmpty() || set.Len() != 0 {
		t.Errorf("the empty set writes %q and has %d CPUs", set, set.Len())
	}

	if !NewCPUSet().Equal(CPUSet{}) {
		t.Error("the zero value is not the empty set")
	}
}

func TestFormattedSetParsesBackToItself(t *testing.T) {
	check(t, func(a, _, _ CPUSet) bool {
		if a.IsEmpty() {
			return true
		}

		parsed, err := ParseCPUSet(a.String())

		return err == nil && parsed.Equal(a) && parsed.String() == a.String()
	})
}

func TestSetsObeyTheLawsOfSets(t *testing.T) {
	for name, law := range map[string]func(a, b, c CPUSet) bool{
		"union commutes":              func(a, b, _ CPUSet) bool { return a.Union(b).Equal(b.Union(a)) },
		"intersection commutes":       func(a, b, _ CPUSet) bool { return a.Intersect(b).Equal(b.Intersect(a)) },
		"union associates":            func(a, b, c CPUSet) bool { return a.Union(b).Union(c).Equal(a.Union(b.Union(c))) },
		"intersection associates":     func(a, b, c CPUSet) bool { return a.Intersect(b).Intersect(c).Equal(a.Intersect(b.Intersect(c))) },
		"intersection distributes":    func(a, b, c CPUSet) bool { return a.Intersect(b.Union(c)).Equal(a.Intersect(b).Union(a.Intersect(c))) },
		"union absorbs":               func(a, b, _ CPUSet) bool { return a.Union(a.Intersect(b)).Equal(a) },
		"the empty set is neutral":    func(a, _, _ CPUSet) bool { return a.Union(CPUSet{}).Equal(a) && a.Minus(CPUSet{}).Equal(a) },
		"a set minus itself is empty": func(a, _, _ CPUSet) bool { return a.Minus(a).IsEmpty() },
		"difference and intersection part": func(a, b, _ CPUSet) bool {
			return a.Minus(b).Union(a.Intersect(b)).Equal(a) && a.Minus(b).Intersect(b).IsEmpty()
		},
		"sizes add up": func(a, b, _ CPUSet) bool { return a.Union(b).Len()+a.Intersect(b).Len() == a.Len()+b.Len() },
	} {
		t.Run(name, func(t *testing.T) { check(t, law) })
	}
}

func TestSetContainsExactlyItsMembers(t *testing.T) {
	check(t, func(a, _, _ CPUSet) bool {
		for cpu := range 30 {
			if a.Contains(cpu) != slices.Contains(a.CPUs(), cpu) {
				return false
			}
		}

		return true
	})
}

func TestSetsCannotBeChangedFromOutside(t *testing.T) {
	numbers := []int{3, 1, 2}
	set := NewCPUSet(numbers...)
	numbers[0] = 99
	set.CPUs()[0] = 99
	_ = set.Union(NewCPUSet(7))

	if got := set.String(); got != "1-3" {
		t.Errorf("the set became %q", got)
	}
}

// check tries a property on random sets whose CPUs lie close enough to form ranges and to meet those of other sets.
func check(t *testing.T, property func(a, b, c CPUSet) bool) {
	t.Helper()

	random := rand.New(rand.NewPCG(1, 2))
	draw := func() CPUSet {
		cpus := make([]int, random.IntN(20))
		for i := range cpus {
			cpus[i] = random.IntN(24)
		}

		return NewCPUSet(cpus...)
	}

	for range 500 {
		if a, b, c := draw(), draw(), draw(); !property(a, b, c) {
			t.Fatalf("the law does not hold for %q, %q and %q", a, b, c)
		}
	}
}
