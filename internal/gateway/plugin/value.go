package plugin

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// plain is a value of a configuration as JSON has it. What is unknown is left out, and makes it incomplete.
func plain(value attr.Value) (result any, complete bool) {
	if value == nil || value.IsNull() {
		return nil, true
	}
	if value.IsUnknown() {
		return nil, false
	}

	switch value := value.(type) {
	case types.Dynamic:
		return plain(value.UnderlyingValue())
	case types.String:
		return value.ValueString(), true
	case types.Bool:
		return value.ValueBool(), true
	case types.Number:
		number, _ := value.ValueBigFloat().Float64()

		return number, true
	case types.Object:
		return plainMap(value.Attributes())
	case types.Map:
		return plainMap(value.Elements())
	case types.Tuple:
		return plainList(value.Elements())
	case types.List:
		return plainList(value.Elements())
	case types.Set:
		return plainList(value.Elements())
	}

	return fmt.Sprint(value), true // Terraform has no other types
}

func plainMap(values map[string]attr.Value) (any, bool) {
	result, complete := map[string]any{}, true

	for name, value := range values {
		below, whole := plain(value)
		if value.IsUnknown() {
			complete = false

			continue
		}

		result[name] = below
		complete = complete && whole
	}

	return result, complete
}

func plainList(values []attr.Value) (any, bool) {
	result, complete := []any{}, true

	for _, value := range values {
		below, whole := plain(value)
		if complete = complete && whole; value.IsUnknown() {
			continue
		}

		result = append(result, below)
	}

	return result, complete
}

// dynamic is the value that Terraform has for one of JSON's.
func dynamic(ctx context.Context, value any) attr.Value {
	switch value := value.(type) {
	case string:
		return types.StringValue(value)
	case bool:
		return types.BoolValue(value)
	case float64:
		return types.NumberValue(big.NewFloat(value))
	case map[string]any:
		kinds, values := map[string]attr.Type{}, map[string]attr.Value{}
		for name, below := range value {
			values[name] = dynamic(ctx, below)
			kinds[name] = values[name].Type(ctx)
		}

		return types.ObjectValueMust(kinds, values)
	case []any:
		kinds, values := []attr.Type{}, []attr.Value{}
		for _, below := range value {
			values = append(values, dynamic(ctx, below))
			kinds = append(kinds, values[len(values)-1].Type(ctx))
		}

		return types.TupleValueMust(kinds, values)
	}

	return types.DynamicNull()
}

// holds says whether what a user declared is as the gateway has it. Only what they declared is compared: the gateway
// fills in the rest.
func holds(declared, actual any) bool {
	switch declared := declared.(type) {
	case map[string]any:
		found, ok := actual.(map[string]any)
		if !ok && len(declared) > 0 {
			return false
		}
		for name, value := range declared {
			if !holds(value, found[name]) {
				return false
			}
		}

		return true
	case []any:
		found, _ := actual.([]any)

		return slices.EqualFunc(distinct(declared), distinct(found), holds)
	}

	return declared == actual
}

// distinct drops texts and numbers that a list has twice: a gateway does so with its sets.
func distinct(list []any) []any {
	var kept []any

	for _, value := range list {
		switch value.(type) {
		case string, float64, bool:
			if slices.Contains(kept, value) {
				continue
			}
		}

		kept = append(kept, value)
	}

	return kept
}

// shown is what a state holds of a configuration: the values that the gateway has, of what was declared.
func shown(declared, actual any) any {
	was, isMap := declared.(map[string]any)
	is, stillMap := actual.(map[string]any)
	if !isMap || !stillMap {
		if holds(declared, actual) {
			return declared
		}

		return actual
	}

	result := map[string]any{}
	for name, value := range was {
		result[name] = shown(value, is[name])
	}

	return result
}

// covers says whether a configuration names everything that another one does.
func covers(config, other any) bool {
	names, isMap := other.(map[string]any)
	if !isMap {
		return true
	}

	found, ok := config.(map[string]any)
	for name, below := range names {
		value, named := found[name]
		if !ok || !named || !covers(value, below) {
			return false
		}
	}

	return true
}

// merge lays one configuration over another: what both name is taken from the upper one.
func merge(lower, upper any) any {
	below, isMap := lower.(map[string]any)
	above, alsoMap := upper.(map[string]any)
	if !isMap || !alsoMap {
		if upper == nil {
			return lower
		}

		return upper
	}

	result := maps.Clone(below)
	for name, value := range above {
		result[name] = merge(below[name], value)
	}

	return result
}
