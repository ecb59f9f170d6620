// Package volume is the resource type hypervisor_volume.
package volume

import (
	"context"
	"errors"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// limits leave time for a large image over a slow line.
var limits = tf.Limits{Create: 30 * time.Minute, Read: 2 * time.Minute, Update: 2 * time.Minute, Delete: 2 * time.Minute}

type volumeResource struct {
	clients *backend.Backend
}

var (
	_ resource.ResourceWithConfigure      = (*volumeResource)(nil)
	_ resource.ResourceWithImportState    = (*volumeResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*volumeResource)(nil)
	_ resource.ResourceWithValidateConfig = (*volumeResource)(nil)
)

// New makes the resource type.
func New() resource.Resource { return &volumeResource{} }

func (r *volumeResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "hypervisor_volume"
}

func (r *volumeResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = volumeSchema(ctx)
}

func (r *volumeResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.clients = backend.From(req.ProviderData)
}

func (r *volumeResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	ctx, cancel := tf.Deadline(ctx, plan.Timeouts.Create, limits.Create, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	host, err := r.clients.Host(plan.Host.ValueString())
	if err == nil {
		err = create(ctx, host, plan, func() { resp.Diagnostics.Append(resp.State.Set(ctx, plan.begun())...) })
	}

	if err == nil {
		err = refresh(ctx, host, &plan)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("create", "volume", plan.Name.ValueString(), err))

		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *volumeResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
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
		resp.Diagnostics.Append(tf.Unread("volume", state.Name.ValueString(), err))
	case err != nil:
		resp.Diagnostics.Append(tf.Failed("read", "volume", state.Name.ValueString(), err))
	default:
		resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	}
}

// Update grows the volume; nothing else that may change needs the host.
func (r *volumeResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)

	ctx, cancel := tf.Deadline(ctx, plan.Timeouts.Update, limits.Update, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	host, err := r.clients.Host(plan.Host.ValueString())
	if err == nil {
		err = grow(ctx, host, plan.ref(), plan.Size.Bytes())
	}

	if err == nil {
		err = refresh(ctx, host, &plan)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("update", "volume", plan.Name.ValueString(), err))

		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *volumeResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)

	ctx, cancel := tf.Deadline(ctx, state.Timeouts.Delete, limits.Delete, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	host, err := r.clients.Host(state.Host.ValueString())
	if err == nil {
		err = remove(ctx, host, state.ref())
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("delete", "volume", state.Name.ValueString(), err))
	}
}
