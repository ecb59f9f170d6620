package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/hashicorp/consul/api"
)

const (
	// externalNode and externalProbe are what consul-esm goes by: the checks of which nodes it runs, and which nodes it
	// pings itself.
	externalNode  = "external-node"
	externalProbe = "external-probe"
)

// Node is the definition of a node that runs no agent. What is registered on it is no part of it.
type Node struct {
	Mark

	Name      string
	Partition string // of Consul Enterprise
	Address   string
	Tagged    map[string]string // further addresses, such as "wan"
	Meta      map[string]string
	Probe     bool // whether consul-esm pings the address
	Checks    map[string]Check
}

// Equal reports whether both define the same node, whoever it belongs to.
func (n Node) Equal(other Node) bool {
	return n.sameEntry(other) && maps.EqualFunc(n.Checks, other.Checks, Check.Equal)
}

func (n Node) sameEntry(other Node) bool {
	return n.Name == other.Name && n.Partition == other.Partition && n.Address == other.Address && n.Probe == other.Probe &&
		n.sameSettings(other.Mark) && maps.Equal(n.Tagged, other.Tagged) && maps.Equal(n.Meta, other.Meta)
}

func (n Node) identity() Identity { return Identity{Node: n.Name, Partition: n.Partition} }

// entry is the node as Consul stores it, over the one that was seen if there is one.
func (n Node) entry(seen *api.Node) api.Node {
	meta := n.marked(n.Meta)
	meta[externalNode], meta[externalProbe] = "true", strconv.FormatBool(n.Probe)

	node := api.Node{Node: n.Name, Address: n.Address, TaggedAddresses: n.Tagged, Meta: meta, Partition: n.Partition}
	if seen != nil {
		node.ID, node.ModifyIndex = seen.ID, seen.ModifyIndex
	}

	return node
}

// nodeOf converts a node and its checks as Consul gives them.
func nodeOf(found *api.Node, checks []entry) Node {
	node := Node{
		Name: found.Node, Partition: plain(found.Partition), Address: found.Address,
		Tagged: found.TaggedAddresses, Probe: found.Meta[externalProbe] == "true",
	}

	var rest map[string]string

	node.Mark, rest, _ = readMark(found.Meta)
	node.Meta = maps.Clone(rest)
	delete(node.Meta, externalNode)
	delete(node.Meta, externalProbe)

	at := place{node.identity()}

	for _, check := range checks {
		if check.ServiceID != "" || check.CheckID == serfCheck || strings.HasPrefix(check.CheckID, "_node_maintenance") {
			continue
		}

		if node.Checks == nil {
			node.Checks = map[string]Check{}
		}

		node.Checks[at.key(check.CheckID)] = check.check()
	}

	return node
}

// records are all nodes of a partition with their own checks.
type records struct {
	byName   map[string]Node
	agents   map[string]bool
	filtered bool
}

// NodeNamed reads a node. Two requests read all nodes; they are shared by every caller until the next write. It returns
// ErrNotFound (wrapped) if there is no such node.
func (c *Client) NodeNamed(ctx context.Context, name, partition string) (Node, error) {
	all, err := c.records(ctx, partition)
	if err != nil {
		return Node{}, fmt.Errorf("read node %q: %w", name, err)
	}

	node, found := all.byName[name]

	switch {
	case found:
		return node, nil
	case all.filtered:
		return Node{}, fmt.Errorf("read node %q: the token may not read all nodes. Give it node %q with policy \"read\"", name, name)
	default:
		return Node{}, fmt.Errorf("read node %q: the catalog at %s has no such node: %w", name, c.address, c.absent(ctx, ErrNotFound))
	}
}

// ExternalNodes returns the nodes that run no agent, by name.
func (c *Client) ExternalNodes(ctx context.Context, partition string) (map[string]Node, error) {
	all, err := c.records(ctx, partition)
	if err != nil {
		return nil, fmt.Errorf("list the nodes: %w", err)
	}

	external := maps.Clone(all.byName)
	maps.DeleteFunc(external, func(name string, _ Node) bool { return all.agents[name] })

	return external, nil
}

func (c *Client) records(ctx context.Context, partition string) (records, error) {
	return shared(ctx, c, "records "+partition, func(ctx context.Context) (records, error) {
		where := Identity{Partition: partition}

		list, meta, err := c.api.Catalog().Nodes(where.options(ctx))
		if err != nil {
			return records{}, c.asked(err)
		}

		options := where.options(ctx)
		options.Filter = `ServiceID == ""`

		var checks []struct {
			Node string
			entry
		}

		health, err := c.api.Raw().Query("/v1/health/state/any", &checks, options)
		if err != nil {
			return records{}, c.asked(err)
		}

		all := records{
			byName: make(map[string]Node, len(list)), agents: map[string]bool{},
			filtered: meta.ResultsFilteredByACLs || health.ResultsFilteredByACLs,
		}

		byNode := map[string][]entry{}
		for _, check := range checks {
			byNode[check.Node] = append(byNode[check.Node], check.entry)
			all.agents[check.Node] = all.agents[check.Node] || check.CheckID == serfCheck
		}

		for _, node := range list {
			all.byName[node.Node] = nodeOf(node, byNode[node.Node])
		}

		return all, nil
	})
}

// RegisterNode makes a node. One that is there already with the very same definition, or that was made for a service, is
// taken over; any other is ErrTaken (wrapped) unless the mark says Force.
func (c *Client) RegisterNode(ctx context.Context, node Node) error {
	return c.putNode(ctx, "register", node, func(there occupied) error {
		found := nodeOf(there.node, there.checks)
		if found.Equal(node) || there.implicit() || node.Force {
			return nil
		}

		maker := "somebody else made it"
		if found.Owner != "" {
			maker = "another state of this provider made it"
		}

		return fmt.Errorf("%w: there is already a node %q at %s, which is defined differently; %s. Import it, give this one another name, or take it over with force = true",
			ErrTaken, node.Name, found.Address, maker)
	})
}

// UpdateNode makes an existing node what the definition says. What is registered on it, and what Consul knows of its
// health, is kept. It returns ErrOwned (wrapped) if the node belongs to another state.
func (c *Client) UpdateNode(ctx context.Context, node Node) error {
	return c.putNode(ctx, "update", node, func(there occupied) error {
		if found := nodeOf(there.node, nil); found.Foreign(node.Mark) {
			return owned(fmt.Sprintf("node %q", node.Name), found.Mark)
		}

		return nil
	})
}

func (c *Client) putNode(ctx context.Context, verb string, node Node, allowed func(occupied) error) error {
	err := c.changeNode(Patiently(ctx), node.identity(), func(there occupied) (api.TxnOps, error) {
		var operations api.TxnOps

		if there.check(serfCheck).CheckID != "" {
			return nil, errors.New("it runs a Consul agent, which says itself what the node is. Choose the name of a machine that runs no agent")
		}

		if there.node != nil {
			if err := allowed(there); err != nil {
				return nil, err
			}
		}

		if there.node == nil || !there.sameNode(node) {
			operations = append(operations, &api.TxnOp{Node: &api.NodeTxnOp{Verb: api.NodeCAS, Node: node.entry(there.node)}})
		}

		at := place{node.identity()}
		operations = append(operations, there.wanted(at, node.Checks)...)

		return append(operations, there.removals(at, node.Checks)...), nil
	})
	if err != nil {
		return fmt.Errorf("%s node %q: %w", verb, node.Name, err)
	}

	return nil
}

func (o occupied) sameNode(node Node) bool {
	found := nodeOf(o.node, nil)

	return found.Owner == node.Owner && found.sameEntry(node) && o.node.Meta[externalNode] == "true"
}

// DeregisterNode removes a node with its checks. One that is gone already is no error; one of another state is ErrOwned
// (wrapped), and one on which services stand is refused, since they would go with it.
func (c *Client) DeregisterNode(ctx context.Context, name, partition string, mine Mark) error {
	where := Identity{Node: name, Partition: partition}

	err := c.changeNode(Patiently(ctx), where, func(there occupied) (api.TxnOps, error) {
		if there.node == nil {
			return nil, nil
		}

		if found := nodeOf(there.node, nil); found.Foreign(mine) {
			return nil, owned(fmt.Sprintf("node %q", name), found.Mark)
		}

		if len(there.services) > 0 {
			return nil, fmt.Errorf("service %q stands on it, and would be removed with it. Deregister its services first, or let their node be this resource's name, so that Terraform does so", there.services[0].ID)
		}

		if there.check(serfCheck).CheckID != "" {
			return nil, errors.New("it runs a Consul agent by now, which would register it again. Remove it from the state (terraform state rm)")
		}

		gone := api.Node{Node: name, ModifyIndex: there.node.ModifyIndex, Partition: partition}

		return api.TxnOps{{Node: &api.NodeTxnOp{Verb: api.NodeDeleteCAS, Node: gone}}}, nil
	})
	if err != nil {
		return fmt.Errorf("deregister node %q: %w", name, err)
	}

	return nil
}
