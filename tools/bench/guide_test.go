package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGuideShowsTheKeptFigures(t *testing.T) {
	kept, err := readResult("result.json")
	if err != nil {
		t.Fatal(err)
	}

	if len(kept.Figures) == 0 {
		t.Fatal("there are no figures")
	}

	guide, err := os.ReadFile(filepath.Join("..", "..", guidePath))
	if err != nil {
		t.Fatal(err)
	}

	want, err := withTable(string(guide), kept.markdown())
	if err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff(want, string(guide)); diff != "" {
		t.Errorf("The guide shows other figures than tools/bench/result.json has:\n%s", diff)
	}
}

func TestNewFiguresReplaceThoseOfTheirNameAndNoOthers(t *testing.T) {
	folder := t.TempDir()
	kept, guide := filepath.Join(folder, "result.json"), filepath.Join(folder, "guide.md")

	if err := os.WriteFile(guide, []byte("# Speed\n"+tableBegins+"\nold\n"+tableEnds+"\nThe end.\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	three := []float64{1, 2, 3}

	for _, run := range []result{
		{Cores: 2, MemoryGiB: 16, Figures: []figure{{Name: "refresh_1000_vms_ratio", Value: 7, Unit: times}}}, // on another machine
		{Cores: 4, MemoryGiB: 16, Figures: []figure{
			{Name: "create_50_vms_ratio", Value: 1.04, Unit: times, Load: 3}, {Name: "create_50_vms_seconds", Value: 9.1234, Unit: seconds, Samples: three, Load: 3},
		}},
		{Cores: 4, MemoryGiB: 16, Figures: []figure{
			{Name: "create_50_vms_ratio", Value: 1.119, Unit: times, Load: 0.5}, {Name: "refresh_1000_services_requests", Value: 1000, Unit: count, Load: 0.5},
		}},
	} {
		if err := publish(run, kept, guide); err != nil {
			t.Fatal(err)
		}
	}

	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}

	for _, want := range []string{
		"# Speed\n", "\nThe end.\n", "Medians of up to 3 rounds on a machine with 4 cores and 16 GiB of memory, whose load average was 0.5 to 3 before.",
		"| Creating and starting 50 machines | 9.12 s | not measured: the same definitions made by libvirt's binding, ten at a time | 1.12 | at most 1.3 | starting QEMU |",
		"| Requests in that | 1000 |  |  | one a service |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("The guide lacks %q:\n%s", want, text)
		}
	}

	if strings.Contains(string(text), "7.00") {
		t.Errorf("The guide shows the figure of another machine:\n%s", text)
	}

	if strings.Contains(string(text), "old") {
		t.Errorf("The guide still has its old table:\n%s", text)
	}
}

func TestGuideWithoutAPlaceForTheTableIsRefused(t *testing.T) {
	if _, err := withTable("# Speed\n", "table"); err == nil {
		t.Error("a guide without the two lines is taken")
	}
}
