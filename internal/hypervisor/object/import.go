package object

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

func (r *objectResource[M, P]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	Import[M, P](ctx, r.kind, r.clients, req, resp)
}

// Import imports the object that the identity or the id names. It is read at once: one that is not there, or whose host
// cannot be reached, is not imported.
func Import[M any, P Model[M]](ctx context.Context, kind Kind[M], clients *backend.Backend, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	ctx, cancel := context.WithTimeout(ctx, kind.Limits.Plan)
	defer cancel()

	identity, given := kind.Identity.Given(ctx, req, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	var err error
	if !given {
		identity, err = kind.parse(ctx, clients, req.ID, resp)
	}

	var host *libvirt.Host
	if err == nil {
		host, err = clients.Host(identity[0])
	}

	if err == nil {
		err = find[M, P](ctx, kind, host, identity, &resp.State, &resp.Diagnostics)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("import", kind.Thing, name(req.ID, identity), err))

		return
	}

	resp.Diagnostics.Append(kind.Identity.Keep(ctx, resp.State, resp.Identity)...)
}

func name(id string, identity []string) string {
	if id == "" {
		return ID(identity...).ValueString()
	}

	return id
}

func (k Kind[M]) parse(ctx context.Context, clients *backend.Backend, id string, resp *resource.ImportStateResponse) ([]string, error) {
	if k.Import != nil {
		var err error
		if id, err = k.Import(ctx, clients, id, resp); err != nil {
			return nil, err
		}
	}

	return k.Identity.Split(id)
}

// record is a state, or an object in a list.
type record interface {
	Get(ctx context.Context, target any) diag.Diagnostics
	Set(ctx context.Context, value any) diag.Diagnostics
	SetAttribute(ctx context.Context, at path.Path, value any) diag.Diagnostics
}

// find reads the object with the identity into the record.
func find[M any, P Model[M]](ctx context.Context, kind Kind[M], host *libvirt.Host, identity []string, into record, diags *diag.Diagnostics) error {
	diags.Append(into.SetAttribute(ctx, path.Root("id"), ID(identity...))...)

	for at, attribute := range kind.Identity { // of which the id may be one
		diags.Append(into.SetAttribute(ctx, path.Root(attribute.Name), identity[at])...)
	}

	m := P(new(M))
	diags.Append(into.Get(ctx, m)...)

	if diags.HasError() {
		return nil
	}

	if err := kind.Refresh(ctx, host, m); err != nil {
		return err
	}

	diags.Append(into.Set(ctx, m)...)

	return nil
}
