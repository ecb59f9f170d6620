package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"
)

// healthInterval is how often a wait for health looks.
const healthInterval = 200 * time.Millisecond

// AwaitPassing waits until an instance passes all its checks, for at most the given time. Its error says what was seen
// last. Checks on a node of the catalog pass only if somebody, such as consul-esm, runs them.
func (c *Client) AwaitPassing(ctx context.Context, who Identity, limit time.Duration) error {
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	err := c.until(waiting, func(ctx context.Context) (string, error) {
		checks, err := c.checksNow(ctx, who)

		return failing(checks), err
	})
	if err != nil {
		return fmt.Errorf("wait %s for instance %q to pass its checks: %w", limit, who.ID, err)
	}

	return nil
}

// until looks until nothing is missing any more. An error of the look is not the end: Consul may restart meanwhile.
func (c *Client) until(ctx context.Context, look func(context.Context) (missing string, err error)) error {
	seen := "nothing yet"

	for {
		missing, err := look(ctx)
		if err == nil && missing == "" {
			return nil
		}

		switch {
		case ctx.Err() != nil: // an answer that was cut off by the end of the wait says nothing
		case err != nil:
			seen = err.Error()
		default:
			seen = missing
		}

		switch err := pause(ctx, healthInterval); {
		case errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("the time for it is over; seen last: %s", seen)
		case err != nil:
			return fmt.Errorf("%w; seen last: %s", err, seen)
		}
	}
}

// checksNow reads the instance's own checks and those of its node, whatever has been read before.
func (c *Client) checksNow(ctx context.Context, who Identity) ([]entry, error) {
	if who.Node != "" {
		there, err := c.lookAtNode(ctx, who)
		if err != nil {
			return nil, err
		}

		if there.find(who.ID) == nil {
			return nil, errors.New("the node has no such instance")
		}

		return slices.DeleteFunc(there.checks, func(check entry) bool {
			return check.ServiceID != "" && !strings.EqualFold(check.ServiceID, who.ID)
		}), nil
	}

	checks, err := c.agentChecks(ctx, who, who.ID)
	if err == nil && len(checks) == 0 {
		err = errors.New("the agent has no check of such an instance")
	}

	return checks, err
}

// failing describes which of the checks do not pass.
func failing(checks []entry) string {
	var failing []string

	for _, check := range checks {
		if check.Status != api.HealthPassing {
			failing = append(failing, strings.TrimSpace(fmt.Sprintf("check %q is %s. %s", check.Name, check.Status, check.Output)))
		}
	}

	slices.Sort(failing)

	return strings.Join(failing, "; ")
}
