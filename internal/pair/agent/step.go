package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/pair"
)

// carryOut does what a step says. A step of the server is done over the connection over which it was seen.
func (a *Agent) carryOut(ctx context.Context, step pair.Step, seen seen) error {
	switch step.Kind {
	case pair.Wait:
		return nil
	case pair.Acquire:
		return a.shared.acquire(ctx)
	case pair.Release:
		return a.shared.release(ctx)
	case pair.Write:
		return a.write(ctx, step.Record, seen)
	case pair.Fence:
		return a.fence(ctx)
	}

	limit := patience

	switch step.Kind {
	case pair.Detach, pair.Follow:
		limit = applying
	case pair.Copy:
		limit = copying
	}

	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	defer a.keep(ctx, limit)()

	if err := a.change(ctx, step); err != nil {
		a.disconnect()

		return fmt.Errorf("%s: %w", step.Kind, err)
	}

	return nil
}

// keep renews the session while a step takes long, until the returned function is called.
func (a *Agent) keep(ctx context.Context, limit time.Duration) (end func()) {
	if limit == patience {
		return func() {}
	}

	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})

	go func() {
		defer close(done)

		a.shared.renewUntil(ctx)
	}()

	return func() { cancel(); <-done }
}

// change is a step that the server takes.
func (a *Agent) change(ctx context.Context, step pair.Step) error {
	switch step.Kind {
	case pair.WaitOn, pair.WaitOff:
		a.markFor = ""

		return a.server.SetWaits(ctx, step.Kind == pair.WaitOn)
	case pair.Promote:
		a.markFor, a.present = "", time.Now()

		return a.server.AllowWrites(ctx)
	case pair.Detach:
		if err := a.server.Detach(ctx); err != nil {
			return err
		}

		return changeState(a.config.Folder, func(s *state) { s.Following = "" })
	case pair.Follow:
		return a.follow(ctx, step.Member)
	case pair.Copy:
		// The data is another one from here on, however far the copy gets.
		if err := changeState(a.config.Folder, func(s *state) { s.Lineage, s.Following = newLineage(), "" }); err != nil {
			return err
		}

		if err := a.server.Copy(ctx, a.config.Socket, a.config.Folder, a.config.Source); err != nil {
			return err
		}

		return a.follow(ctx, step.Member)
	default:
		return fmt.Errorf("there is no step %q of a server", step.Kind)
	}
}

// follow is noted before it is done: a server that may follow is not taken for one that stands alone.
func (a *Agent) follow(ctx context.Context, member string) error {
	if err := a.server.SetWaits(ctx, false); err != nil {
		return err
	}

	if err := changeState(a.config.Folder, func(s *state) {
		if s.Following != "" { // what was received until now and not applied is thrown away
			s.Lineage = newLineage()
		}

		s.Following = member
	}); err != nil {
		return err
	}

	return a.server.Follow(ctx, a.config.Source)
}

// write changes the record. Whether a change happened that was not answered is not known.
func (a *Agent) write(ctx context.Context, record pair.Record, seen seen) error {
	before := a.unsure
	a.unsure = true

	written, err := a.shared.write(ctx, record, seen)
	if err != nil {
		return err
	}

	a.unsure = before && !written

	return nil
}

// fence ends writes in the regular way, or with the server if a commit holds that up.
func (a *Agent) fence(ctx context.Context) error {
	if a.server == nil {
		return nil
	}

	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	if err := a.server.EndWrites(within); err != nil {
		a.log.Warn("writes do not end, so the server does", "error", err)

		return a.kill()
	}

	status, err := a.server.Status(within)
	if err != nil {
		return err
	}

	a.mark = status.Written

	return nil
}
