package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/consul/api"
)

const (
	// agentCheck is the check that the servers keep for each node that runs an agent.
	agentCheck = "serfHealth"

	// conflictAttempts bounds how often a write is worked out anew because a prober wrote a check's status between
	// the look and the write.
	conflictAttempts = 5
)

// nodeMeta marks a node as one without an agent whose checks consul-esm runs, and as ours.
func nodeMeta() map[string]string {
	return map[string]string{"external-node": "true", "external-probe": "true", "managed-by": managedBy}
}

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

	all, err := c.instances(ctx, who.Name)
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

// instances reads all instances of a service with their checks, in one request.
func (c *Client) instances(ctx context.Context, name string) (instances, error) {
	return shared(ctx, c, "service "+name, func(ctx context.Context) (instances, error) {
		var found []struct {
			Node    *api.Node
			Service *api.AgentService
			Checks  []entry
		}

		meta, err := c.api.Raw().Query("/v1/health/service/"+name, &found, (&api.QueryOptions{}).WithContext(ctx))
		if err != nil {
			return instances{}, fmt.Errorf("list the instances of service %q: %w", name, c.asked(err))
		}

		all := instances{byIdentity: make(map[Identity]Service, len(found)), filtered: meta.ResultsFilteredByACLs}
		for _, one := range found {
			service := instance(one.Node.Node, one.Service, one.Checks)
			all.byIdentity[service.Identity] = service
		}

		return all, nil
	})
}

// serviceName finds the name of the service that an instance on a node is of.
func (c *Client) serviceName(ctx context.Context, who Identity) (string, error) {
	there, err := c.lookAtNode(ctx, who.Node)
	if err != nil {
		return "", err
	}

	if service := there.find(who.ID); service != nil {
		return service.Service, nil
	}

	return "", fmt.Errorf("node %q has no instance %q: %w", who.Node, who.ID, c.absent(ctx, ErrNotFound))
}

// occupied is a node with all that is on it, as read just before a write.
type occupied struct {
	node     *api.Node // nil if there is none
	services []*api.AgentService
	checks   []entry
}

func (c *Client) lookAtNode(ctx context.Context, name string) (occupied, error) {
	options := (&api.QueryOptions{RequireConsistent: true}).WithContext(ctx)

	list, meta, err := c.api.Catalog().NodeServiceList(name, options)
	if err != nil {
		return occupied{}, fmt.Errorf("list the services of node %q: %w", name, c.asked(err))
	}

	there := occupied{node: list.Node, services: list.Services}

	checks, err := c.api.Raw().Query("/v1/health/node/"+name, &there.checks, options)
	if err != nil {
		return occupied{}, fmt.Errorf("list the checks of node %q: %w", name, c.asked(err))
	}

	if meta.ResultsFilteredByACLs || checks.ResultsFilteredByACLs {
		return occupied{}, fmt.Errorf("the token may not read all of node %q. Give it node %q and its services with policy \"read\"", name, name)
	}

	return there, nil
}

func (o occupied) find(id string) *api.AgentService {
	for _, service := range o.services {
		if strings.EqualFold(service.ID, id) {
			return service
		}
	}

	return nil
}

func (o occupied) check(id string) entry {
	for _, check := range o.checks {
		if strings.EqualFold(check.CheckID, id) {
			return check
		}
	}

	return entry{}
}

// refusesCatalog returns why nothing can be registered on the node through the catalog, if so.
func (o occupied) refusesCatalog() error {
	if o.check(agentCheck).CheckID == "" {
		return nil
	}

	return fmt.Errorf("node %q runs a Consul agent, whose anti-entropy removes whatever is registered on it through the catalog within about a minute. Leave out node and register through that agent (its address goes in the provider block's consul), or name a node that runs no agent", o.node.Node)
}

func (c *Client) registerOnNode(ctx context.Context, service Service) error {
	return c.changeNode(ctx, service.Node, func(there occupied) (api.TxnOps, error) {
		if err := there.refusesCatalog(); err != nil {
			return nil, err
		}

		if found := there.find(service.ID); found != nil {
			existing := instance(service.Node, found, there.checks)
			if existing.Equal(service) {
				return nil, nil
			}

			return nil, taken(existing)
		}

		return there.registration(service), nil
	})
}

func (c *Client) updateOnNode(ctx context.Context, service Service) error {
	return c.changeNode(ctx, service.Node, func(there occupied) (api.TxnOps, error) {
		if err := there.refusesCatalog(); err != nil {
			return nil, err
		}

		return there.registration(service), nil
	})
}

func (c *Client) deregisterOnNode(ctx context.Context, who Identity) error {
	return c.changeNode(ctx, who.Node, func(there occupied) (api.TxnOps, error) {
		return there.deregistration(who), nil
	})
}

// changeNode carries out what plan makes of the node's state, and plans anew if the state changed meanwhile.
func (c *Client) changeNode(ctx context.Context, node string, plan func(occupied) (api.TxnOps, error)) error {
	defer c.hold("node " + node)()

	var conflict error

	for range conflictAttempts {
		there, err := c.lookAtNode(ctx, node)
		if err != nil {
			return err
		}

		operations, err := plan(there)
		if err != nil {
			return err
		}

		if conflict = c.transact(ctx, operations); !errors.Is(conflict, ErrConflict) {
			return conflict
		}
	}

	return conflict
}

// registration returns the operations that make the node have the service: only what differs is written, and only if
// it is still as it was seen. A check's status is the prober's, so an existing one is kept.
func (o occupied) registration(service Service) api.TxnOps {
	var operations api.TxnOps

	found := o.find(service.ID)

	if node := o.nodeFor(service, found); node != nil {
		operations = append(operations, &api.TxnOp{Node: &api.NodeTxnOp{Verb: api.NodeCAS, Node: *node}})
	}

	if found == nil || !instance(service.Node, found, nil).sameEntry(service) {
		operations = append(operations, &api.TxnOp{Service: service.operation(found)})
	}

	for _, key := range slices.Sorted(maps.Keys(service.Checks)) {
		operation := service.checkOperation(key)

		if there := o.check(operation.Check.CheckID); there.CheckID != "" {
			if !there.differs(service.Checks[key], operation.Check.Notes) {
				continue
			}

			onto(operation, there)
		}

		operations = append(operations, &api.TxnOp{Check: operation})
	}

	return append(operations, o.removals(service)...)
}

// nodeFor returns how the node is to be written, or nil if it stays. A node that we made got its address from its
// first service, and follows it: consul-esm probes the node's address too, and takes its services down with it.
func (o occupied) nodeFor(service Service, found *api.AgentService) *api.Node {
	if o.node == nil {
		return &api.Node{Node: service.Node, Address: service.Address, Meta: nodeMeta()}
	}

	follows := len(o.services) == 0 || (found != nil && found.Address == o.node.Address)
	if !o.ours() || !follows || o.node.Address == service.Address {
		return nil
	}

	node := *o.node
	node.Address = service.Address

	return &node
}

// ours reports whether Register made the node.
func (o occupied) ours() bool { return o.node != nil && o.node.Meta["managed-by"] == managedBy }

func (e entry) differs(wanted Check, notes string) bool {
	check, _ := e.check()

	return check != wanted || e.Notes != notes
}

// removals returns the operations that remove those checks of the instance that its definition does not have.
func (o occupied) removals(service Service) api.TxnOps {
	var operations api.TxnOps

	for _, check := range o.checks {
		_, keep := service.Checks[checkKey(service.ID, check.CheckID)]
		if keep || check.ServiceID != service.ID || strings.HasPrefix(check.CheckID, maintenance) {
			continue
		}

		gone := api.HealthCheck{Node: service.Node, CheckID: check.CheckID, ModifyIndex: check.ModifyIndex}
		operations = append(operations, &api.TxnOp{Check: &api.CheckTxnOp{Verb: api.CheckDeleteCAS, Check: gone}})
	}

	return operations
}

// deregistration returns the operations that remove the instance (Consul removes its checks with it), and the node if
// we made it and nothing else is on it.
func (o occupied) deregistration(who Identity) api.TxnOps {
	var operations api.TxnOps

	others := len(o.services)

	if found := o.find(who.ID); found != nil {
		others--

		gone := api.AgentService{ID: found.ID, Service: found.Service}
		operations = append(operations, &api.TxnOp{Service: &api.ServiceTxnOp{Verb: api.ServiceDelete, Node: who.Node, Service: gone}})
	}

	if o.ours() && others == 0 {
		node := api.Node{Node: o.node.Node, ModifyIndex: o.node.ModifyIndex}
		operations = append(operations, &api.TxnOp{Node: &api.NodeTxnOp{Verb: api.NodeDeleteCAS, Node: node}})
	}

	return operations
}
