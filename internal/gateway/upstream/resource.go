// Package upstream is the gateway_upstream resource type.
package upstream

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

type upstreamResource struct{}

// New makes the resource type.
func New() resource.Resource { return &upstreamResource{} }

func (r *upstreamResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "gateway_upstream"
}

func (r *upstreamResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{}
}

func (r *upstreamResource) Create(context.Context, resource.CreateRequest, *resource.CreateResponse) {}

func (r *upstreamResource) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

func (r *upstreamResource) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}

func (r *upstreamResource) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
