package catalog

import "github.com/hashicorp/consul/api"

// operation writes the service's entry over the one that was seen, or makes it if none was.
func (s Service) operation(seen *api.AgentService) *api.ServiceTxnOp {
	service := api.AgentService{
		ID: s.ID, Service: s.Name, Address: s.Address, Port: s.Port, Tags: sortedTags(s.Tags), Meta: s.Meta,
		Weights: api.AgentWeights{Passing: 1, Warning: 1}, // an agent fills these in, a transaction does not
	}

	if seen != nil {
		service.Weights = seen.Weights
		service.ModifyIndex = seen.ModifyIndex
	}

	return &api.ServiceTxnOp{Verb: api.ServiceCAS, Node: s.Node, Service: service}
}

// checkOperation makes a check of the service.
func (s Service) checkOperation(key string) *api.CheckTxnOp {
	check := s.Checks[key]

	return &api.CheckTxnOp{Verb: api.CheckCAS, Check: api.HealthCheck{
		Node: s.Node, CheckID: checkID(s.ID, key), Name: key, ServiceID: s.ID, ServiceName: s.Name,
		Status: check.Status, Notes: check.notes(s.Wait), Type: check.kind(),
		Definition: api.HealthCheckDefinition{
			HTTP: check.HTTP, TCP: check.TCP, IntervalDuration: check.Interval, TimeoutDuration: check.Timeout,
			DeregisterCriticalServiceAfterDuration: check.DeregisterAfter,
		},
	}}
}

// onto turns the making of a check into a change of the one that was seen, whose status stays.
func onto(operation *api.CheckTxnOp, seen entry) {
	operation.Check.CheckID, operation.Check.ModifyIndex = seen.CheckID, seen.ModifyIndex
	operation.Check.Status, operation.Check.Output = seen.Status, seen.Output
}
