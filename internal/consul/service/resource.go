// Package service is the resource consul_service: one instance of a service in Consul, with its health checks.
package service

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

type serviceResource struct{}

// New makes the resource consul_service.
func New() resource.Resource { return &serviceResource{} }

func (r *serviceResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "consul_service"
}

func (r *serviceResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{}
}

func (r *serviceResource) Create(context.Context, resource.CreateRequest, *resource.CreateResponse) {}

func (r *serviceResource) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

func (r *serviceResource) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}

func (r *serviceResource) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
