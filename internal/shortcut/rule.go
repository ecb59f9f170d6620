package shortcut

import (
	"context"
	"reflect"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/defaults"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// rule is what the framework would do about an attribute although Terraform proposes no change: put a default in the place of
// what the configuration leaves out, or ask the attribute's plan modifiers.
type rule struct {
	name      string
	defaulted bool                  // it has a default
	standard  *tftypes.Value        // the default; nil if it cannot be told
	modifiers []planmodifier.String // those that may act
	opaque    bool                  // it has others that may act
	many      bool                  // below is what each element of a collection has
	below     []rule
}

// rulesOf finds all rules of a schema.
func rulesOf(ctx context.Context, attributes map[string]schema.Attribute) []rule {
	var found []rule

	for name, attribute := range attributes {
		one := rule{name: name}
		one.standard, one.defaulted = defaultOf(ctx, attribute)
		one.modifiers, one.opaque = modifiersOf(attribute)

		switch nested := attribute.(type) {
		case schema.SingleNestedAttribute:
			one.below = rulesOf(ctx, nested.Attributes)
		case schema.MapNestedAttribute:
			one.below, one.many = rulesOf(ctx, nested.NestedObject.Attributes), true
			one.opaque = one.opaque || act(nested.NestedObject.PlanModifiers)
		case schema.ListNestedAttribute:
			one.below, one.many = rulesOf(ctx, nested.NestedObject.Attributes), true
			one.opaque = one.opaque || act(nested.NestedObject.PlanModifiers)
		case schema.SetNestedAttribute:
			one.below, one.many = rulesOf(ctx, nested.NestedObject.Attributes), true
			one.opaque = one.opaque || act(nested.NestedObject.PlanModifiers)
		}

		if one.defaulted || one.opaque || len(one.modifiers) > 0 || len(one.below) > 0 {
			found = append(found, one)
		}
	}

	return found
}

// defaultOf returns the attribute's default, nil if it has one that cannot be told.
func defaultOf(ctx context.Context, attribute schema.Attribute) (*tftypes.Value, bool) {
	planned, defaulted := plannedByDefault(ctx, attribute)
	if planned == nil {
		return nil, defaulted
	}

	told, err := planned.ToTerraformValue(ctx)
	if err != nil {
		return nil, true
	}

	return &told, true
}

//nolint:ireturn // a default may be of any type
func plannedByDefault(ctx context.Context, attribute schema.Attribute) (planned attr.Value, defaulted bool) {
	switch a := attribute.(type) {
	case interface{ StringDefaultValue() defaults.String }:
		if standard := a.StringDefaultValue(); standard != nil {
			var resp defaults.StringResponse
			standard.DefaultString(ctx, defaults.StringRequest{}, &resp)

			return resp.PlanValue, true
		}
	case interface{ BoolDefaultValue() defaults.Bool }:
		if standard := a.BoolDefaultValue(); standard != nil {
			var resp defaults.BoolResponse
			standard.DefaultBool(ctx, defaults.BoolRequest{}, &resp)

			return resp.PlanValue, true
		}
	case interface{ Int64DefaultValue() defaults.Int64 }:
		if standard := a.Int64DefaultValue(); standard != nil {
			var resp defaults.Int64Response
			standard.DefaultInt64(ctx, defaults.Int64Request{}, &resp)

			return resp.PlanValue, true
		}
	default:
		return collectedByDefault(ctx, attribute)
	}

	return nil, false
}

//nolint:ireturn // as above
func collectedByDefault(ctx context.Context, attribute schema.Attribute) (planned attr.Value, defaulted bool) {
	switch a := attribute.(type) {
	case interface{ SetDefaultValue() defaults.Set }:
		if standard := a.SetDefaultValue(); standard != nil {
			var resp defaults.SetResponse
			standard.DefaultSet(ctx, defaults.SetRequest{}, &resp)

			return resp.PlanValue, true
		}
	case interface{ ListDefaultValue() defaults.List }:
		if standard := a.ListDefaultValue(); standard != nil {
			var resp defaults.ListResponse
			standard.DefaultList(ctx, defaults.ListRequest{}, &resp)

			return resp.PlanValue, true
		}
	case interface{ MapDefaultValue() defaults.Map }:
		if standard := a.MapDefaultValue(); standard != nil {
			var resp defaults.MapResponse
			standard.DefaultMap(ctx, defaults.MapRequest{}, &resp)

			return resp.PlanValue, true
		}
	case interface{ ObjectDefaultValue() defaults.Object }:
		if standard := a.ObjectDefaultValue(); standard != nil {
			var resp defaults.ObjectResponse
			standard.DefaultObject(ctx, defaults.ObjectRequest{}, &resp)

			return resp.PlanValue, true
		}
	case interface{ DynamicDefaultValue() defaults.Dynamic }:
		return nil, a.DynamicDefaultValue() != nil
	default:
		return nil, true // whatever it is, it goes the long way
	}

	return nil, false
}

// modifiersOf returns the attribute's plan modifiers that may act although nothing changes, and whether it has any that are
// not for texts.
func modifiersOf(attribute schema.Attribute) (texts []planmodifier.String, others bool) {
	switch a := attribute.(type) {
	case interface{ StringPlanModifiers() []planmodifier.String }:
		return acting(a.StringPlanModifiers()), false
	case interface{ BoolPlanModifiers() []planmodifier.Bool }:
		return nil, act(a.BoolPlanModifiers())
	case interface{ Int64PlanModifiers() []planmodifier.Int64 }:
		return nil, act(a.Int64PlanModifiers())
	case interface{ SetPlanModifiers() []planmodifier.Set }:
		return nil, act(a.SetPlanModifiers())
	case interface{ ListPlanModifiers() []planmodifier.List }:
		return nil, act(a.ListPlanModifiers())
	case interface{ MapPlanModifiers() []planmodifier.Map }:
		return nil, act(a.MapPlanModifiers())
	case interface{ ObjectPlanModifiers() []planmodifier.Object }:
		return nil, act(a.ObjectPlanModifiers())
	case interface{ DynamicPlanModifiers() []planmodifier.Dynamic }:
		return nil, act(a.DynamicPlanModifiers())
	default:
		return nil, true
	}
}

func act[M any](modifiers []M) bool { return len(acting(modifiers)) > 0 }

// acting leaves out those that are known to act on changes only: tf.KeepEqual and all of the framework.
func acting[M any](modifiers []M) []M {
	const framework = "github.com/hashicorp/terraform-plugin-framework/resource/schema/"

	var found []M

	for _, modifier := range modifiers {
		kind := reflect.TypeOf(modifier)
		if kind != reflect.TypeFor[tf.KeepEqual]() && !strings.HasPrefix(kind.PkgPath(), framework) {
			found = append(found, modifier)
		}
	}

	return found
}
