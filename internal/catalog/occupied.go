package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/consul/api"
)

// serfCheck is the check that the servers keep for each node that runs an agent.
const serfCheck = "serfHealth"

// occupied is a node with all that is on it, as read just before a write.
type occupied struct {
	node     *api.Node // nil if there is none
	services []*api.AgentService
	checks   []entry
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
	if o.check(serfCheck).CheckID == "" {
		return nil
	}

	return RunsAgent(o.node.Node)
}

// RunsAgent is the error for a registration through the catalog on a node that runs an agent.
func RunsAgent(node string) error {
	return fmt.Errorf("node %q runs a Consul agent, whose anti-entropy removes whatever is registered on it through the catalog within about a minute. Leave out node and register through that agent (its address goes in the provider block's consul), or name a node that runs no agent", node)
}

// registration returns the operations that make the node have the service: only what differs is written, and only if
// it is still as it was seen. A check's status is the prober's, so an existing one is kept.
func (o occupied) registration(service Service) api.TxnOps {
	var operations api.TxnOps

	found := o.find(service.ID)

	if node := o.nodeFor(service, found); node != nil {
		operations = append(operations, &api.TxnOp{Node: &api.NodeTxnOp{Verb: api.NodeCAS, Node: *node}})
	}

	if found == nil || !o.same(found, service) {
		operations = append(operations, &api.TxnOp{Service: service.operation(found)})
	}

	operations = append(operations, o.wanted(place{service.Identity}, service.Checks)...)

	return append(operations, o.removals(place{service.Identity}, service.Checks)...)
}

func (o occupied) same(found *api.AgentService, service Service) bool {
	there := instance(service.Node, found, nil)

	return there.Owner == service.Owner && there.sameEntry(service)
}

// nodeFor returns how the node is to be written, or nil if it stays. A node that we made got its address from its
// first service, and follows it: consul-esm probes the node's address too, and takes its services down with it.
func (o occupied) nodeFor(service Service, found *api.AgentService) *api.Node {
	if o.node == nil {
		return &api.Node{Node: service.Node, Address: service.Address, Meta: implicitMeta(), Partition: service.Partition}
	}

	follows := len(o.services) == 0 || (found != nil && found.Address == o.node.Address)
	if !o.implicit() || !follows || o.node.Address == service.Address {
		return nil
	}

	node := *o.node
	node.Address = service.Address

	return &node
}

// implicit reports whether the registration of a service made the node.
func (o occupied) implicit() bool {
	if o.node == nil {
		return false
	}

	mark, _, found := readMark(o.node.Meta)

	return found && mark.Owner == ""
}

// implicitMeta marks a node as one without an agent whose checks consul-esm runs, and as made for its services.
func implicitMeta() map[string]string {
	return map[string]string{externalNode: "true", externalProbe: "true", MarkKey: managedBy}
}

// operation writes the service's entry over the one that was seen, or makes it if none was.
func (s Service) operation(seen *api.AgentService) *api.ServiceTxnOp {
	service := api.AgentService{
		ID: s.ID, Service: s.Name, Address: s.Address, Port: s.Port, TaggedAddresses: s.tagged(),
		Tags: sortedTags(s.Tags), EnableTagOverride: s.TagOverride, Meta: s.marked(s.Meta), Weights: *s.weights(),
		Namespace: s.Namespace, Partition: s.Partition,
	}

	if seen != nil {
		service.ModifyIndex = seen.ModifyIndex
	}

	return &api.ServiceTxnOp{Verb: api.ServiceCAS, Node: s.Node, Service: service}
}

// place is where checks are: on an instance, or on a node if that has no id.
type place struct{ Identity }

// id is that of the check with the key.
func (p place) id(key string) string {
	if p.ID == "" {
		return "node:" + key
	}

	return checkID(p.ID, key)
}

// key is the reverse of id. A check that somebody else named otherwise has its whole id for a key.
func (p place) key(id string) string {
	if p.ID != "" {
		return checkKey(p.ID, id)
	}

	if len(id) > len("node:") && strings.EqualFold(id[:len("node:")], "node:") {
		return id[len("node:"):]
	}

	return id
}

// operation makes the check with the key.
func (p place) operation(key string, check Check) *api.CheckTxnOp {
	return &api.CheckTxnOp{Verb: api.CheckCAS, Check: api.HealthCheck{
		Node: p.Node, CheckID: p.id(key), Name: key, ServiceID: p.ID, ServiceName: p.Name,
		Status: check.Status, Notes: check.notes(), Type: check.Kind(), Definition: check.definition(),
		Namespace: p.Namespace, Partition: p.Partition,
	}}
}

// wanted returns the operations that write those of the checks that are not there or differ.
func (o occupied) wanted(at place, checks map[string]Check) api.TxnOps {
	var operations api.TxnOps

	for _, key := range slices.Sorted(maps.Keys(checks)) {
		operation := at.operation(key, checks[key])

		if there := o.check(operation.Check.CheckID); there.CheckID != "" {
			if there.check().Equal(checks[key]) && there.Notes == operation.Check.Notes {
				continue
			}

			operation.Check.CheckID, operation.Check.ModifyIndex = there.CheckID, there.ModifyIndex
			operation.Check.Status, operation.Check.Output = there.Status, there.Output
		}

		operations = append(operations, &api.TxnOp{Check: operation})
	}

	return operations
}

// removals returns the operations that remove those checks that are not wanted, and what is left of an interrupted
// Deregister.
func (o occupied) removals(at place, wanted map[string]Check) api.TxnOps {
	var operations api.TxnOps

	for _, check := range o.checks {
		_, keep := wanted[at.key(check.CheckID)]
		if keep || check.ServiceID != at.ID || check.CheckID == serfCheck {
			continue
		}

		if strings.HasPrefix(check.CheckID, maintenance) && check.Notes != drainReason {
			continue
		}

		operations = append(operations, at.removal(check))
	}

	return operations
}

func (p place) removal(check entry) *api.TxnOp {
	gone := api.HealthCheck{Node: p.Node, CheckID: check.CheckID, ModifyIndex: check.ModifyIndex, Namespace: p.Namespace, Partition: p.Partition}

	return &api.TxnOp{Check: &api.CheckTxnOp{Verb: api.CheckDeleteCAS, Check: gone}}
}

// deregistration returns the operations that remove the instance (Consul removes its checks with it), and the node if
// it was made for its services and nothing else is on it.
func (o occupied) deregistration(who Identity) api.TxnOps {
	var operations api.TxnOps

	others := len(o.services)

	if found := o.find(who.ID); found != nil {
		others--

		gone := api.AgentService{ID: found.ID, Service: found.Service, ModifyIndex: found.ModifyIndex, Namespace: who.Namespace, Partition: who.Partition}
		operations = append(operations, &api.TxnOp{Service: &api.ServiceTxnOp{Verb: api.ServiceDeleteCAS, Node: who.Node, Service: gone}})
	}

	if o.implicit() && others == 0 {
		node := api.Node{Node: o.node.Node, ModifyIndex: o.node.ModifyIndex, Partition: who.Partition}
		operations = append(operations, &api.TxnOp{Node: &api.NodeTxnOp{Verb: api.NodeDeleteCAS, Node: node}})
	}

	return operations
}
