package provider_test

import (
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

// TestNoAttributeOfServicesAndGatewaysTakesEveryValue finds those that nothing checks in the plan. What the checks say is held
// by the tests of each type.
func TestNoAttributeOfServicesAndGatewaysTakesEveryValue(t *testing.T) {
	types := 0

	for _, build := range provider.New("test")().Resources(t.Context()) {
		var (
			named  resource.MetadataResponse
			shaped resource.SchemaResponse
		)

		one := build()
		one.Metadata(t.Context(), resource.MetadataRequest{ProviderTypeName: "hypervisor"}, &named)

		if !strings.HasPrefix(named.TypeName, "consul_") && !strings.HasPrefix(named.TypeName, "gateway_") {
			continue
		}

		types++

		one.Schema(t.Context(), resource.SchemaRequest{}, &shaped)
		wantChecked(t, named.TypeName, shaped.Schema.Attributes)
	}

	if types != 7 {
		t.Errorf("%d types were looked at, not the seven of services and gateways", types)
	}
}

func wantChecked(t *testing.T, at string, attributes map[string]schema.Attribute) {
	t.Helper()

	for name, attribute := range attributes {
		if path := at + "." + name; (attribute.IsRequired() || attribute.IsOptional()) && !isChecked(t, path, attribute) {
			t.Errorf("%s takes every value", path)
		}
	}
}

// isChecked says whether something judges what is written into an attribute. Truths are what they are, and objects what
// their attributes are.
func isChecked(t *testing.T, path string, attribute schema.Attribute) bool {
	t.Helper()

	switch a := attribute.(type) {
	case schema.BoolAttribute:
		return true
	case schema.SingleNestedAttribute:
		wantChecked(t, path, a.Attributes)

		return true
	case schema.MapNestedAttribute:
		wantChecked(t, path, a.NestedObject.Attributes)
	}

	switch a := attribute.(type) {
	case interface{ StringValidators() []validator.String }:
		_, plain := attribute.GetType().(basetypes.StringType) // or the type judges its values itself

		return !plain || len(a.StringValidators()) > 0
	case interface{ Int64Validators() []validator.Int64 }:
		return len(a.Int64Validators()) > 0
	case interface{ SetValidators() []validator.Set }:
		return len(a.SetValidators()) > 0
	case interface{ ListValidators() []validator.List }:
		return len(a.ListValidators()) > 0
	case interface{ MapValidators() []validator.Map }:
		return len(a.MapValidators()) > 0
	case interface{ DynamicValidators() []validator.Dynamic }:
		return len(a.DynamicValidators()) > 0
	}

	return false
}
