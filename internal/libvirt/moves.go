package libvirt

import (
	"context"
	"errors"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
)

// Moves returns the host's machines that are noted to be on a move between hosts, from the shared read of its machines.
func (h *Host) Moves(ctx context.Context) ([]domainxml.Spec, error) {
	list, err := h.roster(ctx)
	if err != nil {
		return nil, err
	}

	for _, uuid := range h.outdated(list) {
		if _, err := h.renew(ctx, list, uuid); err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}

	var moving []domainxml.Spec

	h.mu.Lock()
	defer h.mu.Unlock()

	for _, known := range list.machines {
		if known.gone || !known.domain.moving {
			continue
		}

		spec, err := domainxml.Parse(known.domain.XML)
		if err != nil {
			return nil, err
		}

		if spec.Mark.Move != (domainxml.Move{}) {
			moving = append(moving, spec)
		}
	}

	return moving, nil
}
