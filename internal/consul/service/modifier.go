package service

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// defaultToName plans the id of an instance that names none. As a plan modifier it comes before the one that looks
// whether a change of the id needs a replacement.
type defaultToName struct{}

func (defaultToName) Description(context.Context) string { return "Defaults to the name." }

func (d defaultToName) MarkdownDescription(ctx context.Context) string { return d.Description(ctx) }

func (defaultToName) PlanModifyString(ctx context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if !req.ConfigValue.IsNull() {
		return
	}

	var name types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("name"), &name)...)
	resp.PlanValue = name
}
