package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ErrTaken is returned by Register if another instance is already registered under the id.
var ErrTaken = errors.New("the id is taken")

// Identity says which instance of a service is meant, and where it is registered.
type Identity struct {
	Node string // the node of the catalog; empty means the agent that the client talks to
	Name string // the service's
	ID   string // unique on the node or the agent
}

// Service is the definition of one instance. Its health is no part of it.
type Service struct {
	Identity

	Address string // empty means the node's own
	Port    int    // 0 means none
	Tags    []string
	Meta    map[string]string
	Checks  map[string]Check // by a key that is unique in the service
	Wait    time.Duration    // how long its creator waits for it to pass; 0 means not at all
}

// Check is the definition of a health check. One of HTTP and TCP is set, except in a check that somebody else made
// and whose target Consul does not show.
type Check struct {
	HTTP            string // a URL
	TCP             string // "address:port"
	Interval        time.Duration
	Timeout         time.Duration
	Status          string        // before the first run: "passing", "warning" or "critical"
	DeregisterAfter time.Duration // in critical state; 0 means never
}

// Equal reports whether both define the same instance. The order of tags means nothing.
func (s Service) Equal(other Service) bool {
	return s.Wait == other.Wait && s.sameEntry(other) && maps.Equal(s.Checks, other.Checks)
}

// sameEntry is Equal without the checks.
func (s Service) sameEntry(other Service) bool {
	return s.Identity == other.Identity && s.Address == other.Address && s.Port == other.Port &&
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
		service, err = c.agentInstance(ctx, who.ID)
	} else {
		service, err = c.nodeInstance(ctx, who)
	}

	if err != nil {
		return Service{}, fmt.Errorf("read %s: %w", who, err)
	}

	return service, nil
}

// Register makes an instance. One that is there already with the very same definition is left as it is, so that an
// interrupted registration can be repeated; for any other it returns ErrTaken (wrapped). If it returns ErrUnanswered,
// the instance may exist.
func (c *Client) Register(ctx context.Context, service Service) error {
	register := c.registerOnNode
	if service.Node == "" {
		register = c.registerWithAgent
	}

	if err := register(ctx, service); err != nil {
		return fmt.Errorf("register %s: %w", service.Identity, err)
	}

	return nil
}

// Update makes an existing instance what the definition says, and deregisters the checks that it does not have. What
// Consul knows of the instance's health is kept, as is a maintenance mode.
func (c *Client) Update(ctx context.Context, service Service) error {
	update := c.updateOnNode
	if service.Node == "" {
		update = c.updateWithAgent
	}

	if err := update(ctx, service); err != nil {
		return fmt.Errorf("update %s: %w", service.Identity, err)
	}

	return nil
}

// Deregister removes an instance with its checks, and its node if the last service of a node that Register made goes
// with it. An instance that is gone already is no error.
func (c *Client) Deregister(ctx context.Context, who Identity) error {
	deregister := c.deregisterOnNode
	if who.Node == "" {
		deregister = c.deregisterWithAgent
	}

	if err := deregister(ctx, who); err != nil {
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

	if who.Node == "" {
		return instance + " through the agent"
	}

	return instance + fmt.Sprintf(" on node %q", who.Node)
}

// taken describes what is in the way.
func taken(there Service) error {
	return fmt.Errorf("%w: there is already an instance %q of service %q at %s port %d, and it is defined differently. Import it, give this one another id, or deregister that one",
		ErrTaken, there.ID, there.Name, cmp.Or(there.Address, "its node's address"), there.Port)
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
