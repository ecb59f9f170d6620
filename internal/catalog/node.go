package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/consul/api"
)

// conflictAttempts bounds how often a write is worked out anew because a prober wrote a check's status between the look
// and the write.
const conflictAttempts = 5

// instances are all instances of one service in the catalog.
type instances struct {
	byIdentity map[Identity]Service
	filtered   bool // some were left out because the token may not read them
}

// nodeInstance finds an instance in the shared read of its service.
func (c *Client) nodeInstance(ctx context.Context, who Identity) (Service, error) {
	if who.Name == "" {
		name, err := c.serviceName(ctx, who)
		if err != nil {
			return Service{}, err
		}

		who.Name = name
	}

	all, err := c.instances(ctx, who)
	if err != nil {
		return Service{}, err
	}

	service, found := all.byIdentity[who]

	switch {
	case found:
		return service, nil
	case all.filtered:
		return Service{}, fmt.Errorf("the token may not read all instances of service %q. Give it service %q and node %q with policy \"read\"", who.Name, who.Name, who.Node)
	default:
		return Service{}, fmt.Errorf("the catalog at %s has no such instance: %w", c.address, c.absent(ctx, ErrNotFound))
	}
}

// instances reads all instances of the instance's service with their checks, in one request.
func (c *Client) instances(ctx context.Context, of Identity) (instances, error) {
	return shared(ctx, c, "service "+of.Partition+"/"+of.Namespace+"/"+of.Name, func(ctx context.Context) (instances, error) {
		found, meta, err := c.located(ctx, of.Name, of.options(ctx))
		if err != nil {
			return instances{}, err
		}

		all := instances{byIdentity: make(map[Identity]Service, len(found)), filtered: meta.ResultsFilteredByACLs}
		for _, one := range found {
			service := instance(one.Node.Node, one.Service, one.Checks)
			all.byIdentity[service.Identity] = service
		}

		return all, nil
	})
}

// located is an instance as the catalog has it.
type located struct {
	Node    *api.Node
	Service *api.AgentService
	Checks  []entry
}

func (c *Client) located(ctx context.Context, name string, options *api.QueryOptions) ([]located, *api.QueryMeta, error) {
	var found []located

	meta, err := c.api.Raw().Query("/v1/health/service/"+name, &found, options)
	if err != nil {
		return nil, nil, fmt.Errorf("list the instances of service %q: %w", name, c.asked(err))
	}

	return found, meta, ctx.Err()
}

// serviceName finds the name of the service that an instance on a node is of.
func (c *Client) serviceName(ctx context.Context, who Identity) (string, error) {
	there, err := c.lookAtNode(ctx, who)
	if err != nil {
		return "", err
	}

	if service := there.find(who.ID); service != nil {
		return service.Service, nil
	}

	return "", fmt.Errorf("node %q has no instance %q: %w", who.Node, who.ID, c.absent(ctx, ErrNotFound))
}

// lookAtNode reads the node of the identity with all that is on it.
func (c *Client) lookAtNode(ctx context.Context, where Identity) (occupied, error) {
	options := where.options(ctx)
	options.RequireConsistent = true

	list, meta, err := c.api.Catalog().NodeServiceList(where.Node, options)
	if err != nil {
		return occupied{}, fmt.Errorf("list the services of node %q: %w", where.Node, c.asked(err))
	}

	there := occupied{node: list.Node, services: list.Services}

	checks, err := c.api.Raw().Query("/v1/health/node/"+where.Node, &there.checks, options)
	if err != nil {
		return occupied{}, fmt.Errorf("list the checks of node %q: %w", where.Node, c.asked(err))
	}

	if meta.ResultsFilteredByACLs || checks.ResultsFilteredByACLs {
		return occupied{}, fmt.Errorf("the token may not read all of node %q. Give it node %q and its services with policy \"read\"", where.Node, where.Node)
	}

	return there, nil
}

// registerOnNode tries what is right for a new instance on a node that is known, together with others that are
// registered at the moment. If anything is otherwise, nothing is written, and the node is looked at.
func (c *Client) registerOnNode(ctx context.Context, service Service) error {
	if order, ok := c.newcomer(ctx, service); ok {
		err := c.commit(ctx, order)
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrUnanswered) {
			return err
		}

		c.dropFacts()
	}

	return c.changeNode(ctx, service.Identity, func(there occupied) (api.TxnOps, error) {
		if err := there.refusesCatalog(); err != nil {
			return nil, err
		}

		if found := there.find(service.ID); found != nil {
			if err := service.replaceable(instance(service.Node, found, there.checks)); err != nil {
				return nil, err
			}
		}

		return there.registration(service), nil
	})
}

func (c *Client) updateOnNode(ctx context.Context, service Service) error {
	return c.changeNode(ctx, service.Identity, func(there occupied) (api.TxnOps, error) {
		if err := there.refusesCatalog(); err != nil {
			return nil, err
		}

		if found := there.find(service.ID); found != nil {
			if mark, _, _ := readMark(found.Meta); mark.Foreign(service.Mark) {
				return nil, owned(service.Identity.String(), mark)
			}
		}

		return there.registration(service), nil
	})
}

func (c *Client) deregisterOnNode(ctx context.Context, who Identity, mine Mark) error {
	var drained bool

	err := c.changeNode(ctx, who, func(there occupied) (api.TxnOps, error) {
		found := there.find(who.ID)
		if found == nil {
			return nil, nil
		}

		if mark, _, _ := readMark(found.Meta); mark.Foreign(mine) {
			return nil, owned(who.String(), mark)
		}

		if mine.Drain == 0 {
			return nil, nil
		}

		who.Name, drained = found.Service, true

		return there.closing(who, drainReason), nil
	})
	if err != nil {
		return err
	}

	if drained {
		if err := pause(ctx, mine.Drain); err != nil {
			return err
		}
	}

	return c.changeNode(ctx, who, func(there occupied) (api.TxnOps, error) {
		return there.deregistration(who), nil
	})
}

// changeNode carries out what plan makes of the node's state. It plans anew if the state changed meanwhile, and for as
// long as Consul is waited for also if the answer was lost: what was written then is seen.
func (c *Client) changeNode(ctx context.Context, where Identity, plan func(occupied) (api.TxnOps, error)) error {
	defer c.hold("node " + where.Node)()

	waiting, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()

	for conflicts := 0; ; {
		there, err := c.lookAtNode(ctx, where)
		if err != nil {
			return err
		}

		operations, err := plan(there)
		if err != nil {
			return err
		}

		err = c.transact(ctx, operations)

		switch {
		case errors.Is(err, ErrUnanswered) && pause(waiting, patienceInterval) == nil:
		case errors.Is(err, ErrConflict) && conflicts < conflictAttempts:
			conflicts++
		default:
			return err
		}
	}
}
