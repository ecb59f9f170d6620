package catalog

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"
)

// reassert is how often a drain makes sure that instances are still out of service: an agent that does not know why one
// of its instances should be removes the reason at its next synchronisation with the servers.
const reassert = time.Second

// Machine is a machine as its services show it.
type Machine struct {
	Name      string   // that of the node its instances may stand on
	Addresses []string // that its instances may have
	Services  []string // whose instances are meant
}

// reason is what Consul shows for an instance whose machine is about to be disturbed.
func (m Machine) reason() string { return managedBy + ": machine " + m.Name + " is being changed" }

// has reports whether the instance runs on the machine.
func (m Machine) has(one located) bool {
	address := one.Service.Address
	if address == "" {
		address = one.Node.Address
	}

	return one.Node.Node == m.Name || slices.ContainsFunc(m.Addresses, func(mine string) bool { return sameAddress(mine, address) })
}

func sameAddress(a, b string) bool {
	one, err := netip.ParseAddr(a)
	other, malformed := netip.ParseAddr(b)

	return a == b || (err == nil && malformed == nil && one == other)
}

// instancesOf finds the machine's instances, now.
func (c *Client) instancesOf(ctx context.Context, machine Machine) ([]located, error) {
	var all []located

	for _, service := range machine.Services {
		found, meta, err := c.located(ctx, service, (&api.QueryOptions{RequireConsistent: true}).WithContext(ctx))
		if err != nil {
			return nil, err
		}

		if meta.ResultsFilteredByACLs {
			return nil, fmt.Errorf("the token may not read all instances of service %q. Give it service %q and its nodes with policy \"read\"", service, service)
		}

		all = append(all, slices.DeleteFunc(found, func(one located) bool { return !machine.has(one) })...)
	}

	return all, nil
}

func (one located) identity() Identity {
	return Identity{Node: one.Node.Node, Name: one.Service.Service, ID: one.Service.ID}
}

// closed returns the check by which the instance is out of service, with its reason.
func (one located) closed() (entry, bool) {
	at := slices.IndexFunc(one.Checks, func(check entry) bool { return check.CheckID == maintenance+one.Service.ID })
	if at < 0 {
		return entry{}, false
	}

	return one.Checks[at], true
}

// Drain takes the machine's instances out of service and waits, from when the servers know, so that DNS answers and gateways forget
// them. What is out of service already, for whatever reason, stays so. A machine without instances is not waited for.
func (c *Client) Drain(ctx context.Context, machine Machine, wait time.Duration) error {
	ctx = Patiently(ctx)

	for end := (time.Time{}); ; {
		open, all, err := c.closeAll(ctx, machine)
		if err != nil {
			return fmt.Errorf("take the instances of machine %q out of service: %w", machine.Name, err)
		}

		if open == 0 && end.IsZero() {
			end = time.Now().Add(wait)
		}

		left := time.Until(end)
		if all == 0 || (open == 0 && left <= 0) {
			return nil
		}

		if err := pause(ctx, min(reassert, max(left, healthInterval))); err != nil {
			return fmt.Errorf("wait for machine %q to drain: %w", machine.Name, err)
		}
	}
}

// closeAll takes those instances out of service that are not, and returns how many they were, and how many there are.
func (c *Client) closeAll(ctx context.Context, machine Machine) (open, all int, err error) {
	found, err := c.instancesOf(ctx, machine)
	if err != nil {
		return 0, 0, err
	}

	for _, one := range found {
		if _, closed := one.closed(); closed {
			continue
		}

		open++

		if err := c.close(ctx, one, machine.reason()); err != nil {
			return open, len(found), err
		}
	}

	return open, len(found), nil
}

func (c *Client) close(ctx context.Context, one located, reason string) error {
	who := one.identity()

	if c.isOwnAgent(ctx, who.Node) {
		return c.setMaintenance(ctx, who, reason)
	}

	return c.changeNode(ctx, who, func(there occupied) (api.TxnOps, error) {
		if there.find(who.ID) == nil {
			return nil, nil
		}

		return there.closing(who, reason), nil
	})
}

// isOwnAgent reports whether the node is that of the agent that the client talks to.
func (c *Client) isOwnAgent(ctx context.Context, node string) bool {
	self, err := c.self(ctx)

	return err == nil && self.Config.NodeName == node
}

// IsDrained reports whether a Drain of the machine is in force. Its reads are shared until the next write.
func (c *Client) IsDrained(ctx context.Context, machine Machine) (bool, error) {
	for _, service := range machine.Services {
		found, err := shared(ctx, c, "located "+service, func(ctx context.Context) ([]located, error) {
			found, _, err := c.located(ctx, service, (&api.QueryOptions{}).WithContext(ctx))

			return found, err
		})
		if err != nil {
			return false, err
		}

		for _, one := range found {
			if check, closed := one.closed(); closed && check.Notes == machine.reason() {
				return true, nil
			}
		}
	}

	return false, nil
}

// Restore waits until the instances that Drain took out of service pass their checks, as found by a run that began after
// the call, and puts them back into service. It waits until ctx ends; its error says what was seen last.
func (c *Client) Restore(ctx context.Context, machine Machine) error {
	ctx, began := Patiently(ctx), time.Now()

	err := c.until(ctx, func(ctx context.Context) (string, error) {
		found, err := c.instancesOf(ctx, machine)
		if err != nil {
			return "", err
		}

		var missing []string

		for _, one := range found {
			check, closed := one.closed()
			if !closed || check.Notes != machine.reason() {
				continue
			}

			if why := one.unfit(time.Since(began)); why != "" {
				missing = append(missing, fmt.Sprintf("instance %q: %s", one.Service.ID, why))

				continue
			}

			if err := c.reopen(ctx, one, check); err != nil {
				return "", err
			}
		}

		return strings.Join(missing, "; "), nil
	})
	if err != nil {
		return fmt.Errorf("wait for the instances of machine %q to pass their checks before they are put back into service: %w", machine.Name, err)
	}

	return nil
}

// unfit says why the instance should stay out of service: a check fails, or has yet to run since.
func (one located) unfit(since time.Duration) string {
	var own []entry

	for _, check := range one.Checks {
		if strings.HasPrefix(check.CheckID, maintenance) {
			continue
		}

		own = append(own, check)

		definition := check.check()
		if period := definition.Interval + definition.Timeout; check.ServiceID != "" && since < period {
			return fmt.Sprintf("check %q is yet to run", check.Name)
		}
	}

	return failing(own)
}

func (c *Client) reopen(ctx context.Context, one located, check entry) error {
	who := one.identity()

	if c.isOwnAgent(ctx, who.Node) {
		return c.setMaintenance(ctx, who, "")
	}

	err := c.changeNode(ctx, who, func(there occupied) (api.TxnOps, error) {
		seen := there.check(check.CheckID)
		if seen.Notes != check.Notes {
			return nil, nil
		}

		return api.TxnOps{place{who}.removal(seen)}, nil
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}

	return err
}
