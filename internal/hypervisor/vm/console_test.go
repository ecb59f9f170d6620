package vm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConsoleIsReadWithoutWhatOnlyTerminalsObey(t *testing.T) {
	text := "SeaBIOS\r\n\r\n\x1b[2J\x1b[01;01HBooting\tfrom disk\r\n\x1b[0;31mKernel panic\x1b[0m - not syncing: out of luck\x07\r\n  \r\nhalf a li"

	want := []string{"Bootingfrom disk", "Kernel panic - not syncing: out of luck", "half a li"}
	if diff := cmp.Diff(want, tail(text, 3)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	if got := tail(strings.Repeat("line\n", 50), 12); len(got) != 12 {
		t.Errorf("%d lines are kept", len(got))
	}

	if got := tail("\r\n \x1b[H", 12); len(got) != 0 {
		t.Errorf("a console that says nothing says %q", got)
	}
}

func TestMachineWithoutAConsoleSaysNothing(t *testing.T) {
	if got := (console{}).last(); got != "" {
		t.Errorf("a machine without a console says %q", got)
	}
}
