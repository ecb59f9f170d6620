package object

import (
	"context"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var _ list.ListResourceWithConfigure = (*objectResource[anyModel, *anyModel])(nil)

// NewList makes the list of a kind's objects, with which `terraform query` (Terraform 1.14) finds those of a host.
func NewList[M any, P Model[M]](kind Kind[M]) list.ListResource {
	return &objectResource[M, P]{kind: kind}
}

// ListResourceConfigSchema has the host, and what else narrows the list down: all of the identity but the name.
func (r *objectResource[M, P]) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	attributes := map[string]listschema.Attribute{}

	for at, attribute := range r.kind.Identity[:len(r.kind.Identity)-1] {
		attributes[attribute.Name] = listschema.StringAttribute{
			MarkdownDescription: attribute.Description, Required: at == 0, Optional: at > 0,
		}
	}

	resp.Schema = listschema.Schema{
		MarkdownDescription: fmt.Sprintf("The %ss of a host, made by Terraform or not.", r.kind.Thing),
		Attributes:          attributes,
	}
}

// List reads the host's objects in bulk.
func (r *objectResource[M, P]) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var diags diag.Diagnostics

	wanted := make([]types.String, len(r.kind.Identity)-1)
	for at := range wanted {
		diags.Append(req.Config.GetAttribute(ctx, path.Root(r.kind.Identity[at].Name), &wanted[at])...)
	}

	on := wanted[0].ValueString()

	host, err := r.clients.Host(on)
	if err != nil {
		diags.Append(tf.FailedAt(path.Root("host"), "list", r.kind.Thing+"s of host", on, err))
	}

	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)

		return
	}

	stream.Results = func(push func(list.ListResult) bool) {
		ctx, cancel := context.WithTimeout(ctx, r.kind.Limits.Plan)
		defer cancel()

		found, err := r.kind.List(ctx, host)
		if err != nil {
			push(list.ListResult{Diagnostics: diag.Diagnostics{tf.Failed("list", r.kind.Thing+"s of host", on, err)}})
		}

		sent := int64(0)

		for _, one := range found {
			if !matches(wanted[1:], one.Identity) {
				continue
			}

			if !push(r.result(ctx, req, host, one)) {
				return
			}

			if sent++; sent == req.Limit {
				return
			}
		}
	}
}

func matches(wanted []types.String, identity []string) bool {
	for at, value := range wanted {
		if !value.IsNull() && value.ValueString() != identity[at] {
			return false
		}
	}

	return true
}

func (r *objectResource[M, P]) result(ctx context.Context, req list.ListRequest, host *libvirt.Host, found Found) list.ListResult {
	identity := append([]string{host.Name()}, found.Identity...)

	result := req.NewListResult(ctx)
	result.DisplayName = host.Name() + "/" + found.Name

	for at, attribute := range r.kind.Identity {
		result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root(attribute.Name), identity[at])...)
	}

	if !req.IncludeResource {
		return result
	}

	// What one object has against it is no reason to hide the others.
	if err := find[M, P](ctx, r.kind, host, identity, result.Resource, &result.Diagnostics); err != nil {
		failed := tf.Failed("read", r.kind.Thing, result.DisplayName, err)
		result.Diagnostics.AddWarning(failed.Summary(), failed.Detail())
	}

	return result
}
