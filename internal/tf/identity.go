package tf

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Identity is what tells an object of a type from all others, for good (Terraform 1.12; harmless below): texts that the
// type's schema has under the same names.
type Identity []IdentityAttribute

// IdentityAttribute is one of the texts.
type IdentityAttribute struct {
	Name        string
	Description string
	Optional    bool // whether an import may leave it out
}

// Schema is what the type's IdentitySchema returns.
func (i Identity) Schema() identityschema.Schema {
	attributes := make(map[string]identityschema.Attribute, len(i))
	for _, attribute := range i {
		attributes[attribute.Name] = identityschema.StringAttribute{
			Description: attribute.Description, RequiredForImport: !attribute.Optional, OptionalForImport: attribute.Optional,
		}
	}

	return identityschema.Schema{Attributes: attributes}
}

// Keep takes the identity over from a state. It is to be called wherever the state is set, and first of all by a read:
// Terraform wants the identity of what the read removes, and of what a version without identities made. It works on the raw
// values: going through the framework costs more than all the rest of a read.
func (i Identity) Keep(ctx context.Context, state tfsdk.State, identity *tfsdk.ResourceIdentity) (diags diag.Diagnostics) {
	if state.Raw.IsNull() || identity == nil {
		return nil
	}

	var held map[string]tftypes.Value
	if err := state.Raw.As(&held); err != nil {
		diags.AddError("Unable to keep the identity of a resource", fmt.Sprintf("Its state cannot be read: %s.", err))

		return diags
	}

	values := make(map[string]tftypes.Value, len(i))
	for _, attribute := range i {
		values[attribute.Name] = held[attribute.Name]
	}

	kind := identity.Schema.Type().TerraformType(ctx)
	if err := tftypes.ValidateValue(kind, values); err != nil {
		diags.AddError("Unable to keep the identity of a resource", fmt.Sprintf("Its state has other attributes: %s.", err))

		return diags
	}

	identity.Raw = tftypes.NewValue(kind, values)

	return nil
}

// Given returns the values that an import by identity gives, in order, and false if it is one by id.
func (i Identity) Given(ctx context.Context, req resource.ImportStateRequest, diags *diag.Diagnostics) ([]string, bool) {
	if req.ID != "" || req.Identity == nil {
		return nil, false
	}

	values := make([]string, len(i))

	for at, attribute := range i {
		var value types.String
		diags.Append(req.Identity.GetAttribute(ctx, path.Root(attribute.Name), &value)...)
		values[at] = value.ValueString()
	}

	return values, true
}

// Split reads the values out of an id that is all of them, joined by slashes; the last one may have slashes itself.
func (i Identity) Split(id string) ([]string, error) {
	names := make([]string, len(i))
	for at, attribute := range i {
		names[at] = attribute.Name
	}

	values := strings.SplitN(id, "/", len(i))
	for _, value := range values {
		if value == "" || len(values) != len(i) {
			return nil, fmt.Errorf("%q is not an import id. Write it as %q", id, strings.Join(names, "/"))
		}
	}

	return values, nil
}
