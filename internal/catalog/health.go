package catalog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"
)

// healthInterval is how often AwaitPassing looks.
const healthInterval = 200 * time.Millisecond

// AwaitPassing waits until an instance that is registered through the agent passes all its checks, for at most the
// given time. Its error says what was seen last.
func (c *Client) AwaitPassing(ctx context.Context, id string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	ticker := time.NewTicker(healthInterval)
	defer ticker.Stop()

	seen := "nothing yet"

	for {
		passing, now := c.health(ctx, id)
		if passing {
			return nil
		}

		if ctx.Err() == nil { // an answer that was cut off by the end of the wait says nothing
			seen = now
		}

		select {
		case <-ctx.Done():
			return fmt.Errorf("wait %s for instance %q to pass its checks: %w; seen last: %s", limit, id, ctx.Err(), seen)
		case <-ticker.C:
		}
	}
}

// health describes how the agent sees the instance.
func (c *Client) health(ctx context.Context, id string) (passing bool, description string) {
	_, info, err := c.api.Agent().AgentHealthServiceByIDOpts(id, (&api.QueryOptions{}).WithContext(ctx))

	switch {
	case err != nil:
		return false, c.asked(err).Error()
	case info == nil:
		return false, "the agent has no such instance"
	case info.AggregatedStatus == api.HealthPassing:
		return true, ""
	}

	var failing []string

	for _, check := range info.Checks {
		if check.Status != api.HealthPassing {
			failing = append(failing, strings.TrimSpace(fmt.Sprintf("check %q is %s. %s", check.Name, check.Status, check.Output)))
		}
	}

	return false, strings.Join(failing, "; ")
}
