package catalog

import (
	"maps"
	"slices"

	"github.com/hashicorp/consul/api"
)

// agentRegistration is what an agent is told of a service. The library's type of a check lacks some of what agents know.
type agentRegistration struct {
	*api.AgentServiceRegistration

	Checks []agentCheck
}

type agentCheck struct {
	*api.AgentServiceCheck

	OSService        string `json:",omitempty"`
	DisableRedirects bool   `json:",omitempty"`
	H2PingUseTLS     *bool  `json:",omitempty"` // left out, it is true
}

// registration is the service as an agent is told.
func (s Service) registration() agentRegistration {
	registration := agentRegistration{AgentServiceRegistration: &api.AgentServiceRegistration{
		ID: s.ID, Name: s.Name, Address: s.Address, Port: s.Port, TaggedAddresses: s.tagged(),
		Tags: sortedTags(s.Tags), EnableTagOverride: s.TagOverride, Meta: s.marked(s.Meta), Weights: s.weights(),
		Namespace: s.Namespace, Partition: s.Partition,
	}}

	for _, key := range slices.Sorted(maps.Keys(s.Checks)) {
		registration.Checks = append(registration.Checks, s.Checks[key].registration(checkID(s.ID, key), key))
	}

	return registration
}

func (check Check) registration(id, name string) agentCheck {
	registration := agentCheck{
		AgentServiceCheck: &api.AgentServiceCheck{
			CheckID: id, Name: name, Notes: check.notes(), Status: check.Status,
			HTTP: check.HTTP, Method: check.Method, Header: check.header(), Body: check.Body,
			TCP: check.TCP, TCPUseTLS: check.TCP != "" && check.TLS, UDP: check.UDP,
			GRPC: check.GRPC, GRPCUseTLS: check.GRPC != "" && check.TLS, H2PING: check.H2Ping,
			TTL: durationText(check.TTL), Args: check.Script, DockerContainerID: check.Container, Shell: check.Shell,
			AliasService: check.AliasService, AliasNode: check.AliasNode,
			TLSSkipVerify: check.SkipVerify, TLSServerName: check.ServerName,
			SuccessBeforePassing: check.SuccessBeforePassing, FailuresBeforeWarning: check.FailuresBeforeWarning,
			FailuresBeforeCritical: check.FailuresBeforeCritical,
			Interval:               durationText(check.Interval), Timeout: durationText(check.Timeout),
			DeregisterCriticalServiceAfter: durationText(check.DeregisterAfter),
		},
		OSService: check.OSService, DisableRedirects: check.DisableRedirects,
	}

	if check.H2Ping != "" {
		registration.H2PingUseTLS = &check.TLS
	}

	return registration
}

// instance converts a service and its checks as Consul gives them.
func instance(node string, found *api.AgentService, checks []entry) Service {
	service := Service{
		Identity: Identity{Node: node, Name: found.Service, ID: found.ID, Namespace: plain(found.Namespace), Partition: plain(found.Partition)},
		Address:  found.Address, Port: found.Port, Tags: sortedTags(found.Tags), TagOverride: found.EnableTagOverride,
		Weights: Weights{Passing: found.Weights.Passing, Warning: found.Weights.Warning},
		Tagged:  taggedOf(found),
	}
	service.Mark, service.Meta, _ = readMark(found.Meta)
	service.addChecks(checks)

	return service
}

// plain drops the name by which Consul Enterprise calls the namespace and the partition of those who name none.
func plain(tenancy string) string {
	if tenancy == "default" {
		return ""
	}

	return tenancy
}

// derived are the tagged addresses that an agent fills in from the service's own.
var derived = []string{"lan_ipv4", "wan_ipv4", "lan_ipv6", "wan_ipv6"}

// taggedOf leaves out what an agent filled in.
func taggedOf(found *api.AgentService) map[string]Endpoint {
	var tagged map[string]Endpoint

	for name, address := range found.TaggedAddresses {
		if slices.Contains(derived, name) && address.Address == found.Address && address.Port == found.Port {
			continue
		}

		if tagged == nil {
			tagged = map[string]Endpoint{}
		}

		tagged[name] = Endpoint{Address: address.Address, Port: address.Port}
	}

	return tagged
}

func (s Service) tagged() map[string]api.ServiceAddress {
	tagged := make(map[string]api.ServiceAddress, len(s.Tagged))
	for name, endpoint := range s.Tagged {
		tagged[name] = api.ServiceAddress{Address: endpoint.Address, Port: endpoint.Port}
	}

	return tagged
}

func (s Service) weights() *api.AgentWeights {
	return &api.AgentWeights{Passing: s.Weights.Passing, Warning: s.Weights.Warning}
}
