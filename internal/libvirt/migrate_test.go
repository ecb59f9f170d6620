package libvirt

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

// sender is a connection to a host that takes its time to end a migration.
type sender struct {
	connection
	stops   time.Duration // after it was told to; negative for never
	told    chan struct{}
	release chan struct{}
}

func newSender(stops time.Duration) *sender {
	return &sender{connection: newCounter(quiet{}), stops: stops, told: make(chan struct{}, 1000), release: make(chan struct{})}
}

func (s *sender) job(string) (Job, error) {
	return Job{Active: true, Total: 64 << 20, Processed: 16 << 20}, nil
}

func (s *sender) abortJob(string) error {
	s.told <- struct{}{}

	return nil
}

func (s *sender) migrate(connection, Config, Migration) error {
	<-s.told

	var ended <-chan time.Time
	if s.stops >= 0 {
		ended = time.After(s.stops)
	}

	select {
	case <-ended:
	case <-s.release: // the test is over
	}

	return errors.New("operation aborted: migration out: canceled by client")
}

// receiver is a connection to a host that confines nothing.
type receiver struct{ quiet }

func (receiver) capabilities() (string, error) { return "<capabilities/>", nil }

func TestMigrationThatIsGivenUpIsWaitedForAsLongAsThereIsTime(t *testing.T) {
	for name, test := range map[string]struct {
		stops    time.Duration
		deadline bool // or it is cancelled
		took     time.Duration
		want     string
	}{
		"cancelled, and ends":          {300 * time.Millisecond, false, 300 * time.Millisecond, "it was given up (context canceled) after 16 of 64 MiB"},
		"cancelled, and does not end":  {-1, false, poll.Haste, "it was given up (context canceled) after 16 of 64 MiB, and has not stopped yet"},
		"out of time, and ends":        {10 * time.Second, true, 10 * time.Second, "it was given up (context deadline exceeded) after 16 of 64 MiB"},
		"out of time, and does not":    {-1, true, abortTimeout, "it was given up (context deadline exceeded) after 16 of 64 MiB, and has not stopped yet"},
		"cancelled as soon as it ends": {0, false, 0, "it was given up (context canceled) after 16 of 64 MiB"},
	} {
		synctest.Test(t, func(t *testing.T) {
			const after = 5 * time.Second

			source := newSender(test.stops)
			defer close(source.release)

			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			if test.deadline {
				ctx, cancel = context.WithTimeout(t.Context(), after)
			} else {
				time.AfterFunc(after, cancel)
			}
			defer cancel()

			began := time.Now()
			err := over(source).Migrate(ctx, over(newCounter(receiver{})), Migration{UUID: "u"})

			if took := time.Since(began) - after; took != test.took || err == nil || !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("%s: %v after %s, want %q after %s", name, err, took, test.want, test.took)
			}
		})
	}
}
