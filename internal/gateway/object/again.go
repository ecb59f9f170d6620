package object

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

type applyKey struct{}

// applying marks the calls of an apply: a gateway that has not answered yet may be one that restarts just now.
func applying(ctx context.Context) context.Context { return context.WithValue(ctx, applyKey{}, true) }

// again calls do until the gateway answers, if it has answered before, or for as long as patience lasts in an apply.
func again(ctx context.Context, answered *atomic.Bool, patience time.Duration, do func() error) error {
	try := func() error {
		err := do()
		if !errors.Is(err, gateway.ErrAway) {
			answered.Store(true)
		}

		return err
	}

	err := try()
	if !errors.Is(err, gateway.ErrAway) {
		return err
	}

	if !answered.Load() {
		if patience == 0 || ctx.Value(applyKey{}) == nil {
			return err
		}

		limited, cancel := context.WithTimeout(ctx, patience)
		defer cancel()

		ctx = limited
	}

	return poll.Until(ctx, "the gateway to answer", func(int) error {
		err := try()
		if errors.Is(err, gateway.ErrAway) {
			return fmt.Errorf("%w: %w", poll.ErrNotYet, err)
		}

		return err
	})
}
