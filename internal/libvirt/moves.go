package libvirt

import (
	"context"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
)

// Moves returns the host's machines that are noted to be on a move between hosts, from the shared read of its machines.
func (h *Host) Moves(ctx context.Context) ([]domainxml.Spec, error) {
	domains, err := h.Domains(ctx)
	if err != nil {
		return nil, err
	}

	var moving []domainxml.Spec

	for _, domain := range domains {
		if !domain.moving {
			continue
		}

		spec, err := domainxml.Parse(domain.XML)
		if err != nil {
			return nil, err
		}

		if spec.Mark.Move != (domainxml.Move{}) {
			moving = append(moving, spec)
		}
	}

	return moving, nil
}

// speaksOfMove reports whether a definition has the word that the note of a move begins with.
func speaksOfMove(definition string) bool { return strings.Contains(definition, "move ") }
