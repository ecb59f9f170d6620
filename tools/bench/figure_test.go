package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMedianIsTheMiddleWhateverTheOrder(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{8, 1, 100, 2}, 5},
	} {
		before := append([]float64{}, test.values...)

		if got := median(test.values); got != test.want {
			t.Errorf("median(%v) = %v, want %v", test.values, got, test.want)
		}

		if diff := cmp.Diff(before, test.values); diff != "" {
			t.Errorf("The order of the samples changed:\n%s", diff)
		}
	}
}

func TestFigureIsTheMedianOfItsOwnSamples(t *testing.T) {
	var s samples

	for _, sample := range []float64{1, 5, 2} {
		s.record("slow_seconds", 10*sample, seconds)
		s.record("slow_ratio", sample, times)
	}

	want := []figure{
		{Name: "slow_seconds", Value: 20, Unit: seconds, Samples: []float64{10, 50, 20}},
		{Name: "slow_ratio", Value: 2, Unit: times, Samples: []float64{1, 5, 2}},
	}
	if diff := cmp.Diff(want, s.medians()); diff != "" {
		t.Error(diff)
	}
}

func TestFigureIsOneLineOfNameValueAndUnit(t *testing.T) {
	var s samples

	s.record("refresh_seconds", 2.34567, seconds)
	s.record("read_ms", 1234567, milliseconds)
	s.record("tiny_ratio", 0.000012345, times)

	var text bytes.Buffer
	if err := printLines(&text, s.medians()); err != nil {
		t.Fatal(err)
	}

	const want = "refresh_seconds 2.346 s\nread_ms 1235000 ms\ntiny_ratio 0.00001234 x\n"
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Error(diff)
	}
}

func TestJSONHoldsWhatIsPrinted(t *testing.T) {
	var s samples

	s.record("refresh_seconds", 1.23456, seconds)
	s.record("refresh_seconds", 3, seconds)

	path := filepath.Join(t.TempDir(), "bench.json")
	if err := writeJSON(path, result{Cores: 2, Figures: s.medians()}); err != nil {
		t.Fatal(err)
	}

	want := map[string]any{"cores": 2.0, "memory_gib": 0.0, "figures": []any{map[string]any{
		"name": "refresh_seconds", "value": 2.118, "unit": "s", "samples": []any{1.235, 3.0}, "load": 0.0,
	}}}
	if diff := cmp.Diff(want, readJSON(t, path)); diff != "" {
		t.Error(diff)
	}
}

func TestJSONOfNoFigureIsAnEmptyList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.json")
	if err := writeJSON(path, result{}); err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff([]any{}, readJSON(t, path)["figures"]); diff != "" {
		t.Error(diff)
	}
}

func readJSON(t *testing.T, path string) map[string]any {
	t.Helper()

	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	var document map[string]any
	if err := json.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}

	return document
}
