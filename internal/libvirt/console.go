package libvirt

import (
	"context"
	"sync"
)

// consoleStream is an open console of a running machine.
type consoleStream interface {
	read() []byte // what has come since; never waits
	close()
}

// consoleKept is how much of the end of a console's output is kept, in bytes.
const consoleKept = 8 << 10

// Console keeps the end of what a running machine writes to its serial console.
type Console struct {
	stream consoleStream

	mu   sync.Mutex
	text []byte
}

// OpenConsole opens the machine's serial console. Only one may have it: whoever opens it while somebody else reads gets an error.
func (h *Host) OpenConsole(ctx context.Context, uuid string) (*Console, error) {
	stream, err := do(ctx, h, "open the machine's console", func(c connection) (consoleStream, error) { return c.openConsole(uuid) })
	if err != nil {
		return nil, err
	}

	return &Console{stream: stream}, nil
}

// Text returns the end of what has been written since the console was opened.
func (c *Console) Text() string {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.text = append(c.text, c.stream.read()...)
	c.text = c.text[max(0, len(c.text)-consoleKept):]

	return string(c.text)
}

// Close lets others open the console.
func (c *Console) Close() { c.stream.close() }
