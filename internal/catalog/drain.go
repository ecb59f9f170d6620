package catalog

import (
	"context"
	"time"

	"github.com/hashicorp/consul/api"
)

const (
	// maintenance is the prefix of the check by which Consul takes an instance out of service. It is a state, not a part
	// of the definition.
	maintenance = "_service_maintenance:"

	// drainReason is the reason that Consul shows for an instance that is about to be deregistered.
	drainReason = managedBy + ": about to be deregistered"

	// heardLimit is how long the servers are waited for to hear what an agent was told. It tells them at once; if that fails, as during
	// an election, again within 30 s (retryFailInterval of its synchronisation, and a stagger as long).
	heardLimit = time.Minute
)

// drainInstance takes an instance of the agent out of service and waits, so that DNS answers and gateways forget it. They begin to when the
// servers know. An instance that the servers do not have, or that the token may not see there, is not waited for.
func (c *Client) drainInstance(ctx context.Context, who Identity, wait time.Duration) error {
	if err := c.setMaintenance(ctx, who, drainReason); err != nil {
		return err
	}

	limited, cancel := context.WithTimeout(ctx, heardLimit)
	defer cancel()

	err := c.until(limited, func(ctx context.Context) (string, error) {
		options := who.options(ctx)
		options.RequireConsistent = true

		found, _, err := c.located(ctx, who.Name, options)
		for _, one := range found {
			if _, closed := one.closed(); !closed && one.Service.ID == who.ID && c.isOwnAgent(ctx, one.Node.Node) {
				return "the servers have it in service", nil
			}
		}

		return "", err
	})
	if err != nil && ctx.Err() != nil {
		return err
	}

	return pause(ctx, wait)
}

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
