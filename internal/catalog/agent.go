package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/consul/api"
)

// agentInstance finds an instance in the shared read of the agent. The agent leaves out what the token may not read,
// without saying so; asked for the one instance, it says so.
func (c *Client) agentInstance(ctx context.Context, id string) (Service, error) {
	services, err := c.agentServices(ctx)
	if err != nil {
		return Service{}, err
	}

	if service, found := services[id]; found {
		return service, nil
	}

	return c.agentLook(ctx, id)
}

// agentServices reads everything that is registered through the agent, in two requests.
func (c *Client) agentServices(ctx context.Context) (map[string]Service, error) {
	return shared(ctx, c, "agent", func(ctx context.Context) (map[string]Service, error) {
		found, err := c.api.Agent().ServicesWithFilterOpts("", (&api.QueryOptions{}).WithContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("list the agent's services: %w", c.asked(err))
		}

		checks, err := c.agentChecks(ctx, "")
		if err != nil {
			return nil, err
		}

		byService := map[string][]entry{}
		for _, check := range checks {
			byService[check.ServiceID] = append(byService[check.ServiceID], check)
		}

		services := make(map[string]Service, len(found))
		for id, service := range found {
			services[id] = instance("", service, byService[id])
		}

		return services, nil
	})
}

// agentLook reads one instance now, whatever has been read before.
func (c *Client) agentLook(ctx context.Context, id string) (Service, error) {
	found, _, err := c.api.Agent().Service(id, (&api.QueryOptions{}).WithContext(ctx))
	if isMissing(err) {
		return Service{}, fmt.Errorf("the agent at %s has no such instance: %w", c.address, ErrNotFound)
	}

	if err != nil {
		return Service{}, c.asked(err)
	}

	checks, err := c.agentChecks(ctx, id)
	if err != nil {
		return Service{}, err
	}

	return instance("", found, checks), nil
}

// agentChecks reads the checks of one instance, or all that the agent has if the id is empty.
func (c *Client) agentChecks(ctx context.Context, serviceID string) ([]entry, error) {
	options := &api.QueryOptions{}
	if serviceID != "" {
		options.Filter = "ServiceID == " + strconv.Quote(serviceID)
	}

	var checks map[string]entry
	if _, err := c.api.Raw().Query("/v1/agent/checks", &checks, options.WithContext(ctx)); err != nil {
		return nil, fmt.Errorf("list the agent's checks: %w", c.asked(err))
	}

	return slices.Collect(maps.Values(checks)), nil
}

// instance converts a service and its checks as Consul gives them.
func instance(node string, found *api.AgentService, checks []entry) Service {
	service := Service{
		Identity: Identity{Node: node, Name: found.Service, ID: found.ID},
		Address:  found.Address, Port: found.Port, Tags: sortedTags(found.Tags), Meta: found.Meta,
	}
	service.addChecks(checks)

	return service
}

func (c *Client) registerWithAgent(ctx context.Context, service Service) error {
	defer c.hold("agent " + service.ID)()

	there, err := c.agentLook(ctx, service.ID)

	switch {
	case err == nil && there.Equal(service):
		return nil
	case err == nil:
		return taken(there)
	case !errors.Is(err, ErrNotFound):
		return err
	}

	return c.tellAgent(ctx, service)
}

// updateWithAgent registers the definition over the old one and deregisters what is left over. The API's
// replace-existing-checks does not serve: it ends a maintenance mode, and it leaves the old prober running beside the
// new one if a check changes from HTTP to TCP, so that both write the one status. Such a check is removed first.
func (c *Client) updateWithAgent(ctx context.Context, service Service) error {
	defer c.hold("agent " + service.ID)()

	old, err := c.agentChecks(ctx, service.ID)
	if err != nil {
		return err
	}

	var replaced, dropped []string

	for _, check := range old {
		wanted, keep := service.Checks[checkKey(service.ID, check.CheckID)]

		switch {
		case strings.HasPrefix(check.CheckID, maintenance):
		case !keep:
			dropped = append(dropped, check.CheckID)
		case wanted.kind() != check.Type:
			replaced = append(replaced, check.CheckID)
		}
	}

	if err := c.deregisterChecks(ctx, replaced); err != nil {
		return err
	}

	if err := c.tellAgent(ctx, service); err != nil {
		return err
	}

	return c.deregisterChecks(ctx, dropped)
}

func (c *Client) tellAgent(ctx context.Context, service Service) error {
	c.forget()
	defer c.forget()

	err := c.api.Agent().ServiceRegisterOpts(service.registration(), api.ServiceRegisterOpts{}.WithContext(ctx))

	return c.told(err)
}

func (s Service) registration() *api.AgentServiceRegistration {
	registration := &api.AgentServiceRegistration{
		ID: s.ID, Name: s.Name, Address: s.Address, Port: s.Port, Tags: sortedTags(s.Tags), Meta: s.Meta,
	}

	for _, key := range slices.Sorted(maps.Keys(s.Checks)) {
		check := s.Checks[key]
		registration.Checks = append(registration.Checks, &api.AgentServiceCheck{
			CheckID: checkID(s.ID, key), Name: key, Notes: check.notes(s.Wait), HTTP: check.HTTP, TCP: check.TCP,
			Interval: durationText(check.Interval), Timeout: durationText(check.Timeout), Status: check.Status,
			DeregisterCriticalServiceAfter: durationText(check.DeregisterAfter),
		})
	}

	return registration
}

func (c *Client) deregisterChecks(ctx context.Context, ids []string) error {
	for _, id := range ids {
		c.forget()

		err := c.api.Agent().CheckDeregisterOpts(id, (&api.QueryOptions{}).WithContext(ctx))
		if err != nil && !isMissing(err) {
			return fmt.Errorf("deregister check %q: %w", id, c.told(err))
		}
	}

	c.forget()

	return nil
}

func (c *Client) deregisterWithAgent(ctx context.Context, who Identity) error {
	defer c.hold("agent " + who.ID)()

	c.forget()
	defer c.forget()

	err := c.api.Agent().ServiceDeregisterOpts(who.ID, (&api.QueryOptions{}).WithContext(ctx))
	if isMissing(err) {
		return nil
	}

	return c.told(err)
}
