package catalog

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/hashicorp/consul/api"
)

// nodes are those of one partition as somebody saw them once. They serve where a mistake is found out: before a plan, and
// for writes that Consul refuses if they are not so any more.
type nodes struct {
	byName map[string]*api.Node
	agents map[string]bool // nodes that run one
}

// nodesKey is the key of the shared read; writes do not drop it.
const nodesKey = "nodes "

func (c *Client) nodes(ctx context.Context, partition string) (nodes, error) {
	return shared(ctx, c, nodesKey+partition, func(ctx context.Context) (nodes, error) {
		options := Identity{Partition: partition}.options(ctx)

		list, _, err := c.api.Catalog().Nodes(options)
		if err != nil {
			return nodes{}, fmt.Errorf("list the nodes: %w", c.asked(err))
		}

		options = Identity{Partition: partition}.options(ctx)
		options.Filter = fmt.Sprintf("CheckID == %q", serfCheck)

		checks, _, err := c.api.Health().State(api.HealthAny, options)
		if err != nil {
			return nodes{}, fmt.Errorf("list the agents: %w", c.asked(err))
		}

		all := nodes{byName: make(map[string]*api.Node, len(list)), agents: make(map[string]bool, len(checks))}
		for _, node := range list {
			all.byName[node.Node] = node
		}

		for _, check := range checks {
			all.agents[check.Node] = true
		}

		return all, nil
	})
}

// dropFacts drops what was once seen of the nodes.
func (c *Client) dropFacts() {
	c.mu.Lock()
	defer c.mu.Unlock()

	for key := range c.reads {
		if strings.HasPrefix(key, nodesKey) {
			delete(c.reads, key)
		}
	}

	c.made = map[string]*api.Node{}
}

// newcomer is the order that makes an instance which is not there yet, on a node that is, or that is made with it. ok is
// whether that can be right as far as we know.
func (c *Client) newcomer(ctx context.Context, service Service) (o *order, ok bool) {
	all, err := c.nodes(ctx, service.Partition)
	if err != nil || all.agents[service.Node] {
		return nil, false
	}

	there := occupied{node: all.byName[service.Node]}
	if there.node == nil {
		there.node = c.madeNode(service)
	}

	if there.implicit() && there.node.Address != service.Address {
		return nil, false // whether the node follows depends on what else is on it
	}

	o = &order{operations: append(
		api.TxnOps{{Service: service.operation(nil)}},
		occupied{}.wanted(place{service.Identity}, service.Checks)...,
	)}

	if there.node == nil {
		o.node = &api.NodeTxnOp{Verb: api.NodeCAS, Node: *there.nodeFor(service, nil)}
	}

	return o, o.size() <= maxOperations
}

// madeNode returns the service's node as this client made it, or nil.
func (c *Client) madeNode(service Service) *api.Node {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.made[service.Partition+"/"+service.Node]
}

// madeNodes returns the nodes that this client made.
func (c *Client) madeNodes() map[string]*api.Node {
	c.mu.Lock()
	defer c.mu.Unlock()

	return maps.Clone(c.made)
}

// hasMade remembers nodes that a transaction has made.
func (c *Client) hasMade(orders []*order) {
	c.mu.Lock()
	defer c.mu.Unlock()

	for _, o := range orders {
		if o.node != nil {
			c.made[o.home()] = &o.node.Node
		}
	}
}

// KnowsAgent reports whether the node runs an agent, as far as Consul can be asked.
func (c *Client) KnowsAgent(ctx context.Context, node, partition string) bool {
	all, err := c.nodes(ctx, partition)

	return err == nil && all.agents[node]
}

// self is what an agent says of itself.
type self struct {
	Config      struct{ NodeName, Version string }
	DebugConfig struct{ EnableRemoteScriptChecks bool }
}

func (c *Client) self(ctx context.Context) (self, error) {
	return shared(ctx, c, nodesKey+"self", func(ctx context.Context) (self, error) {
		var answer self
		_, err := c.api.Raw().Query("/v1/agent/self", &answer, Identity{}.options(ctx))

		return answer, err
	})
}

// KnowsOpenSource reports whether this is not Consul Enterprise, as far as Consul can be asked.
func (c *Client) KnowsOpenSource(ctx context.Context) bool {
	self, err := c.self(ctx)

	return err == nil && self.Config.Version != "" && !strings.Contains(self.Config.Version, "ent")
}

// KnowsScriptsRefused reports whether the agent runs no scripts that it is told over HTTP, as far as it can be asked.
func (c *Client) KnowsScriptsRefused(ctx context.Context) bool {
	self, err := c.self(ctx)

	return err == nil && self.Config.Version != "" && !self.DebugConfig.EnableRemoteScriptChecks
}

// prober is the service as which consul-esm registers itself unless its configuration says otherwise.
const prober = "consul-esm"

// KnowsNoProber reports whether nothing runs the checks of nodes without an agent, as far as Consul can be asked.
func (c *Client) KnowsNoProber(ctx context.Context) bool {
	services, err := shared(ctx, c, nodesKey+"/services", func(ctx context.Context) (map[string][]string, error) {
		services, _, err := c.api.Catalog().Services(Identity{}.options(ctx))

		return services, err
	})

	_, found := services[prober]

	return err == nil && !found
}
