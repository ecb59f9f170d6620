package shortcut

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// question is a plan that proposes no change.
type question struct {
	config tfsdk.Config
	plan   tfsdk.Plan
	state  tfsdk.State
}

// hold reports whether the rules leave an object, at a path, as the state has it.
func (q question) hold(ctx context.Context, rules []rule, at path.Path, config, state tftypes.Value) bool {
	if !state.IsKnown() || state.IsNull() {
		return true
	}

	var given, held map[string]tftypes.Value
	if state.As(&held) != nil || !configured(config, &given) {
		return false
	}

	for _, one := range rules {
		left := given[one.name].IsNull()

		if one.opaque || (one.defaulted && left && (one.standard == nil || !one.standard.Equal(held[one.name]))) {
			return false
		}

		if len(one.modifiers) > 0 && !q.keep(ctx, one.modifiers, at.AtName(one.name), given[one.name], held[one.name]) {
			return false
		}

		if len(one.below) > 0 && !q.nestedHold(ctx, one, at.AtName(one.name), given[one.name], held[one.name]) {
			return false
		}
	}

	return true
}

// configured decodes what the configuration says of an object, nothing if it does not have it.
func configured(config tftypes.Value, into *map[string]tftypes.Value) bool {
	return !config.IsKnown() || config.IsNull() || config.As(into) == nil
}

func (q question) nestedHold(ctx context.Context, one rule, at path.Path, config, state tftypes.Value) bool {
	if !one.many {
		return q.hold(ctx, one.below, at, config, state)
	}

	var given, held map[string]tftypes.Value

	if state.IsNull() {
		return true
	}

	if state.As(&held) != nil || !configured(config, &given) { // of elements that have no names
		return false
	}

	for name, element := range held {
		if !q.hold(ctx, one.below, at.AtMapKey(name), given[name], element) {
			return false
		}
	}

	return true
}

// keep reports whether the modifiers of a text leave it as it is.
func (q question) keep(ctx context.Context, modifiers []planmodifier.String, at path.Path, config, state tftypes.Value) bool {
	given, ok := text(config)
	held, known := text(state)

	if !ok || !known {
		return false
	}

	req := planmodifier.StringRequest{
		Path: at, PathExpression: at.Expression(), Config: q.config, Plan: q.plan, State: q.state, ConfigValue: given, PlanValue: held, StateValue: held,
	}

	for _, modifier := range modifiers {
		resp := planmodifier.StringResponse{PlanValue: held}
		modifier.PlanModifyString(ctx, req, &resp)

		if resp.RequiresReplace || len(resp.Diagnostics) > 0 || !resp.PlanValue.Equal(held) {
			return false
		}
	}

	return true
}

// text reads a text of either side, null where there is none.
func text(from tftypes.Value) (types.String, bool) {
	var said *string

	switch {
	case from.IsNull():
		return types.StringNull(), true
	case !from.IsKnown() || from.As(&said) != nil:
		return types.String{}, false
	default:
		return types.StringPointerValue(said), true
	}
}
