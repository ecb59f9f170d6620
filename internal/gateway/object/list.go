package object

import (
	"context"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// NewList makes the list of a kind's objects, with which `terraform query` (Terraform 1.14) finds those of a gateway.
func NewList[M, V any, P Model[M, V]](kind Kind[V]) list.ListResource {
	return &objectResource[M, V, P]{kind: kind}
}

// ListResourceConfigSchema has no attributes: a provider instance has one gateway.
func (r *objectResource[M, V, P]) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listschema.Schema{MarkdownDescription: fmt.Sprintf("The %ss of the gateway, made by Terraform or not.", r.kind.Thing)}
}

// List reads the gateway's objects in bulk.
func (r *objectResource[M, V, P]) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	stream.Results = func(push func(list.ListResult) bool) {
		ctx, cancel := context.WithTimeout(ctx, Limits.Plan)
		defer cancel()

		var found []V

		err := r.call(ctx, func(ctx context.Context, engine gateway.Engine) (err error) {
			found, err = r.kind.List(ctx, engine)

			return err
		})
		if err != nil {
			push(list.ListResult{Diagnostics: diag.Diagnostics{tf.Failed("list", r.kind.Thing+"s of", "the gateway", err)}})

			return
		}

		for number, value := range found {
			if int64(number) == req.Limit && req.Limit > 0 || !push(r.result(ctx, req, value)) {
				return
			}
		}
	}
}

func (r *objectResource[M, V, P]) result(ctx context.Context, req list.ListRequest, value V) list.ListResult {
	name := r.kind.Record(&value).Name

	result := req.NewListResult(ctx)
	result.DisplayName = name
	result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root("name"), name)...)

	if req.IncludeResource {
		result.Diagnostics.Append(r.fill(ctx, value, result.Resource)...)
	}

	return result
}

// record is a state, or an object in a list.
type record interface {
	Get(ctx context.Context, target any) diag.Diagnostics
	Set(ctx context.Context, value any) diag.Diagnostics
	SetAttribute(ctx context.Context, at path.Path, value any) diag.Diagnostics
}

// fill writes a value into an empty record.
func (r *objectResource[M, V, P]) fill(ctx context.Context, value V, into record) diag.Diagnostics {
	m := P(new(M))

	diags := into.SetAttribute(ctx, path.Root("name"), r.kind.Record(&value).Name) // what is null as a whole cannot be decoded
	diags.Append(into.Get(ctx, m)...)

	if diags.HasError() {
		return diags
	}

	m.Set(ctx, value)
	diags.Append(into.Set(ctx, m)...)

	return diags
}
