package poll

import (
	"context"
	"errors"
	"time"
)

// Haste is how long each of the two things may take that come after somebody cancelled a run: ending what is under way, and
// taking back what it made. Together with what Terraform does then that stays within two seconds. What is not done by then
// is left to the next run.
const Haste = 800 * time.Millisecond

// Cancelled reports whether the context has ended because somebody cancelled the run, and not by a deadline.
func Cancelled(ctx context.Context) bool { return errors.Is(context.Cause(ctx), context.Canceled) }

// Aftermath returns a context in which the rest of an operation can be taken back that failed under ctx, also when that has
// ended: up to the limit, or to Haste if the run was cancelled.
func Aftermath(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if Cancelled(ctx) {
		limit = min(limit, Haste)
	}

	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}
