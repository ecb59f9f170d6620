package tf

import (
	"context"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// A notation is a way to write values as text in which several texts may mean the same. It gives an attribute type
// its checks at plan time and its equality by meaning.
type notation struct {
	name      string // for error summaries: "size"
	canonical func(text string) (string, error)
}

var (
	sizes     = notation{name: "size", canonical: canonicalSize}
	durations = notation{name: "duration", canonical: canonicalDuration}
	cpuSets   = notation{name: "CPU set", canonical: canonicalCPUSet}
	fragments = notation{name: "XML", canonical: domainxml.CanonicalXML}
)

// SizeType is the type of attributes such as "4GiB": a number and a unit of 1024.
func SizeType() NotationType { return NotationType{notation: &sizes} }

// DurationType is the type of attributes such as "2s", in Go's notation.
func DurationType() NotationType { return NotationType{notation: &durations} }

// CPUSetType is the type of attributes such as "0-3,8".
func CPUSetType() NotationType { return NotationType{notation: &cpuSets} }

// XMLType is the type of attributes that hold elements as they stand below <domain>.
func XMLType() NotationType { return NotationType{notation: &fragments} }

// NotationType is a string type whose values are checked at plan time and are equal by meaning.
type NotationType struct {
	basetypes.StringType
	notation *notation
}

var _ basetypes.StringTypable = NotationType{}

// Equal reports whether the other type is the same notation.
func (t NotationType) Equal(other attr.Type) bool {
	o, ok := other.(NotationType)

	return ok && t.notation == o.notation
}

// String names the type in framework errors.
func (t NotationType) String() string { return "tf.NotationType(" + t.notation.name + ")" }

// ValueFromString wraps a string of this notation.
func (t NotationType) ValueFromString(_ context.Context, in basetypes.StringValue) (basetypes.StringValuable, diag.Diagnostics) {
	return Notation{StringValue: in, notation: t.notation}, nil
}

// ValueFromTerraform decodes a value of this notation.
func (t NotationType) ValueFromTerraform(ctx context.Context, in tftypes.Value) (attr.Value, error) {
	value, err := t.StringType.ValueFromTerraform(ctx, in)
	if err != nil {
		return nil, err
	}

	text, ok := value.(basetypes.StringValue)
	if !ok {
		return nil, fmt.Errorf("decode %s: unexpected value type %T", t.notation.name, value)
	}

	return Notation{StringValue: text, notation: t.notation}, nil
}

// ValueType returns an empty value of the type.
func (t NotationType) ValueType(context.Context) attr.Value { return Notation{notation: t.notation} }

// Notation is a value of a NotationType.
type Notation struct {
	basetypes.StringValue
	notation *notation
}

var (
	_ basetypes.StringValuableWithSemanticEquals = Notation{}
	_ xattr.ValidateableAttribute                = Notation{}
)

// Type returns the value's type.
func (v Notation) Type(context.Context) attr.Type { return NotationType{notation: v.notation} }

// Equal reports whether both values have the same text.
func (v Notation) Equal(other attr.Value) bool {
	o, ok := other.(Notation)

	return ok && v.notation == o.notation && v.StringValue.Equal(o.StringValue)
}

// StringSemanticEquals reports whether both texts mean the same.
func (v Notation) StringSemanticEquals(_ context.Context, other basetypes.StringValuable) (bool, diag.Diagnostics) {
	o, ok := other.(Notation)
	if !ok {
		return false, nil
	}

	return v.Means(o), nil
}

// Means reports whether both values are known and mean the same, or are both null or both unknown.
func (v Notation) Means(other Notation) bool {
	if v.IsNull() || v.IsUnknown() || other.IsNull() || other.IsUnknown() {
		return v.StringValue.Equal(other.StringValue)
	}

	mine, err := v.notation.canonical(v.ValueString())
	if err != nil {
		return false
	}

	theirs, err := v.notation.canonical(other.ValueString())

	return err == nil && mine == theirs
}

// ValidateAttribute reports a text that is not of the notation, at plan time and with the attribute's path.
func (v Notation) ValidateAttribute(_ context.Context, req xattr.ValidateAttributeRequest, resp *xattr.ValidateAttributeResponse) {
	if v.IsNull() || v.IsUnknown() {
		return
	}

	if _, err := v.notation.canonical(v.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed "+v.notation.name, Sentence(err))
	}
}
