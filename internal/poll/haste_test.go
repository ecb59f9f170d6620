package poll_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

func TestWhatACancelledRunTakesBackIsDoneInHaste(t *testing.T) {
	running := func(t *testing.T) context.Context { return t.Context() }
	cancelled := func(t *testing.T) context.Context {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()

		return ctx
	}
	expired := func(t *testing.T) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		t.Cleanup(cancel)
		<-ctx.Done()

		return ctx
	}

	for name, test := range map[string]struct {
		of    func(*testing.T) context.Context
		limit time.Duration
		want  time.Duration
	}{
		"a failure":                        {running, time.Minute, time.Minute},
		"a time-out":                       {expired, time.Minute, time.Minute},
		"a cancelled run":                  {cancelled, time.Minute, poll.Haste},
		"a cancelled run, in shorter time": {cancelled, time.Millisecond, time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			after, cancel := poll.Aftermath(test.of(t), test.limit)
			defer cancel()

			began := time.Now()
			<-after.Done()

			if took := time.Since(began); took != test.want {
				t.Errorf("%s: there were %s, want %s", name, took, test.want)
			}
		})
	}
}
