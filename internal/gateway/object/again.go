package object

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

// again calls do until the gateway answers, if it has answered before.
func again(ctx context.Context, answered *atomic.Bool, do func() error) error {
	try := func() error {
		err := do()
		if !errors.Is(err, gateway.ErrAway) {
			answered.Store(true)
		}

		return err
	}

	err := try()
	if !errors.Is(err, gateway.ErrAway) || !answered.Load() {
		return err
	}

	return poll.Until(ctx, "the gateway to answer again", func(int) error {
		err := try()
		if errors.Is(err, gateway.ErrAway) {
			return fmt.Errorf("%w: %w", poll.ErrNotYet, err)
		}

		return err
	})
}
