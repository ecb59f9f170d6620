package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

var (
	// ErrTaken is returned by a registration if something else is already registered under the id.
	ErrTaken = errors.New("the id is taken")

	// ErrOwned is returned by a change of what another state has made.
	ErrOwned = errors.New("it belongs to another state")
)

// Identity says which instance of a service is meant, and where it is registered.
type Identity struct {
	Node      string // the node of the catalog; empty means the agent that the client talks to
	Name      string // the service's
	ID        string // unique on the node or the agent
	Namespace string // of Consul Enterprise
	Partition string // of Consul Enterprise
}

// Endpoint is an address with a port; 0 means none.
type Endpoint struct {
	Address string
	Port    int
}

// Weights are the shares of requests that instances get from Consul's DNS.
type Weights struct {
	Passing, Warning int
}

// Service is the definition of one instance. Its health is no part of it.
type Service struct {
	Identity
	Mark

	Address     string // empty means the node's own
	Port        int    // 0 means none
	Tagged      map[string]Endpoint
	Tags        []string
	TagOverride bool // whether others may change the tags in the catalog
	Meta        map[string]string
	Weights     Weights
	Checks      map[string]Check // by a key that is unique in the service

	Draining bool // as read: whether a Deregister was interrupted while the instance was out of service
}

// Equal reports whether both define the same instance, whoever it belongs to. The order of tags means nothing.
func (s Service) Equal(other Service) bool {
	return s.sameEntry(other) && maps.EqualFunc(s.Checks, other.Checks, Check.Equal)
}

// sameEntry is Equal without the checks.
func (s Service) sameEntry(other Service) bool {
	return s.Identity == other.Identity && s.sameSettings(other.Mark) && s.Address == other.Address && s.Port == other.Port &&
		s.TagOverride == other.TagOverride && s.Weights == other.Weights && maps.Equal(s.Tagged, other.Tagged) &&
		slices.Equal(sortedTags(s.Tags), sortedTags(other.Tags)) && maps.Equal(s.Meta, other.Meta)
}

func sortedTags(tags []string) []string { return slices.Compact(slices.Sorted(slices.Values(tags))) }

// Instance reads one instance. Through an agent, two requests read everything that the agent has; in the catalog, one
// request reads all instances of the service (and one more finds the service's name, if it is not given). They are
// shared by every caller until the next write. It returns ErrNotFound (wrapped) if there is no such instance.
func (c *Client) Instance(ctx context.Context, who Identity) (Service, error) {
	var (
		service Service
		err     error
	)

	if who.Node == "" {
		service, err = c.agentInstance(ctx, who)
	} else {
		service, err = c.nodeInstance(ctx, who)
	}

	if err != nil {
		return Service{}, fmt.Errorf("read %s: %w", who, err)
	}

	return service, nil
}

// Register makes an instance. One that is there already with the very same definition is taken over, so that an
// interrupted registration can be repeated; any other is ErrTaken (wrapped) unless the service's mark says Force. If it
// returns ErrUnanswered, the instance may exist.
func (c *Client) Register(ctx context.Context, service Service) error {
	register := c.registerOnNode
	if service.Node == "" {
		register = c.registerWithAgent
	}

	if err := register(Patiently(ctx), service); err != nil {
		return fmt.Errorf("register %s: %w", service.Identity, err)
	}

	return nil
}

// Update makes an existing instance what the definition says, deregisters the checks that it does not have, and ends
// what an interrupted Deregister began. What Consul knows of the instance's health is kept, as is a maintenance mode of
// somebody else. It returns ErrOwned (wrapped) if the instance belongs to another state.
func (c *Client) Update(ctx context.Context, service Service) error {
	update := c.updateOnNode
	if service.Node == "" {
		update = c.updateWithAgent
	}

	if err := update(Patiently(ctx), service); err != nil {
		return fmt.Errorf("update %s: %w", service.Identity, err)
	}

	return nil
}

// Deregister removes an instance with its checks, and its node if the last service of a node that Register made goes
// with it. If the mark says Drain, the instance is out of service for so long before. An instance that is gone already
// is no error; one of another state is ErrOwned (wrapped).
func (c *Client) Deregister(ctx context.Context, who Identity, mine Mark) error {
	deregister := c.deregisterOnNode
	if who.Node == "" {
		deregister = c.deregisterWithAgent
	}

	if err := deregister(Patiently(ctx), who, mine); err != nil {
		return fmt.Errorf("deregister %s: %w", who, err)
	}

	return nil
}

// String names the instance for error texts.
func (who Identity) String() string {
	instance := fmt.Sprintf("instance %q", who.ID)
	if who.Name != "" {
		instance += fmt.Sprintf(" of service %q", who.Name)
	}

	if who.Namespace != "" {
		instance += fmt.Sprintf(" in namespace %q", who.Namespace)
	}

	if who.Node == "" {
		return instance + " through the agent"
	}

	return instance + fmt.Sprintf(" on node %q", who.Node)
}

// replaceable returns why the service may not be registered over the one that is there, if so.
func (s Service) replaceable(there Service) error {
	if there.Equal(s) || s.Force {
		return nil
	}

	maker := "somebody else made it"
	if there.Owner != "" {
		maker = "another state of this provider made it"
	}

	return fmt.Errorf("%w: there is already an instance %q of service %q at %s port %d, which is defined differently; %s. Import it, give this one another id, deregister that one, or take it over with force = true",
		ErrTaken, there.ID, there.Name, cmp.Or(there.Address, "its node's address"), there.Port, maker)
}

// owned is the error for what another state has.
func owned(thing string, there Mark) error {
	return fmt.Errorf("%w (owner %s, in its meta data): another Terraform state registered or took over %s since. Remove it from this state (terraform state rm) and from its configuration, or take it over with force = true",
		ErrOwned, there.Owner, thing)
}

// checkID is the id of a check as Consul knows it: unique on its node, in the form that Consul itself gives to checks
// registered without one.
func checkID(serviceID, key string) string { return "service:" + serviceID + ":" + key }

// checkKey is the reverse of checkID. A check that somebody else named otherwise has its whole id for a key. Consul
// folds the case of check ids.
func checkKey(serviceID, id string) string {
	prefix := checkID(serviceID, "")
	if len(id) > len(prefix) && strings.EqualFold(id[:len(prefix)], prefix) {
		return id[len(prefix):]
	}

	return id
}
