package poll_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

func TestUntilEndsWithSuccessAFinalErrorOrTheDeadline(t *testing.T) {
	final := errors.New("out of order")

	for name, test := range map[string]struct {
		answer func(attempt int) error
		want   string // within the error; "" for none
	}{
		"success":  {func(attempt int) error { return notYet(attempt < 3) }, ""},
		"final":    {func(int) error { return final }, "out of order"},
		"deadline": {func(int) error { return notYet(true) }, "gave up waiting for the kettle after 10s; last seen: not yet: cold"},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()

			err := poll.Until(ctx, "the kettle", test.answer)
			if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%s: %v, want %q", name, err, test.want)
			}
		})
	}
}

func TestLookThatTheDeadlineCutsShortHidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()

		err := poll.Until(ctx, "the kettle", func(attempt int) error {
			if attempt < 3 {
				return notYet(true)
			}

			<-ctx.Done()

			return fmt.Errorf("%w: %w", poll.ErrNotYet, ctx.Err())
		})
		if err == nil || !strings.Contains(err.Error(), "last seen: not yet: cold") {
			t.Errorf("got %v, want what was seen before", err)
		}
	})
}

func notYet(cold bool) error {
	if !cold {
		return nil
	}

	return fmt.Errorf("%w: cold", poll.ErrNotYet)
}
