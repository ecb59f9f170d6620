// Package pool is the resource type hypervisor_pool.
package pool

import (
	"context"
	"errors"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// limits leave time to mount an export over a slow line.
var limits = tf.Limits{Create: 5 * time.Minute, Read: 2 * time.Minute, Update: 5 * time.Minute, Delete: 2 * time.Minute}

type poolResource struct {
	clients *backend.Backend
}

var (
	_ resource.ResourceWithConfigure      = (*poolResource)(nil)
	_ resource.ResourceWithImportState    = (*poolResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*poolResource)(nil)
	_ resource.ResourceWithValidateConfig = (*poolResource)(nil)
)

// New makes the resource type.
func New() resource.Resource { return &poolResource{} }

func (r *poolResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "hypervisor_pool"
}

func (r *poolResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = poolSchema(ctx)
}

func (r *poolResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.clients = backend.From(req.ProviderData)
}

// Create stores the pool before it starts it: what fails to start, since its export is not there, is known to Terraform
// and can be replaced.
func (r *poolResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	ctx, cancel := tf.Deadline(ctx, plan.Timeouts.Create, limits.Create, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	host, err := r.clients.Host(plan.Host.ValueString())
	if err == nil {
		err = create(ctx, host, plan)
	}

	made := plan

	if err == nil {
		err = refresh(ctx, host, &made)
	}

	if err == nil {
		resp.Diagnostics.Append(resp.State.Set(ctx, made)...)
		err = build(ctx, host, plan)
	}

	if err == nil {
		err = apply(ctx, host, plan)
	}

	if err == nil {
		err = refresh(ctx, host, &plan)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("create", "pool", plan.Name.ValueString(), err))

		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *poolResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)

	ctx, cancel := tf.Deadline(ctx, state.Timeouts.Read, limits.Read, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	host, err := r.clients.Host(state.Host.ValueString())
	if err == nil {
		err = refresh(ctx, host, &state)
	}

	switch {
	case errors.Is(err, libvirt.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case errors.Is(err, libvirt.ErrUnreachable) && !state.Name.IsNull():
		resp.Diagnostics.Append(tf.Unread("pool", state.Name.ValueString(), err))
	case err != nil:
		resp.Diagnostics.Append(tf.Failed("read", "pool", state.Name.ValueString(), err))
	default:
		resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	}
}

// Update changes the autostart and starts a pool that is off. Everything else replaces it.
func (r *poolResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	ctx, cancel := tf.Deadline(ctx, plan.Timeouts.Update, limits.Update, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	host, err := r.clients.Host(plan.Host.ValueString())
	if err == nil {
		err = apply(ctx, host, plan)
	}

	if err == nil {
		err = refresh(ctx, host, &plan)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("update", "pool", plan.Name.ValueString(), err))

		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *poolResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)

	ctx, cancel := tf.Deadline(ctx, state.Timeouts.Delete, limits.Delete, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	host, err := r.clients.Host(state.Host.ValueString())
	if err == nil {
		err = remove(ctx, host, state.Name.ValueString())
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("delete", "pool", state.Name.ValueString(), err))
	}
}
