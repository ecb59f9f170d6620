package service

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
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

// keepEqualDuration plans no change from "1m0s", as an import reads it, to "60s". The framework compares by meaning
// what a read or an apply returns, but not what is planned.
type keepEqualDuration struct{}

func (keepEqualDuration) Description(context.Context) string {
	return "Another notation of the same duration is no change."
}

func (k keepEqualDuration) MarkdownDescription(ctx context.Context) string { return k.Description(ctx) }

func (keepEqualDuration) PlanModifyString(ctx context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	planned, _ := tf.DurationType().ValueFromString(ctx, req.PlanValue)
	stored, _ := tf.DurationType().ValueFromString(ctx, req.StateValue)

	mine, ok := planned.(tf.Notation)
	theirs, known := stored.(tf.Notation)

	if ok && known && !req.StateValue.IsNull() && mine.Means(theirs) {
		resp.PlanValue = req.StateValue
	}
}
