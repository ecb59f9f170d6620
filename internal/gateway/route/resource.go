// Package route is the gateway_route resource type.
package route

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

type routeResource struct{}

// New makes the resource type.
func New() resource.Resource { return &routeResource{} }

func (r *routeResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "gateway_route"
}

func (r *routeResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{}
}

func (r *routeResource) Create(context.Context, resource.CreateRequest, *resource.CreateResponse) {}

func (r *routeResource) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

func (r *routeResource) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}

func (r *routeResource) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
