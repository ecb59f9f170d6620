package snapshot

import (
	"context"
	"fmt"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// byName takes "host/machine/name" with the machine's name or its UUID.
func byName(ctx context.Context, clients *backend.Backend, id string, _ *resource.ImportStateResponse) (string, error) {
	parts := strings.SplitN(id, "/", 3)
	if len(parts) != 3 {
		return "", fmt.Errorf("%q is not the import id of a snapshot. Write it as \"host/machine/name\"", id)
	}

	if _, err := uuid.Parse(parts[1]); err == nil {
		return id, nil
	}

	host, err := clients.Host(parts[0])
	if err != nil {
		return "", err
	}

	domain, err := host.DomainByName(ctx, parts[1])
	parts[1] = domain.UUID

	return strings.Join(parts, "/"), err
}
