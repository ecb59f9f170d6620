package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Instances returns the instances on a node of the catalog, or those of the agent if it is "".
func (c *Client) Instances(ctx context.Context, node string) ([]Service, error) {
	where := Identity{Node: node}

	if node == "" {
		services, err := c.agentServices(ctx, where)
		if err != nil {
			return nil, err
		}

		all := make([]Service, 0, len(services))
		for _, id := range slices.Sorted(maps.Keys(services)) {
			all = append(all, services[id])
		}

		return all, nil
	}

	there, err := c.lookAtNode(ctx, where)
	if err != nil {
		return nil, err
	}

	if there.node == nil {
		return nil, fmt.Errorf("list node %q: %w", node, c.absent(ctx, ErrNotFound))
	}

	all := make([]Service, len(there.services))
	for i, found := range there.services {
		all[i] = instance(node, found, there.checks)
	}

	return all, nil
}
