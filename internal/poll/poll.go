// Package poll waits for what takes its time, with a deadline and without guessing how long.
package poll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// interval is how often a probe looks.
const interval = 250 * time.Millisecond

// ErrNotYet wraps what a probe saw that may still change.
var ErrNotYet = errors.New("not yet")

// Until calls probe until it succeeds, fails for good (with an error that is not ErrNotYet), or ctx ends. attempt counts
// from 0. what completes the sentence "gave up waiting for ...".
func Until(ctx context.Context, what string, probe func(attempt int) error) error {
	tflog.Debug(ctx, "waiting", map[string]any{"for": what})

	started := time.Now()
	ticker := time.NewTicker(interval)

	defer ticker.Stop()

	var seen error

	for attempt := 0; ; attempt++ {
		err := probe(attempt)
		if !errors.Is(err, ErrNotYet) {
			return err
		}

		if seen == nil || ctx.Err() == nil { // a look that the deadline cut short has seen nothing
			seen = err
		}

		select {
		case <-ticker.C:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return fmt.Errorf("was cancelled while waiting for %s; last seen: %w", what, seen)
			}

			return fmt.Errorf("gave up waiting for %s after %s; last seen: %w. If it only takes longer, raise the limit in timeouts",
				what, time.Since(started).Round(time.Second), seen)
		}
	}
}
