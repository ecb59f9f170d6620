package tf

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// Each checks the elements of a list of a NotationType, which the framework does not do by itself. It is to be used with
// listvalidator.ValueStringsAre.
func Each(elements NotationType) validator.String { return wellFormed{elements} }

type wellFormed struct{ NotationType }

func (w wellFormed) Description(context.Context) string { return "must be a " + w.notation.name }

func (w wellFormed) MarkdownDescription(ctx context.Context) string { return w.Description(ctx) }

func (w wellFormed) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	answer := xattr.ValidateAttributeResponse{}
	Notation{StringValue: req.ConfigValue, notation: w.notation}.ValidateAttribute(ctx, xattr.ValidateAttributeRequest{Path: req.Path}, &answer)
	resp.Diagnostics.Append(answer.Diagnostics...)
}
