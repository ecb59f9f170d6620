package catalog

import (
	"github.com/hashicorp/consul/api"
)

const (
	// maintenance is the prefix of the check by which Consul takes an instance out of service. It is a state, not a part
	// of the definition.
	maintenance = "_service_maintenance:"

	// drainReason is the reason that Consul shows for an instance that is about to be deregistered.
	drainReason = managedBy + ": about to be deregistered"
)

// closing returns the operations that take the instance out of service for the reason, as an agent's maintenance mode
// does. One that is out of service already, for whatever reason, stays so.
func (o occupied) closing(who Identity, reason string) api.TxnOps {
	id := maintenance + who.ID
	if o.check(id).CheckID != "" {
		return nil
	}

	return api.TxnOps{{Check: &api.CheckTxnOp{Verb: api.CheckCAS, Check: api.HealthCheck{
		Node: who.Node, CheckID: id, Name: "Service Maintenance Mode", Notes: reason, Status: api.HealthCritical, Type: "maintenance",
		ServiceID: who.ID, ServiceName: who.Name, Namespace: who.Namespace, Partition: who.Partition,
	}}}}
}
