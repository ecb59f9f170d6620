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
func (c *Client) agentInstance(ctx context.Context, who Identity) (Service, error) {
	services, err := c.agentServices(ctx, who)
	if err != nil {
		return Service{}, err
	}

	if service, found := services[who.ID]; found {
		return service, nil
	}

	return c.agentLook(ctx, who)
}

// agentServices reads everything that is registered through the agent where the instance is, in two requests.
func (c *Client) agentServices(ctx context.Context, who Identity) (map[string]Service, error) {
	return shared(ctx, c, "agent "+who.Partition+"/"+who.Namespace, func(ctx context.Context) (map[string]Service, error) {
		found, err := c.api.Agent().ServicesWithFilterOpts("", who.options(ctx))
		if err != nil {
			return nil, fmt.Errorf("list the agent's services: %w", c.asked(err))
		}

		checks, err := c.agentChecks(ctx, who, "")
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

// options are those of every request about the instance.
func (who Identity) options(ctx context.Context) *api.QueryOptions {
	return (&api.QueryOptions{Namespace: who.Namespace, Partition: who.Partition}).WithContext(ctx)
}

// agentLook reads one instance now, whatever has been read before.
func (c *Client) agentLook(ctx context.Context, who Identity) (Service, error) {
	found, _, err := c.api.Agent().Service(who.ID, who.options(ctx))
	if isMissing(err) {
		return Service{}, fmt.Errorf("the agent at %s has no such instance: %w", c.address, ErrNotFound)
	}

	if err != nil {
		return Service{}, c.asked(err)
	}

	checks, err := c.agentChecks(ctx, who, who.ID)
	if err != nil {
		return Service{}, err
	}

	return instance("", found, checks), nil
}

// agentChecks reads the checks of one instance, or all that the agent has if the id is empty.
func (c *Client) agentChecks(ctx context.Context, where Identity, serviceID string) ([]entry, error) {
	options := where.options(ctx)
	if serviceID != "" {
		options.Filter = "ServiceID == " + strconv.Quote(serviceID)
	}

	var checks map[string]entry
	if _, err := c.api.Raw().Query("/v1/agent/checks", &checks, options); err != nil {
		return nil, fmt.Errorf("list the agent's checks: %w", c.asked(err))
	}

	return slices.Collect(maps.Values(checks)), nil
}

func (c *Client) registerWithAgent(ctx context.Context, service Service) error {
	defer c.hold("agent " + service.ID)()

	there, err := c.agentLook(ctx, service.Identity)

	switch {
	case errors.Is(err, ErrNotFound):
		return c.tellAgent(ctx, service)
	case err != nil:
		return err
	}

	if err := service.replaceable(there); err != nil {
		return err
	}

	return c.rewriteWithAgent(ctx, service, there)
}

func (c *Client) updateWithAgent(ctx context.Context, service Service) error {
	defer c.hold("agent " + service.ID)()

	there, err := c.agentLook(ctx, service.Identity)

	switch {
	case errors.Is(err, ErrNotFound):
		return c.tellAgent(ctx, service)
	case err != nil:
		return err
	case there.Foreign(service.Mark):
		return owned(service.Identity.String(), there.Mark)
	}

	return c.rewriteWithAgent(ctx, service, there)
}

// rewriteWithAgent registers the definition over the old one and deregisters what is left over. The API's
// replace-existing-checks does not serve: it ends a maintenance mode, and it leaves the old prober running beside the
// new one if a check changes from HTTP to TCP, so that both write the one status. Such a check is removed first.
func (c *Client) rewriteWithAgent(ctx context.Context, service, there Service) error {
	old, err := c.agentChecks(ctx, service.Identity, service.ID)
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
		case wanted.Kind() != check.Type:
			replaced = append(replaced, check.CheckID)
		}
	}

	if err := c.deregisterChecks(ctx, service.Identity, replaced); err != nil {
		return err
	}

	if err := c.tellAgent(ctx, service); err != nil {
		return err
	}

	if err := c.deregisterChecks(ctx, service.Identity, dropped); err != nil || !there.Draining {
		return err
	}

	return c.setMaintenance(ctx, service.Identity, "")
}

// tellAgent registers the service as it is defined. What it says twice, it says to the same effect.
func (c *Client) tellAgent(ctx context.Context, service Service) error {
	c.forget()
	defer c.forget()

	_, err := c.api.Raw().Write("/v1/agent/service/register", service.registration(), nil, service.writing(repeatable(ctx)))

	return c.told(err)
}

// writing are the options of every write about the instance.
func (who Identity) writing(ctx context.Context) *api.WriteOptions {
	return (&api.WriteOptions{Namespace: who.Namespace, Partition: who.Partition}).WithContext(ctx)
}

func (c *Client) deregisterChecks(ctx context.Context, where Identity, ids []string) error {
	for _, id := range ids {
		c.forget()

		err := c.api.Agent().CheckDeregisterOpts(id, where.options(repeatable(ctx)))
		if err != nil && !isMissing(err) {
			return fmt.Errorf("deregister check %q: %w", id, c.told(err))
		}
	}

	c.forget()

	return nil
}

func (c *Client) deregisterWithAgent(ctx context.Context, who Identity, mine Mark) error {
	defer c.hold("agent " + who.ID)()

	there, err := c.agentLook(ctx, who)

	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case there.Foreign(mine):
		return owned(who.String(), there.Mark)
	}

	if mine.Drain > 0 {
		who.Name = there.Name
		if err := c.drainInstance(ctx, who, mine.Drain); err != nil {
			return err
		}
	}

	c.forget()
	defer c.forget()

	err = c.api.Agent().ServiceDeregisterOpts(who.ID, who.options(repeatable(ctx)))
	if isMissing(err) {
		return nil
	}

	return c.told(err)
}

// setMaintenance takes an instance of the agent out of service, with the reason, or puts it back if that is empty.
func (c *Client) setMaintenance(ctx context.Context, who Identity, reason string) error {
	c.forget()
	defer c.forget()

	if reason != "" {
		return c.told(c.api.Agent().EnableServiceMaintenanceOpts(who.ID, reason, who.options(repeatable(ctx))))
	}

	return c.told(c.api.Agent().DisableServiceMaintenanceOpts(who.ID, who.options(repeatable(ctx))))
}
