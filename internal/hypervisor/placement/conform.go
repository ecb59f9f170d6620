package placement

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// conform converts a value to the type as Terraform converts what is written for an attribute of a resource: objects
// become maps and tuples become lists, attributes that are left out are null, and those that the type does not have are
// dropped. The arguments of functions have no optional attributes by themselves. at names the value in errors.
func conform(at string, value tftypes.Value, to tftypes.Type) (tftypes.Value, error) {
	if value.IsNull() {
		return tftypes.NewValue(to, nil), nil
	}

	switch to := to.(type) {
	case tftypes.Object:
		return conformObject(at, value, to)
	case tftypes.Map:
		var members map[string]tftypes.Value
		if err := value.As(&members); err != nil {
			return tftypes.Value{}, fmt.Errorf("%s is not a map", at)
		}

		for name, member := range members {
			converted, err := conform(at+"."+name, member, to.ElementType)
			if err != nil {
				return tftypes.Value{}, err
			}

			members[name] = converted
		}

		return tftypes.NewValue(to, members), nil
	case tftypes.List:
		return conformList(at, value, to, to.ElementType)
	case tftypes.Set:
		return conformList(at, value, to, to.ElementType)
	default:
		if !value.Type().Equal(to) {
			return tftypes.Value{}, fmt.Errorf("%s is not a %s", at, to)
		}

		return value, nil
	}
}

func conformObject(at string, value tftypes.Value, to tftypes.Object) (tftypes.Value, error) {
	var members map[string]tftypes.Value
	if err := value.As(&members); err != nil {
		return tftypes.Value{}, fmt.Errorf("%s is not an object", at)
	}

	attributes := make(map[string]tftypes.Value, len(to.AttributeTypes))

	for name, kind := range to.AttributeTypes {
		converted, err := conform(at+"."+name, members[name], kind)
		if err != nil {
			return tftypes.Value{}, err
		}

		attributes[name] = converted
	}

	return tftypes.NewValue(to, attributes), nil
}

func conformList(at string, value tftypes.Value, to, element tftypes.Type) (tftypes.Value, error) {
	var members []tftypes.Value
	if err := value.As(&members); err != nil {
		return tftypes.Value{}, fmt.Errorf("%s is not a list", at)
	}

	for i, member := range members {
		converted, err := conform(fmt.Sprintf("%s[%d]", at, i), member, element)
		if err != nil {
			return tftypes.Value{}, err
		}

		members[i] = converted
	}

	return tftypes.NewValue(to, members), nil
}

// wellFormed checks all texts of a notation in a value, as the framework does for attributes only.
func wellFormed(ctx context.Context, value attr.Value) error {
	if text, ok := value.(xattr.ValidateableAttribute); ok {
		var answer xattr.ValidateAttributeResponse
		text.ValidateAttribute(ctx, xattr.ValidateAttributeRequest{Path: path.Empty()}, &answer)

		for _, problem := range answer.Diagnostics {
			return errors.New(problem.Detail())
		}
	}

	var failures []error

	switch value := value.(type) {
	case types.Object:
		for _, member := range value.Attributes() {
			failures = append(failures, wellFormed(ctx, member))
		}
	case types.Map:
		for _, member := range value.Elements() {
			failures = append(failures, wellFormed(ctx, member))
		}
	case types.List:
		for _, member := range value.Elements() {
			failures = append(failures, wellFormed(ctx, member))
		}
	}

	return errors.Join(failures...)
}
