package vm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// identity names a machine by its UUID, which it keeps for life; its host changes when it moves.
var identity = tf.Identity{
	{Name: "host", Description: "Name of the host in the provider block."},
	{Name: "id", Description: "The machine's UUID."},
}

// NewList makes the list of a host's machines.
func NewList() list.ListResource { return object.NewList(kind()) }

// kind is what finding a machine takes.
func kind() object.Kind[model] {
	return object.Kind[model]{
		Type: "hypervisor_vm", Thing: "VM", Schema: vmSchema, Limits: limits, Identity: identity,
		Refresh: refresh, List: known, Import: byName,
	}
}

// Key is where the machine is and what it is called.
func (m *model) Key() (host, name types.String) { return m.Host, m.Name }

// Bounds are the user's limits.
func (m *model) Bounds() timeouts.Value { return m.Timeouts }

func (r *vmResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identity.Schema()
}

// ImportState takes "host/name" or "host/uuid".
func (r *vmResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	object.Import(ctx, kind(), r.clients, req, resp)
}

// byName turns "host/name" into "host/uuid".
func byName(ctx context.Context, clients *backend.Backend, id string, _ *resource.ImportStateResponse) (string, error) {
	hostName, name, _ := strings.Cut(id, "/")
	if hostName == "" || name == "" {
		return "", fmt.Errorf("%q is not the import id of a VM. Write it as \"host/name\", such as \"alpha/web-1\", or as \"host/uuid\"", id)
	}

	host, err := clients.Host(hostName)
	if err != nil {
		return "", err
	}

	domain, err := host.DomainByName(ctx, name)

	if id, malformed := uuid.Parse(name); malformed == nil && errors.Is(err, libvirt.ErrNotFound) {
		return hostName + "/" + id.String(), nil
	}

	return hostName + "/" + domain.UUID, err
}

// known lists the host's machines.
func known(ctx context.Context, host *libvirt.Host) ([]object.Found, error) {
	domains, err := host.Domains(ctx)
	if err != nil {
		return nil, err
	}

	found := make([]object.Found, len(domains))
	for at, domain := range domains {
		found[at] = object.Found{Name: domain.Name, Identity: []string{domain.UUID}}
	}

	slices.SortFunc(found, func(a, b object.Found) int { return cmp.Compare(a.Name, b.Name) })

	return found, nil
}
