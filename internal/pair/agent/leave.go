package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
	"github.com/hashicorp/consul/api"
)

// leavingPath is a file that is there while a member is about to stop. Its agent then says that it does not replicate, so the
// primary goes on without it while it still acknowledges what it receives: no commit waits for a server that has gone.
func leavingPath(folder string) string { return filepath.Join(folder, "leaving") }

func isLeaving(folder string) (bool, error) {
	_, err := os.Stat(leavingPath(folder))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}

	return err == nil, err
}

// Leave prepares a member for the stop of its machine: a primary hands over to the other one, a replica is no longer waited for
// nor read from, and then drain passes, in which clients forget its name. It fails if nobody else has every write.
func Leave(ctx context.Context, config Config, drain time.Duration, consul *api.Client) error {
	if err := os.WriteFile(leavingPath(config.Folder), nil, 0o600); err != nil {
		return err
	}

	record, err := Record(ctx, config.Pair, consul)
	if err != nil {
		return err
	}

	if record.Primary == config.Member {
		err = handOver(ctx, config, record.InSync, consul)
	} else {
		err = dropped(ctx, config, consul)
	}

	if err != nil {
		return err
	}

	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(drain):
		return nil
	}
}

// handOver makes the other member the primary.
func handOver(ctx context.Context, config Config, inSync map[string]string, consul *api.Client) error {
	for other := range inSync {
		if other != config.Member {
			return Switch(ctx, config.Pair, other, consul)
		}
	}

	return fmt.Errorf("nobody but %s has every write, so nobody can take over", config.Member)
}

// dropped waits until the primary goes on without this member.
func dropped(ctx context.Context, config Config, consul *api.Client) error {
	return poll.Until(ctx, "the primary to go on without "+config.Member, func(int) error {
		record, err := Record(ctx, config.Pair, consul)
		if err != nil {
			return err
		}

		if _, listed := record.InSync[config.Member]; listed {
			return fmt.Errorf("%w: %s is in sync with %s", poll.ErrNotYet, config.Member, record.Primary)
		}

		return nil
	})
}

// Return ends what Leave began: the member takes its part again.
func Return(config Config) error {
	if err := os.Remove(leavingPath(config.Folder)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}

	return nil
}
