package vm

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// locate returns the host that the machine is on. That is another one than the state says if a move was cut short once the
// machine had arrived, or if somebody migrated it by hand; making it anew would give it twice.
func locate(ctx context.Context, clients *backend.Backend, state model) (*libvirt.Host, error) {
	host, err := clients.Host(state.Host.ValueString())
	if err != nil {
		return nil, err
	}

	id := state.ID.ValueString()

	_, err = host.Domain(ctx, id)
	if errors.Is(err, libvirt.ErrNotFound) {
		return search(ctx, clients, host, id)
	}

	if err != nil {
		return nil, err
	}

	pending, err := pendingMove(ctx, clients, host, id)
	if err != nil || pending == nil {
		return host, err
	}

	at, _, err := pending.glance(ctx)
	if err != nil || at != arrived {
		return pending.from, ignoreUnreachable(err)
	}

	return pending.to, nil
}

// ignoreUnreachable lets the host of a machine be read while the one that it was to move to cannot be.
func ignoreUnreachable(err error) error {
	if errors.Is(err, libvirt.ErrUnreachable) {
		return nil
	}

	return err
}

// pendingMove returns the move that the machine's definition on the host tells of; nil if it tells of none, or of a host
// that the provider block does not have any more.
func pendingMove(ctx context.Context, clients *backend.Backend, host *libvirt.Host, id string) (*move, error) {
	moves, err := host.Moves(ctx)
	if err != nil {
		return nil, err
	}

	for _, machine := range moves {
		if machine.UUID != id {
			continue
		}

		pending := &move{from: host, to: host, plan: &model{ID: optional(id)}}
		other, at := machine.Mark.Move.To, &pending.to

		if machine.Mark.Move.From != "" {
			other, at = machine.Mark.Move.From, &pending.from
		}

		if *at, err = clients.Host(other); err != nil {
			return nil, nil //nolint:nilerr // with its host, the rest of the move is gone
		}

		return pending, nil
	}

	return nil, nil
}

// search looks for a machine that its host does not have on all others. It is gone only if none has it.
func search(ctx context.Context, clients *backend.Backend, host *libvirt.Host, id string) (*libvirt.Host, error) {
	for _, name := range clients.HostNames() {
		if name == host.Name() {
			continue
		}

		other, err := clients.Host(name)
		if err != nil {
			return nil, err
		}

		if !other.Known() {
			continue
		}

		_, err = other.Domain(ctx, id)

		switch {
		case err == nil:
			return other, nil
		case !errors.Is(err, libvirt.ErrNotFound):
			return nil, fmt.Errorf("host %q does not have the machine, and it may have been moved: %w", host.Name(), err)
		}
	}

	return nil, fmt.Errorf("find the machine on any host: %w", libvirt.ErrNotFound)
}

// bring returns the host that the plan has for the machine, after moving it there.
func bring(ctx context.Context, clients *backend.Backend, state model, plan *model) (*libvirt.Host, error) {
	host, err := clients.Host(plan.Host.ValueString())
	if err != nil {
		return nil, err
	}

	ctx, cancel := context.WithTimeout(ctx, plan.Migration.timeout()+limits.Update)
	defer cancel()

	if state.Host.Equal(plan.Host) {
		return host, conclude(ctx, clients, host, plan)
	}

	from, err := clients.Host(state.Host.ValueString())
	if err != nil {
		return nil, err
	}

	return host, relocate(ctx, from, host, plan)
}

// conclude brings a move to its end that was cut short, on the host where the machine is to be: it cleans up behind a
// machine that has arrived here, or takes back what another host has of one that stays.
func conclude(ctx context.Context, clients *backend.Backend, host *libvirt.Host, plan *model) error {
	pending, err := pendingMove(ctx, clients, host, plan.ID.ValueString())
	if err != nil || pending == nil {
		return err
	}

	pending.plan = plan

	if pending.to.Name() == host.Name() {
		return relocate(ctx, pending.from, host, plan)
	}

	at, err := pending.look(ctx)
	if err != nil {
		return err
	}

	if at == arrived {
		return fmt.Errorf("the machine has moved to host %q meanwhile. Plan again", pending.to.Name())
	}

	if err := pending.stay(ctx); err != nil {
		return err
	}

	spec := pending.here.stored
	spec.Mark.Move = domainxml.Move{}

	return setMark(ctx, host, spec)
}

// settledHost is where the machine is, with nothing of it on any other host.
func settledHost(ctx context.Context, clients *backend.Backend, state *model) (*libvirt.Host, error) {
	host, err := locate(ctx, clients, *state)
	if errors.Is(err, libvirt.ErrNotFound) {
		return clients.Host(state.Host.ValueString())
	}

	if err != nil {
		return nil, err
	}

	return host, conclude(ctx, clients, host, state)
}
