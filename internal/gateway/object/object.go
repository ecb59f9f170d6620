// Package object is what the resource types of a gateway have in common: each is one object with a name, put and read
// as a whole. A type adds its schema, its model and the engine's calls.
package object

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
)

// Limits are how long operations may take if their user says nothing.
var Limits = tf.Limits{Create: 5 * time.Minute, Read: 2 * time.Minute, Update: 5 * time.Minute, Delete: 5 * time.Minute, Plan: 2 * time.Minute}

// identity is the name alone: a provider instance has one gateway.
var identity = tf.Identity{{Name: "name", Description: "Name of the object in the gateway."}}

// Kind is a type of object whose values are V.
type Kind[V any] struct {
	Type   string // "gateway_route"
	Thing  string // for errors to people: "gateway route"
	Schema func(context.Context) schema.Schema

	Check  func(engine gateway.Engine, value V) []gateway.Unsupported
	Put    func(ctx context.Context, engine gateway.Engine, value V) error
	Get    func(ctx context.Context, engine gateway.Engine, name string) (V, error)
	List   func(ctx context.Context, engine gateway.Engine) ([]V, error)
	Delete func(ctx context.Context, engine gateway.Engine, of gateway.Record) error

	Record func(value *V) *gateway.Record
	// Plan checks what the schema and Check cannot, or keeps what is no change; nil if there is nothing.
	Plan func(ctx context.Context, engine gateway.Engine, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse)
	// Same reports whether two values are the same object, records aside, as an interrupted creation leaves it.
	Same func(a, b V) bool
}

// Model is the type's Terraform model M. Its attribute "name" identifies the object.
type Model[M, V any] interface {
	*M
	Key() string
	Bounds() timeouts.Value
	Value() V
	// Set takes over what the gateway says. What the model already says in other words stays.
	Set(ctx context.Context, value V)
}

// secretive is a model with write-only attributes, which stand in the configuration alone.
type secretive interface {
	Reveal(ctx context.Context, config tfsdk.Config) diag.Diagnostics
}

// awaiting is a model whose object takes effect later than the gateway's answer.
type awaiting interface {
	Await(ctx context.Context) error
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

func (r *objectResource[M, V, P]) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.kind.Schema(ctx)
}

func (r *objectResource[M, V, P]) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identity.Schema()
}

func (r *objectResource[M, V, P]) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.backend = backend.From(req.ProviderData)
}

func (r *objectResource[M, V, P]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	plan := P(new(M))
	resp.Diagnostics.Append(req.Plan.Get(ctx, plan)...)
	resp.Diagnostics.Append(reveal(ctx, plan, req.Config)...)

	ctx, cancel := tf.Deadline(applying(ctx), plan.Bounds().Create, Limits.Create, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	if err := r.create(ctx, plan); err != nil {
		resp.Diagnostics.Append(tf.Failed("create", r.kind.Thing, plan.Key(), err))

		return
	}

	// What is stored before the wait is not made anew if that fails, and is repaired by the next apply.
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), plan.Key())...)
	resp.Diagnostics.Append(identity.Keep(ctx, resp.State, resp.Identity)...)
	r.await(ctx, plan, &resp.Diagnostics)
}

func (r *objectResource[M, V, P]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state := P(new(M))
	resp.Diagnostics.Append(req.State.Get(ctx, state)...)
	resp.Diagnostics.Append(identity.Keep(ctx, req.State, resp.Identity)...)

	ctx, cancel := tf.Deadline(ctx, state.Bounds().Read, Limits.Read, &resp.Diagnostics)
	defer cancel()

	if resp.Diagnostics.HasError() {
		return
	}

	before := tf.Snapshot(state)
	value, err := r.read(ctx, state.Key())

	switch {
	case errors.Is(err, gateway.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case err != nil:
		resp.Diagnostics.Append(tf.Failed("read", r.kind.Thing, state.Key(), err))
	default:
		state.Set(ctx, value)
		resp.Diagnostics.Append(tf.StoreChanged(ctx, &resp.State, before, state)...)
	}
}

func (r *objectResource[M, V, P]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	plan := P(new(M))
	resp.Diagnostics.Append(req.Plan.Get(ctx, plan)...)
	resp.Diagnostics.Append(reveal(ctx, plan, req.Config)...)

	ctx, cancel := tf.Deadline(applying(ctx), plan.Bounds().Update, Limits.Update, &resp.Diagnostics)
	defer cancel()

	value := plan.Value()
	r.kind.Record(&value).Foreign = imported(ctx, req.Private, &resp.Diagnostics)

	if resp.Diagnostics.HasError() {
		return
	}

	if err := r.put(ctx, value); err != nil {
		resp.Diagnostics.Append(tf.Failed("update", r.kind.Thing, plan.Key(), err))

		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, importedKey, []byte("false"))...)
	resp.Diagnostics.Append(identity.Keep(ctx, resp.State, resp.Identity)...)
	r.await(ctx, plan, &resp.Diagnostics)
}

func (r *objectResource[M, V, P]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	state := P(new(M))
	resp.Diagnostics.Append(req.State.Get(ctx, state)...)

	ctx, cancel := tf.Deadline(applying(ctx), state.Bounds().Delete, Limits.Delete, &resp.Diagnostics)
	defer cancel()

	of := gateway.Record{Name: state.Key(), Foreign: imported(ctx, req.Private, &resp.Diagnostics)}

	if resp.Diagnostics.HasError() {
		return
	}

	err := r.call(ctx, func(ctx context.Context, engine gateway.Engine) error { return r.kind.Delete(ctx, engine, of) })
	if err != nil {
		resp.Diagnostics.Append(tf.Failed("delete", r.kind.Thing, state.Key(), err))
	}
}

// importedKey is where Terraform keeps for us that an object was imported, and may thus be changed whoever made it.
const importedKey = "imported"

type private interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

func imported(ctx context.Context, from private, diags *diag.Diagnostics) bool {
	value, problems := from.GetKey(ctx, importedKey)
	diags.Append(problems...)

	return string(value) == "true"
}

func reveal(ctx context.Context, model any, config tfsdk.Config) diag.Diagnostics {
	if model, keeps := model.(secretive); keeps {
		return model.Reveal(ctx, config)
	}

	return nil
}

// create puts an object that must not exist, whoever made it, unless it is the very same and ours: that is what a run
// leaves which was killed before Terraform could store the state.
func (r *objectResource[M, V, P]) create(ctx context.Context, plan P) error {
	wanted := plan.Value()
	existing, err := r.read(ctx, plan.Key())

	switch {
	case err == nil && !r.kind.Record(&existing).Foreign && r.kind.Record(&existing).Partial: // killed in its middle
	case err == nil && !r.kind.Record(&existing).Foreign && !r.kind.Record(&existing).Altered && r.kind.Same(existing, wanted):
		return nil
	case err == nil:
		return fmt.Errorf("there is a %s of this name already, and it is another one. Import it (terraform import %s.<label> %s), or choose another name", r.kind.Thing, r.kind.Type, plan.Key())
	case !errors.Is(err, gateway.ErrNotFound):
		return err
	}

	return r.put(ctx, wanted)
}

func (r *objectResource[M, V, P]) put(ctx context.Context, value V) error {
	return r.call(ctx, func(ctx context.Context, engine gateway.Engine) error { return r.kind.Put(ctx, engine, value) })
}

func (r *objectResource[M, V, P]) read(ctx context.Context, name string) (value V, err error) {
	err = r.call(ctx, func(ctx context.Context, engine gateway.Engine) (err error) {
		value, err = r.kind.Get(ctx, engine, name)

		return err
	})

	return value, err
}

// call calls the gateway. One that has answered before and does no more is waited for: it restarts, and an apply is not
// to break off in its middle for that. One that never answered is an error at once, as a mistyped address is, but that an
// apply waits for Consul as long as the provider block says.
func (r *objectResource[M, V, P]) call(ctx context.Context, do func(context.Context, gateway.Engine) error) error {
	engine, err := r.backend.Gateway()
	if err != nil {
		return err
	}

	return again(ctx, r.backend.GatewayAnswered(), r.backend.GatewayPatience(), func() error { return do(ctx, engine) })
}

// await waits until the object takes effect, if its user wants that. The object is there, so a failure is a warning in
// all but name: it is an error, or nobody would see it, and the next apply has nothing to repair.
func (r *objectResource[M, V, P]) await(ctx context.Context, plan P, diags *diag.Diagnostics) {
	if diags.HasError() {
		return
	}

	if model, waits := any(plan).(awaiting); waits {
		if err := model.Await(ctx); err != nil {
			diags.Append(tf.Failed("wait for", r.kind.Thing, plan.Key(), err))
		}
	}
}
