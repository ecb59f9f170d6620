package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
)

// unit is what a figure's value counts.
type unit string

const (
	seconds      unit = "s"
	milliseconds unit = "ms"
	calls        unit = "calls"
	times        unit = "x" // a ratio; the figure's name ends in _ratio
	count        unit = "requests"
)

// figure is one result: the median of its samples.
type figure struct {
	Name    string    `json:"name"`
	Value   float64   `json:"value"`
	Unit    unit      `json:"unit"`
	Samples []float64 `json:"samples"` // in the order in which they were taken
	Load    float64   `json:"load"`    // average of the minute before the benchmarks, by others
}

// String returns the figure's line: name, value, unit.
func (f figure) String() string { return fmt.Sprintf("%s %s %s", f.Name, decimal(f.Value), f.Unit) }

// samples collects what the rounds measure. Figures keep the order in which they were first recorded.
type samples struct {
	figures []figure
}

// record adds a sample to the figure of that name.
func (s *samples) record(name string, value float64, in unit) {
	value = significant(value)

	for i := range s.figures {
		if s.figures[i].Name == name {
			s.figures[i].Samples = append(s.figures[i].Samples, value)

			return
		}
	}

	s.figures = append(s.figures, figure{Name: name, Unit: in, Samples: []float64{value}})
}

// medians returns the figures.
func (s *samples) medians() []figure {
	figures := slices.Clone(s.figures)
	for i := range figures {
		figures[i].Value = significant(median(figures[i].Samples))
	}

	return figures
}

// median returns the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2

	if len(sorted)%2 == 1 {
		return sorted[middle]
	}

	return (sorted[middle-1] + sorted[middle]) / 2
}

// significant rounds to four digits: more would be noise.
func significant(value float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(value, 'g', 4, 64), 64)
	if err != nil {
		panic(fmt.Sprintf("round %v: %v", value, err)) // what FormatFloat writes, ParseFloat reads
	}

	return rounded
}

// decimal writes a value without an exponent.
func decimal(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

func printLines(to io.Writer, figures []figure) error {
	for _, f := range figures {
		if _, err := fmt.Fprintln(to, f); err != nil {
			return fmt.Errorf("print the figures: %w", err)
		}
	}

	return nil
}

// writeJSON writes a result, with the figures as [{"name", "value", "unit", "samples"}].
func writeJSON(path string, of result) error {
	of.Figures = append([]figure{}, of.Figures...) // none is [], not null

	text, err := json.MarshalIndent(of, "", "  ")
	if err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}

	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}

	return nil
}
