// Package object is what the resource types of a libvirt host have in common: each is one object on a host, made, read,
// changed and removed by a function of its own. A type adds its schema, its model and these functions.
package object

import (
	"context"
	"errors"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Kind is a type of object whose Terraform model is M.
type Kind[M any] struct {
	Type     string // "hypervisor_pool"
	Thing    string // for errors to people: "pool"
	Schema   func(context.Context) schema.Schema
	Limits   tf.Limits
	Identity tf.Identity // "host" first; the id is all of it, joined by slashes
	// Contents says that an object which is made anew is another one, whatever its name: its id is not known before it is made, so
	// that plans see it change under those that stand on it.
	Contents bool

	// Create makes the object, or takes over what an interrupted creation left. It may store what there is so far, so
	// that Terraform knows of it if a later step fails.
	Create  func(ctx context.Context, host *libvirt.Host, plan *M, store func(M)) error
	Refresh func(ctx context.Context, host *libvirt.Host, state *M) error // libvirt.ErrNotFound: it is gone
	Update  func(ctx context.Context, host *libvirt.Host, state M, plan *M) error
	Delete  func(ctx context.Context, host *libvirt.Host, state M) error // gone already is no error

	// Move brings the object to another host, before its Update; nil if another host replaces it. If it says that the object
	// is carried, something else brings it there later: the plan is then complete, and neither updated nor refreshed.
	Move func(ctx context.Context, from, to *libvirt.Host, plan *M) (carried bool, err error)
	// Locate corrects the state's host, before it is read, if the object is on another one; nil if it never is.
	Locate func(ctx context.Context, clients *backend.Backend, state *M) error

	// List returns the host's objects that can be imported.
	List func(ctx context.Context, host *libvirt.Host) ([]Found, error)

	// Plan completes or refuses a plan, also one to destroy. The clients are nil while the provider is not configured.
	Plan func(ctx context.Context, clients *backend.Backend, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse)
	// Validate refuses a configuration; nil if the schema says it all.
	Validate func(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse)
	// Import sets what an import's id says beyond the identity, and returns the id that is the identity, joined by
	// slashes; nil if every id is.
	Import func(ctx context.Context, clients *backend.Backend, id string, resp *resource.ImportStateResponse) (string, error)
}

// Found is an object in a list.
type Found struct {
	Name     string   // for people, with what comes before it in the identity but the host
	Identity []string // without the host
}

// Model is the type's Terraform model M.
type Model[M any] interface {
	*M
	Key() (host, name types.String)
	Bounds() timeouts.Value
}

type objectResource[M any, P Model[M]] struct {
	kind    Kind[M]
	clients *backend.Backend
}

var (
	_ resource.ResourceWithConfigure      = (*objectResource[anyModel, *anyModel])(nil)
	_ resource.ResourceWithIdentity       = (*objectResource[anyModel, *anyModel])(nil)
	_ resource.ResourceWithImportState    = (*objectResource[anyModel, *anyModel])(nil)
	_ resource.ResourceWithModifyPlan     = (*objectResource[anyModel, *anyModel])(nil)
	_ resource.ResourceWithValidateConfig = (*objectResource[anyModel, *anyModel])(nil)
)

// New makes the resource type of a kind.
func New[M any, P Model[M]](kind Kind[M]) resource.Resource {
	return &objectResource[M, P]{kind: kind}
}

func (r *objectResource[M, P]) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.kind.Type
	resp.ResourceBehavior.MutableIdentity = r.kind.Move != nil
}

func (r *objectResource[M, P]) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.kind.Schema(ctx)
}

func (r *objectResource[M, P]) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = r.kind.Identity.Schema()
}

func (r *objectResource[M, P]) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.clients = backend.From(req.ProviderData)
}

func (r *objectResource[M, P]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	plan := P(new(M))
	resp.Diagnostics.Append(req.Plan.Get(ctx, plan)...)

	ctx, cancel := tf.Deadline(ctx, plan.Bounds().Create, r.kind.Limits.Create, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	store := func(made M) {
		resp.Diagnostics.Append(resp.State.Set(ctx, &made)...)
		resp.Diagnostics.Append(r.kind.Identity.Keep(ctx, resp.State, resp.Identity)...)
	}

	name, err := r.with(ctx, plan, func(ctx context.Context, host *libvirt.Host, plan *M) error {
		return r.kind.Create(ctx, host, plan, store)
	}, r.kind.Refresh)
	if err != nil {
		resp.Diagnostics.Append(tf.Failed("create", r.kind.Thing, name, err))

		return
	}

	store(*plan)
}

func (r *objectResource[M, P]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state := P(new(M))
	resp.Diagnostics.Append(req.State.Get(ctx, state)...)
	resp.Diagnostics.Append(r.kind.Identity.Keep(ctx, req.State, resp.Identity)...)

	ctx, cancel := tf.Deadline(ctx, state.Bounds().Read, r.kind.Limits.Read, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	before := tf.Snapshot(state)
	name, err := r.read(ctx, state)

	switch {
	case errors.Is(err, libvirt.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case errors.Is(err, libvirt.ErrUnreachable), errors.Is(err, libvirt.ErrInactive): // the plan may be to start the pool
		resp.Diagnostics.Append(tf.Unread(r.kind.Thing, name, err))
	case err != nil:
		resp.Diagnostics.Append(tf.Failed("read", r.kind.Thing, name, err))
	default:
		resp.Diagnostics.Append(tf.StoreChanged(ctx, &resp.State, before, state)...)
		resp.Diagnostics.Append(r.kind.Identity.Keep(ctx, resp.State, resp.Identity)...)
	}
}

// read finds the object and reads it. It returns the object's name for errors.
func (r *objectResource[M, P]) read(ctx context.Context, state P) (string, error) {
	if r.kind.Locate != nil {
		if err := r.kind.Locate(ctx, r.clients, state); err != nil {
			_, name := state.Key()

			return name.ValueString(), err
		}
	}

	return r.with(ctx, state, r.kind.Refresh)
}

func (r *objectResource[M, P]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	plan, state := P(new(M)), P(new(M))
	resp.Diagnostics.Append(req.Plan.Get(ctx, plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, state)...)

	ctx, cancel := tf.Deadline(ctx, plan.Bounds().Update, r.kind.Limits.Update, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	steps := []func(context.Context, *libvirt.Host, *M) error{func(ctx context.Context, host *libvirt.Host, plan *M) error {
		return r.kind.Update(ctx, host, *state, plan)
	}, r.kind.Refresh}

	if r.kind.Move != nil {
		steps = r.moving(state, steps)
	}

	name, err := r.with(ctx, plan, steps...)
	if err != nil {
		resp.Diagnostics.Append(tf.Failed("update", r.kind.Thing, name, err))

		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(r.kind.Identity.Keep(ctx, resp.State, resp.Identity)...)
}

func (r *objectResource[M, P]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	state := P(new(M))
	resp.Diagnostics.Append(req.State.Get(ctx, state)...)

	ctx, cancel := tf.Deadline(ctx, state.Bounds().Delete, r.kind.Limits.Delete, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	name, err := r.with(ctx, state, func(ctx context.Context, host *libvirt.Host, state *M) error {
		return r.kind.Delete(ctx, host, *state)
	})
	if err != nil {
		resp.Diagnostics.Append(tf.Failed("delete", r.kind.Thing, name, err))
	}
}

// moving puts the move from the state's host, if the plan has another one, in front of the steps. They are left out if the
// object is carried.
func (r *objectResource[M, P]) moving(state P, steps []func(context.Context, *libvirt.Host, *M) error) []func(context.Context, *libvirt.Host, *M) error {
	before, _ := state.Key()

	return []func(context.Context, *libvirt.Host, *M) error{func(ctx context.Context, to *libvirt.Host, plan *M) error {
		if before.ValueString() != to.Name() {
			from, err := r.clients.Host(before.ValueString())
			if err != nil {
				return err
			}

			if carried, err := r.kind.Move(ctx, from, to, plan); err != nil || carried {
				return err
			}
		}

		_, err := r.with(ctx, plan, steps...)

		return err
	}}
}

// with takes the steps on the model's host, up to the first that fails. It returns the object's name for errors.
func (r *objectResource[M, P]) with(ctx context.Context, m P, steps ...func(context.Context, *libvirt.Host, *M) error) (string, error) {
	on, name := m.Key()

	host, err := r.clients.Host(on.ValueString())

	for _, step := range steps {
		if err == nil {
			err = step(ctx, host, m)
		}
	}

	return name.ValueString(), err
}

// anyModel stands for a model where the compiler wants one.
type anyModel struct{}

func (*anyModel) Key() (host, name types.String) { return }

func (*anyModel) Bounds() timeouts.Value { return timeouts.Value{} }
