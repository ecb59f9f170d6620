package main

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBenchmarkRunsItsRoundsInOrder(t *testing.T) {
	b := benchmark{name: "counting", setup: func(_ context.Context, on *stage) (round, error) {
		on.record("setups", 1, times)

		return func(_ context.Context, number int) error {
			on.record("number", float64(number), times)

			return nil
		}, nil
	}}

	got, err := b.run(t.Context(), 3, io.Discard)
	if err != nil {
		t.Fatal(err)
	}

	want := []figure{
		{Name: "setups", Value: 1, Unit: times, Samples: []float64{1}},
		{Name: "number", Value: 1, Unit: times, Samples: []float64{0, 1, 2}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFailedRoundEndsTheBenchmarkWithoutFigures(t *testing.T) {
	broken := errors.New("broken")
	rounds := 0

	b := benchmark{name: "failing", setup: func(_ context.Context, on *stage) (round, error) {
		return func(context.Context, int) error {
			rounds++

			on.record("half", 1, seconds)

			return broken
		}, nil
	}}

	figures, err := b.run(t.Context(), 3, io.Discard)
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "round 1: ") {
		t.Errorf("The error is %v, and should be that of round 1", err)
	}

	if rounds != 1 || figures != nil {
		t.Errorf("There were %d rounds and the figures %v, and should be one round and none", rounds, figures)
	}
}

func TestBenchmarksAreChosenByName(t *testing.T) {
	all := []benchmark{{name: "refresh"}, {name: "plan"}, {name: "placement"}}

	for pattern, want := range map[string][]string{
		"":        {"refresh", "plan", "placement"},
		"^pla":    {"plan", "placement"},
		"refresh": {"refresh"},
	} {
		chosen, err := choose(all, regexp.MustCompile(pattern))
		if err != nil {
			t.Fatal(err)
		}

		var names []string
		for _, b := range chosen {
			names = append(names, b.name)
		}

		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%q chooses wrongly:\n%s", pattern, diff)
		}
	}
}

func TestPatternThatChoosesNothingIsRefusedNamingWhatThereIs(t *testing.T) {
	_, err := choose([]benchmark{{name: "refresh"}, {name: "plan"}}, regexp.MustCompile("apply"))

	const want = `choose benchmarks: none matches "apply"; there are refresh, plan`
	if err == nil || err.Error() != want {
		t.Errorf("The error is %v, and should be %s", err, want)
	}
}

func TestCommandLineIsChecked(t *testing.T) {
	for _, arguments := range [][]string{{"-rounds", "0"}, {"-run", "("}, {"refresh"}} {
		if _, err := parse(arguments); err == nil {
			t.Errorf("%q is accepted", arguments)
		}
	}

	settings, err := parse([]string{"-rounds", "3", "-run", "ref", "-out", "elsewhere"})
	if err != nil {
		t.Fatal(err)
	}

	if settings.rounds != 3 || settings.run.String() != "ref" || settings.out != "elsewhere" {
		t.Errorf("The command line is read as %+v", settings)
	}
}

func TestEventsAreCountedAndErrorsQuoted(t *testing.T) {
	const output = `{"@level":"info","@message":"one","type":"refresh_complete"}
{"@level":"info","@message":"two","type":"refresh_complete"}
{"@level":"error","@message":"Error: no host","type":"diagnostic","diagnostic":{"severity":"error"}}
`

	all, err := parseEvents([]byte(output))
	if err != nil {
		t.Fatal(err)
	}

	if got := all.count("refresh_complete"); got != 2 {
		t.Errorf("%d resources were read, and should be 2", got)
	}

	if got := all.errors(); got != "Error: no host\n" {
		t.Errorf("The errors are %q", got)
	}

	if _, err := parseEvents([]byte("Error: not JSON")); err == nil {
		t.Error("Text is read as JSON")
	}
}
