package object

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

func (r *objectResource[M, V, P]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	values, given := r.kind.Identity.Given(ctx, req, &resp.Diagnostics)
	if !given {
		values = r.kind.Parse(req.ID)
	}

	if err := r.kind.Refuse(values); err != nil {
		name := req.ID
		if given {
			name = values[0]
		}

		resp.Diagnostics.Append(tf.Failed("import", r.kind.Thing, name, err))

		return
	}

	for at, attribute := range r.kind.Identity {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute.Name), tf.OptionalText(values[at]))...)
	}

	resp.Diagnostics.Append(r.kind.Identity.Keep(ctx, resp.State, resp.Identity)...)
}

// NewList makes the list of a kind's things, with which `terraform query` (Terraform 1.14) finds those of a Consul.
func NewList[M any, V Value, P Model[M, V]](kind Kind[M, V]) list.ListResource {
	return &objectResource[M, V, P]{kind: kind}
}

func (r *objectResource[M, V, P]) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = r.kind.Listed
}

func (r *objectResource[M, V, P]) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var values []V

	diags := diag.Diagnostics{}

	consul, err := r.backend.Consul()
	if err != nil {
		diags.Append(tf.Failed("list", r.kind.Thing, "*", err))
	} else {
		values = r.kind.List(ctx, consul, req.Config, &diags)
	}

	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)

		return
	}

	stream.Results = func(push func(list.ListResult) bool) {
		for at, value := range values {
			if (req.Limit > 0 && int64(at) == req.Limit) || !push(r.result(ctx, req, value)) {
				return
			}
		}
	}
}

func (r *objectResource[M, V, P]) result(ctx context.Context, req list.ListRequest, value V) list.ListResult {
	found := P(new(M))
	found.Set(value)

	result := req.NewListResult(ctx)
	result.DisplayName = r.kind.Title(value)

	for at, identity := range found.Identify() {
		result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root(r.kind.Identity[at].Name), identity)...)
	}

	if req.IncludeResource {
		result.Diagnostics.Append(result.Resource.Set(ctx, found)...)
	}

	return result
}
