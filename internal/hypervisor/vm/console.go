package vm

import (
	"context"
	"regexp"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// consoleLines is how many lines of a guest's console an error has.
const consoleLines = 12

// console is the serial console of a machine that is waited for. A machine without one, or whose console somebody else
// reads, says nothing.
type console struct{ open *libvirt.Console }

func listen(ctx context.Context, host *libvirt.Host, id string) console {
	opened, err := host.OpenConsole(ctx, id)
	if err != nil {
		return console{}
	}

	return console{opened}
}

func (c console) close() {
	if c.open != nil {
		c.open.Close()
	}
}

// hear takes what the guest has written, so that it is there when the machine is not any more.
func (c console) hear() string {
	if c.open == nil {
		return ""
	}

	return c.open.Text()
}

// last says what the guest wrote last, as the end of an error.
func (c console) last() string {
	lines := tail(c.hear(), consoleLines)
	if len(lines) == 0 {
		return ""
	}

	return "\nThe last lines of its console:\n  " + strings.Join(lines, "\n  ")
}

// escapes are what a terminal obeys and a reader of errors should not see.
var escapes = regexp.MustCompile(`\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|.)|[^\P{C}\n]`)

// tail is the last lines of a console that have anything in them.
func tail(text string, count int) (lines []string) {
	for line := range strings.Lines(escapes.ReplaceAllString(text, "")) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}

	return lines[max(0, len(lines)-count):]
}
