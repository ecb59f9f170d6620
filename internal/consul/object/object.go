// Package object is what the resource types of Consul have in common: each is one thing that a Consul has, with a mark that
// tells which state it belongs to. A type adds its schema, its model and Consul's calls.
package object

import (
	"context"
	"errors"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Kind is a type of thing whose Terraform model is M and whose value in Consul is V.
type Kind[M any, V Value] struct {
	Type     string // "consul_node"
	Thing    string // for errors to people: "Consul node"
	Schema   func() schema.Schema
	Identity tf.Identity

	Register   func(ctx context.Context, consul *catalog.Client, plan M) error // catalog.ErrUnanswered: it may be there
	Await      func(ctx context.Context, consul *catalog.Client, plan M) error // until it is of use; nil if it is at once
	Get        func(ctx context.Context, consul *catalog.Client, state M) (V, error)
	Update     func(ctx context.Context, consul *catalog.Client, plan M) error
	Deregister func(ctx context.Context, consul *catalog.Client, state M) error

	// Describe begins a sentence about the value.
	Describe func(value V) string

	// Plan refuses what this Consul would refuse, as far as it can be asked: it may be made by the same apply.
	Plan     func(ctx context.Context, consul *catalog.Client, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse)
	Validate func(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse)

	// Parse reads an import's id as the identity's values.
	Parse func(id string) []string
	// Refuse returns why the identity's values of an import are none.
	Refuse func(identity []string) error

	Listed listschema.Schema
	// List returns the values that the list's configuration asks for.
	List func(ctx context.Context, consul *catalog.Client, config tfsdk.Config, diags *diag.Diagnostics) []V
	// Title is the value's name in a list.
	Title func(value V) string
}

// Value is what Consul has.
type Value interface {
	// Foreign reports whether it belongs to another state than the one of the mark.
	Foreign(mine catalog.Mark) bool
}

// Model is the type's Terraform model M.
type Model[M any, V Value] interface {
	*M
	Label() string // names it in errors
	Mark() catalog.Mark
	Own()                     // makes it this state's, if it has no owner yet
	Set(value V)              // takes over what Consul says
	Identify() []types.String // the values of the kind's Identity
}

type objectResource[M any, V Value, P Model[M, V]] struct {
	kind    Kind[M, V]
	backend *backend.Backend
}

// New makes the resource type of a kind.
func New[M any, V Value, P Model[M, V]](kind Kind[M, V]) resource.Resource {
	return &objectResource[M, V, P]{kind: kind}
}

func (r *objectResource[M, V, P]) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.kind.Type
}

func (r *objectResource[M, V, P]) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.kind.Schema()
}

func (r *objectResource[M, V, P]) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = r.kind.Identity.Schema()
}

func (r *objectResource[M, V, P]) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.backend = backend.From(req.ProviderData)
}

func (r *objectResource[M, V, P]) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	r.kind.Validate(ctx, req, resp)
}

func (r *objectResource[M, V, P]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.backend == nil || req.Plan.Raw.Equal(req.State.Raw) {
		return
	}

	var owner types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("owner"), &owner)...)

	if owner.IsNull() { // imported, and changed by nothing but what is left to the provider
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("owner"), types.StringUnknown())...)
	}

	consul, err := r.backend.Consul()
	if err != nil {
		return // an apply says so
	}

	r.kind.Plan(ctx, consul, req, resp)
}

func (r *objectResource[M, V, P]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	plan := P(new(M))
	resp.Diagnostics.Append(req.Plan.Get(ctx, plan)...)

	consul := r.consul("create", plan, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	plan.Own()
	err := r.kind.Register(ctx, consul, *plan)

	if err == nil || errors.Is(err, catalog.ErrUnanswered) { // what may exist must be in the state, or it is orphaned
		resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
		resp.Diagnostics.Append(r.kind.Identity.Keep(ctx, resp.State, resp.Identity)...)
	}

	if err == nil && r.kind.Await != nil {
		err = r.kind.Await(ctx, consul, *plan)
	}

	if err != nil {
		resp.Diagnostics.Append(tf.Failed("create", r.kind.Thing, plan.Label(), err))
	}
}

func (r *objectResource[M, V, P]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state := P(new(M))
	resp.Diagnostics.Append(req.State.Get(ctx, state)...)
	resp.Diagnostics.Append(r.kind.Identity.Keep(ctx, req.State, resp.Identity)...)

	consul := r.consul("read", state, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	before := tf.Snapshot(state)
	value, err := r.kind.Get(ctx, consul, *state)

	switch {
	case errors.Is(err, catalog.ErrNotFound):
		resp.State.RemoveResource(ctx)

		return
	case err != nil:
		resp.Diagnostics.Append(tf.Failed("read", r.kind.Thing, state.Label(), err))

		return
	}

	if value.Foreign(state.Mark()) {
		resp.Diagnostics.AddWarning(r.kind.Thing+" of another state", r.kind.Describe(value)+" has been registered or taken over by another Terraform state, as its meta data says. A change or a removal by this one will be refused: remove it here (terraform state rm), or set force = true.")
	}

	state.Set(value)
	resp.Diagnostics.Append(tf.StoreChanged(ctx, &resp.State, before, state)...)
}

func (r *objectResource[M, V, P]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	plan := P(new(M))
	resp.Diagnostics.Append(req.Plan.Get(ctx, plan)...)

	consul := r.consul("update", plan, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	plan.Own()

	if err := r.kind.Update(ctx, consul, *plan); err != nil {
		resp.Diagnostics.Append(tf.Failed("update", r.kind.Thing, plan.Label(), err))

		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(r.kind.Identity.Keep(ctx, resp.State, resp.Identity)...)
}

func (r *objectResource[M, V, P]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	state := P(new(M))
	resp.Diagnostics.Append(req.State.Get(ctx, state)...)

	consul := r.consul("delete", state, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	if err := r.kind.Deregister(ctx, consul, *state); err != nil {
		resp.Diagnostics.Append(tf.Failed("delete", r.kind.Thing, state.Label(), err))
	}
}

// consul returns Consul's client; it reports why there is none.
func (r *objectResource[M, V, P]) consul(verb string, of P, diagnostics *diag.Diagnostics) *catalog.Client {
	if diagnostics.HasError() {
		return nil
	}

	consul, err := r.backend.Consul()
	if err != nil {
		diagnostics.Append(tf.Failed(verb, r.kind.Thing, of.Label(), err))
	}

	return consul
}
