package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/defaults"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// attributeDefault is an attribute that has a default, or has attributes below it that have one.
type attributeDefault struct {
	name  string
	value *tftypes.Value // the default; nil if it cannot be told
	many  bool           // below is what each element of a collection has
	below []attributeDefault
	self  bool // the attribute itself has a default
}

// defaultsOf finds all defaults of a schema.
func defaultsOf(ctx context.Context, attributes map[string]schema.Attribute) []attributeDefault {
	var found []attributeDefault

	for name, attribute := range attributes {
		one := attributeDefault{name: name}
		one.value, one.self = defaultOf(ctx, attribute)

		switch nested := attribute.(type) {
		case schema.SingleNestedAttribute:
			one.below = defaultsOf(ctx, nested.Attributes)
		case schema.MapNestedAttribute:
			one.below, one.many = defaultsOf(ctx, nested.NestedObject.Attributes), true
		case schema.ListNestedAttribute:
			one.below, one.many = defaultsOf(ctx, nested.NestedObject.Attributes), true
		case schema.SetNestedAttribute:
			one.below, one.many = defaultsOf(ctx, nested.NestedObject.Attributes), true
		}

		if one.self || len(one.below) > 0 {
			found = append(found, one)
		}
	}

	return found
}

// defaultOf returns the attribute's default, or nil if it has one of a kind that is not known here.
func defaultOf(ctx context.Context, attribute schema.Attribute) (value *tftypes.Value, has bool) {
	var (
		planned attr.Value
		at      = path.Root("default")
	)

	switch attribute := attribute.(type) {
	case schema.StringAttribute:
		if attribute.Default == nil {
			return nil, false
		}

		var resp defaults.StringResponse
		attribute.Default.DefaultString(ctx, defaults.StringRequest{Path: at}, &resp)
		planned = resp.PlanValue
	case schema.BoolAttribute:
		if attribute.Default == nil {
			return nil, false
		}

		var resp defaults.BoolResponse
		attribute.Default.DefaultBool(ctx, defaults.BoolRequest{Path: at}, &resp)
		planned = resp.PlanValue
	case schema.Int64Attribute:
		if attribute.Default == nil {
			return nil, false
		}

		var resp defaults.Int64Response
		attribute.Default.DefaultInt64(ctx, defaults.Int64Request{Path: at}, &resp)
		planned = resp.PlanValue
	default:
		return nil, hasDefault(attribute)
	}

	told, err := planned.ToTerraformValue(ctx)
	if err != nil {
		return nil, true
	}

	return &told, true
}

// hasDefault reports whether an attribute of another kind has a default.
func hasDefault(attribute schema.Attribute) bool {
	switch attribute := attribute.(type) {
	case schema.MapAttribute:
		return attribute.Default != nil
	case schema.ListAttribute:
		return attribute.Default != nil
	case schema.SetAttribute:
		return attribute.Default != nil
	case schema.ObjectAttribute:
		return attribute.Default != nil
	case schema.SingleNestedAttribute:
		return attribute.Default != nil
	case schema.MapNestedAttribute:
		return attribute.Default != nil
	case schema.ListNestedAttribute:
		return attribute.Default != nil
	case schema.SetNestedAttribute:
		return attribute.Default != nil
	default:
		return true // whatever it is, it goes the long way
	}
}

// defaultsHold reports whether every attribute that the configuration leaves out is what its default says.
func defaultsHold(all []attributeDefault, config, state tftypes.Value) bool {
	var given, held map[string]tftypes.Value

	if !state.IsKnown() || state.IsNull() {
		return true
	}

	if state.As(&held) != nil || (config.IsKnown() && !config.IsNull() && config.As(&given) != nil) {
		return false
	}

	for _, one := range all {
		configured, found := given[one.name]
		left := !found || configured.IsNull()

		if one.self && left && (one.value == nil || !one.value.Equal(held[one.name])) {
			return false
		}

		if len(one.below) > 0 && !nestedHold(one, configured, held[one.name]) {
			return false
		}
	}

	return true
}

func nestedHold(one attributeDefault, config, state tftypes.Value) bool {
	if !one.many {
		return defaultsHold(one.below, config, state)
	}

	var given, held map[string]tftypes.Value

	if state.IsNull() {
		return true
	}

	if state.As(&held) != nil { // elements that have no names
		return false
	}

	if config.IsKnown() && !config.IsNull() && config.As(&given) != nil {
		return false
	}

	for name, element := range held {
		if !defaultsHold(one.below, given[name], element) {
			return false
		}
	}

	return true
}
