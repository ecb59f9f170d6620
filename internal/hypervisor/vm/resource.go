// Package vm is the resource type hypervisor_vm.
package vm

import (
	"context"
	"errors"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// limits leave a guest time to boot.
var limits = tf.Limits{
	Create: 10 * time.Minute, Read: 2 * time.Minute, Update: 10 * time.Minute, Delete: 10 * time.Minute, Plan: 2 * time.Minute,
}

type vmResource struct {
	clients *backend.Backend
}

var (
	_ resource.ResourceWithConfigure      = (*vmResource)(nil)
	_ resource.ResourceWithIdentity       = (*vmResource)(nil)
	_ resource.ResourceWithImportState    = (*vmResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*vmResource)(nil)
	_ resource.ResourceWithValidateConfig = (*vmResource)(nil)
)

// New makes the resource type.
func New() resource.Resource { return &vmResource{} }

func (r *vmResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "hypervisor_vm"
	resp.ResourceBehavior.MutableIdentity = true
}

func (r *vmResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = vmSchema(ctx)
}

func (r *vmResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.clients = backend.From(req.ProviderData)
}

// Create defines the machine first and stores its id at once: whatever fails later leaves a resource that Terraform
// knows.
func (r *vmResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(plan.takeSecrets(ctx, req.Config)...)

	ctx, cancel := tf.Deadline(ctx, plan.Timeouts.Create, limits.Create, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	name := plan.Name.ValueString()

	host, err := r.clients.Host(plan.Host.ValueString())
	if err != nil {
		resp.Diagnostics.Append(tf.Failed("create", "VM", name, err))

		return
	}

	spec, err := define(ctx, host, &plan)
	if err != nil {
		resp.Diagnostics.Append(tf.Failed("create", "VM", name, err))

		return
	}

	partial := plan.withoutSecrets() // the framework takes them out of the state of a success only
	if partial.Addresses.IsUnknown() {
		partial.Addresses = types.MapNull(types.ListType{ElemType: types.StringType})
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, partial)...)
	resp.Diagnostics.Append(identity.Keep(ctx, resp.State, resp.Identity)...)

	if err = complete(ctx, host, &plan, spec); err == nil {
		err = refresh(ctx, host, &plan)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("create", "VM", name, err))

		return
	}

	resp.Diagnostics.Append(plan.comeBackIfGone(ctx, r.clients)...) // what it replaces may have left them drained
	if resp.Diagnostics.HasError() {
		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *vmResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(identity.Keep(ctx, req.State, resp.Identity)...)

	ctx, cancel := tf.Deadline(ctx, state.Timeouts.Read, limits.Read, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	before := tf.Snapshot(state)

	host, err := locate(ctx, r.clients, state)
	if err == nil {
		state.Host = types.StringValue(host.Name())
		err = refresh(ctx, host, &state)
	}

	switch {
	case errors.Is(err, libvirt.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case errors.Is(err, libvirt.ErrUnreachable):
		resp.Diagnostics.Append(tf.Unread("VM", state.Name.ValueString(), err))
	case err != nil:
		resp.Diagnostics.Append(tf.Failed("read", "VM", state.Name.ValueString(), err))
	default:
		resp.Diagnostics.Append(state.setDrained(ctx, r.clients)...)
		resp.Diagnostics.Append(tf.StoreChanged(ctx, &resp.State, before, state)...)
	}
}

// Update moves the machine to its host, if that is another one, and executes the steps that changes lists.
func (r *vmResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(plan.takeSecrets(ctx, req.Config)...)

	if resp.Diagnostics.HasError() {
		return
	}

	host, err := bring(ctx, r.clients, state, &plan)
	left := state.Drained.ValueBool()

	ctx, cancel := tf.Deadline(ctx, plan.Timeouts.Update, limits.Update, &resp.Diagnostics)
	defer cancel()

	if err == nil {
		leaving := plan
		leaving.Addresses = state.Addresses // the machine may come back with others

		err = update(ctx, host, state, &plan, func() error {
			left = true

			return leaving.leave(ctx, r.clients)
		})
	}

	if err == nil {
		err = refresh(ctx, host, &plan)
	}

	if err == nil && left {
		err = plan.comeBack(ctx, r.clients)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("update", "VM", plan.Name.ValueString(), err))

		return
	}

	if !left && plan.Running.ValueBool() && !state.Running.ValueBool() {
		resp.Diagnostics.Append(plan.comeBackIfGone(ctx, r.clients)...)
	}

	if resp.Diagnostics.HasError() {
		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(identity.Keep(ctx, resp.State, resp.Identity)...)
}

func (r *vmResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)

	ctx, cancel := tf.Deadline(ctx, state.Timeouts.Delete, limits.Delete, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	host, err := settledHost(ctx, r.clients, &state)
	if err == nil && state.Running.ValueBool() {
		err = state.leave(ctx, r.clients)
	}

	if err == nil {
		err = remove(ctx, host, state)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("delete", "VM", state.Name.ValueString(), err))
	}
}
