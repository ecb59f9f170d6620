// Package service is the resource consul_service: one instance of a service in Consul, with its health checks.
package service

import (
	"context"
	"errors"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

const thing = "Consul service"

var (
	_ resource.ResourceWithConfigure      = &serviceResource{}
	_ resource.ResourceWithIdentity       = &serviceResource{}
	_ resource.ResourceWithImportState    = &serviceResource{}
	_ resource.ResourceWithModifyPlan     = &serviceResource{}
	_ resource.ResourceWithValidateConfig = &serviceResource{}
)

// New makes the resource consul_service.
func New() resource.Resource { return &serviceResource{} }

type serviceResource struct {
	backend *backend.Backend
}

func (r *serviceResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "consul_service"
}

func (r *serviceResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = serviceSchema()
}

func (r *serviceResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.backend = backend.From(req.ProviderData)
}

func (r *serviceResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	consul := r.consul("create", plan, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	plan.Owner = tf.Owned(plan.Owner)
	service := plan.service()
	err := consul.Register(ctx, service)

	if err == nil || errors.Is(err, catalog.ErrUnanswered) { // what may exist must be in the state, or it is orphaned
		resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
		resp.Diagnostics.Append(identity.Keep(ctx, resp.State, resp.Identity)...)
	}

	if err == nil && service.Wait > 0 {
		err = consul.AwaitPassing(ctx, service.Identity, service.Wait)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("create", thing, plan.label(), err))
	}
}

func (r *serviceResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(identity.Keep(ctx, req.State, resp.Identity)...)

	consul := r.consul("read", state, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	service, err := consul.Instance(ctx, state.identity())

	switch {
	case errors.Is(err, catalog.ErrNotFound):
		resp.State.RemoveResource(ctx)

		return
	case err != nil:
		resp.Diagnostics.Append(tf.Failed("read", thing, state.label(), err))

		return
	}

	if service.Foreign(state.mark()) {
		resp.Diagnostics.AddWarning("Consul service of another state", service.Identity.String()+" has been registered or taken over by another Terraform state, as its meta data says. A change or a removal by this one will be refused: remove it here (terraform state rm), or set force = true.")
	}

	state.set(service)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *serviceResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	consul := r.consul("update", plan, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	plan.Owner = tf.Owned(plan.Owner)

	if err := consul.Update(ctx, plan.service()); err != nil {
		resp.Diagnostics.Append(tf.Failed("update", thing, plan.label(), err))

		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(identity.Keep(ctx, resp.State, resp.Identity)...)
}

func (r *serviceResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)

	consul := r.consul("delete", state, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	if err := consul.Deregister(ctx, state.identity(), state.mark()); err != nil {
		resp.Diagnostics.Append(tf.Failed("delete", thing, state.label(), err))
	}
}

// consul returns Consul's client; it reports why there is none.
func (r *serviceResource) consul(verb string, of model, diagnostics *diag.Diagnostics) *catalog.Client {
	if diagnostics.HasError() {
		return nil
	}

	consul, err := r.backend.Consul()
	if err != nil {
		diagnostics.Append(tf.Failed(verb, thing, of.label(), err))
	}

	return consul
}
