package shortcut

import (
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// kind is what the short way knows of a resource type.
type kind struct {
	make     func() resource.Resource
	schema   schema.Schema
	value    tftypes.Type
	rules    []rule
	identity identityschema.Schema
	known    tftypes.Type // of the identity
}

// kindsOf are the types by their names. Each is described when it is first met.
func kindsOf(ctx context.Context, types []func() resource.Resource) map[string]func() *kind {
	kinds := make(map[string]func() *kind, len(types))

	for _, made := range types {
		if _, identified := made().(resource.ResourceWithIdentity); !identified {
			continue // it has no identity to hold the answer against
		}

		var named resource.MetadataResponse
		made().Metadata(ctx, resource.MetadataRequest{}, &named)

		kinds[named.TypeName] = sync.OnceValue(func() *kind { return describe(context.WithoutCancel(ctx), made) })
	}

	return kinds
}

func describe(ctx context.Context, made func() resource.Resource) *kind {
	var (
		described  resource.SchemaResponse
		identified resource.IdentitySchemaResponse
	)

	one := made()
	one.Schema(ctx, resource.SchemaRequest{}, &described)

	if one, ok := one.(resource.ResourceWithIdentity); ok {
		one.IdentitySchema(ctx, resource.IdentitySchemaRequest{}, &identified)
	}

	return &kind{
		make:     made,
		schema:   described.Schema,
		value:    described.Schema.Type().TerraformType(ctx),
		rules:    rulesOf(ctx, described.Schema.Attributes),
		identity: identified.IdentitySchema,
		known:    identified.IdentitySchema.Type().TerraformType(ctx),
	}
}

// identityOf decodes the identity that Terraform knows: null from a Terraform without identities and of states that it made,
// nil if it cannot be decoded.
func (k *kind) identityOf(data *tfprotov6.ResourceIdentityData) *tftypes.Value {
	if data == nil || data.IdentityData == nil {
		unknown := tftypes.NewValue(k.known, nil)

		return &unknown
	}

	identity, err := data.IdentityData.Unmarshal(k.known)
	if err != nil {
		return nil
	}

	return &identity
}

// sameIdentity returns the identity to answer with, as Terraform sent it or for the first time; false if it changed.
func (k *kind) sameIdentity(sent *tfprotov6.ResourceIdentityData, before, after tftypes.Value) (*tfprotov6.ResourceIdentityData, bool) {
	if sent != nil {
		return sent, after.Equal(before)
	}

	first, err := tfprotov6.NewDynamicValue(k.known, after)

	return &tfprotov6.ResourceIdentityData{IdentityData: &first}, err == nil
}

func (k *kind) identified(identity tftypes.Value) *tfsdk.ResourceIdentity {
	return &tfsdk.ResourceIdentity{Raw: identity, Schema: k.identity}
}

// configured makes a resource that has the data; nil if there is none.
func (k *kind) configured(ctx context.Context, data any) resource.Resource { //nolint:ireturn // a type is known by its interface
	made := k.make()

	configurable, ok := made.(resource.ResourceWithConfigure)
	if data == nil || !ok {
		return nil
	}

	var resp resource.ConfigureResponse
	configurable.Configure(ctx, resource.ConfigureRequest{ProviderData: data}, &resp)

	if len(resp.Diagnostics) > 0 {
		return nil
	}

	return made
}

// plansNothing has the type itself plan that everything stays, and returns the identity that it plans.
func (k *kind) plansNothing(ctx context.Context, made resource.Resource, config, state, identity tftypes.Value) (tftypes.Value, bool) {
	planner, plans := made.(resource.ResourceWithModifyPlan)
	if !plans {
		return identity, true
	}

	resp := resource.ModifyPlanResponse{Plan: tfsdk.Plan{Raw: state, Schema: k.schema}, Identity: k.identified(identity)}
	planner.ModifyPlan(ctx, resource.ModifyPlanRequest{
		Config:   tfsdk.Config{Raw: config, Schema: k.schema},
		Plan:     resp.Plan,
		State:    tfsdk.State{Raw: state, Schema: k.schema},
		Identity: k.identified(identity),
	}, &resp)

	return resp.Identity.Raw, len(resp.Diagnostics) == 0 && len(resp.RequiresReplace) == 0 && resp.Deferred == nil && resp.Plan.Raw.Equal(state)
}

// rulesHold reports whether the framework would leave the state's attributes as they are.
func (k *kind) rulesHold(ctx context.Context, config, state tftypes.Value) bool {
	q := question{
		config: tfsdk.Config{Raw: config, Schema: k.schema},
		plan:   tfsdk.Plan{Raw: state, Schema: k.schema},
		state:  tfsdk.State{Raw: state, Schema: k.schema},
	}

	return q.hold(ctx, k.rules, path.Empty(), config, state)
}
