// Package object is what the resource types of a gateway have in common: each is one object with a name, put and read
// as a whole. A type adds its schema, its model and the engine's calls.
package object

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Kind is a type of object whose values are V.
type Kind[V any] struct {
	Type   string // "gateway_route"
	Thing  string // for errors to people: "gateway route"
	Schema schema.Schema

	Put    func(ctx context.Context, engine gateway.Engine, value V) error
	Get    func(ctx context.Context, engine gateway.Engine, name string) (V, error)
	Delete func(ctx context.Context, engine gateway.Engine, name string) error
	// Same reports whether two values are the same object, as an interrupted creation leaves it.
	Same func(a, b V) bool
}

// Model is the type's Terraform model M. Its attribute "name" identifies the object.
type Model[M, V any] interface {
	*M
	Key() string
	Value() V
	Set(value V)
}

type objectResource[M, V any, P Model[M, V]] struct {
	kind    Kind[V]
	backend *backend.Backend
}

// New makes the resource type of a kind.
func New[M, V any, P Model[M, V]](kind Kind[V]) resource.Resource {
	return &objectResource[M, V, P]{kind: kind}
}

func (r *objectResource[M, V, P]) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.kind.Type
}

func (r *objectResource[M, V, P]) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.kind.Schema
}

func (r *objectResource[M, V, P]) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.backend = backend.From(req.ProviderData)
}

// ModifyPlan refuses a plan that no gateway can carry out.
func (r *objectResource[M, V, P]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.backend == nil || req.Plan.Raw.IsNull() {
		return
	}

	var name types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("name"), &name)...)

	if _, err := r.backend.Gateway(); err != nil {
		resp.Diagnostics.Append(tf.Failed("plan", r.kind.Thing, name.ValueString(), err))
	}
}

func (r *objectResource[M, V, P]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	plan := P(new(M))
	resp.Diagnostics.Append(req.Plan.Get(ctx, plan)...)

	if resp.Diagnostics.HasError() {
		return
	}

	if err := r.create(ctx, plan); err != nil {
		resp.Diagnostics.Append(tf.Failed("create", r.kind.Thing, plan.Key(), err))

		return
	}

	plan.Set(plan.Value())
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *objectResource[M, V, P]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state := P(new(M))
	resp.Diagnostics.Append(req.State.Get(ctx, state)...)

	if resp.Diagnostics.HasError() {
		return
	}

	value, err := r.read(ctx, state.Key())

	switch {
	case errors.Is(err, gateway.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case err != nil:
		resp.Diagnostics.Append(tf.Failed("read", r.kind.Thing, state.Key(), err))
	default:
		state.Set(value)
		resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	}
}

func (r *objectResource[M, V, P]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	plan := P(new(M))
	resp.Diagnostics.Append(req.Plan.Get(ctx, plan)...)

	if resp.Diagnostics.HasError() {
		return
	}

	engine, err := r.backend.Gateway()
	if err == nil {
		err = r.kind.Put(ctx, engine, plan.Value())
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("update", r.kind.Thing, plan.Key(), err))

		return
	}

	plan.Set(plan.Value())
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *objectResource[M, V, P]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	state := P(new(M))
	resp.Diagnostics.Append(req.State.Get(ctx, state)...)

	if resp.Diagnostics.HasError() {
		return
	}

	engine, err := r.backend.Gateway()
	if err == nil {
		err = r.kind.Delete(ctx, engine, state.Key())
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("delete", r.kind.Thing, state.Key(), err))
	}
}

func (r *objectResource[M, V, P]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("name"), req, resp)
}

// create puts an object that must not exist, whoever made it, unless it is the very same: that is what a run leaves
// which was killed before Terraform could store the state.
func (r *objectResource[M, V, P]) create(ctx context.Context, plan P) error {
	existing, err := r.read(ctx, plan.Key())

	switch {
	case err == nil && r.kind.Same(existing, plan.Value()):
		return nil
	case err == nil:
		return fmt.Errorf("there is a %s of this name already, and it is another one. Import it (terraform import %s.<label> %s), or choose another name", r.kind.Thing, r.kind.Type, plan.Key())
	case !errors.Is(err, gateway.ErrNotFound):
		return err
	}

	engine, err := r.backend.Gateway()
	if err != nil {
		return err
	}

	return r.kind.Put(ctx, engine, plan.Value())
}

func (r *objectResource[M, V, P]) read(ctx context.Context, name string) (V, error) {
	engine, err := r.backend.Gateway()
	if err != nil {
		var none V

		return none, err
	}

	return r.kind.Get(ctx, engine, name)
}
