package check

import (
	"context"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// presetIfRun plans a duration that is not given: the preset, or none for a kind that nobody runs.
type presetIfRun time.Duration

func (p presetIfRun) Description(context.Context) string {
	return "Defaults to " + time.Duration(p).String() + " for a check that is run."
}

func (p presetIfRun) MarkdownDescription(ctx context.Context) string { return p.Description(ctx) }

func (p presetIfRun) PlanModifyString(ctx context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if !req.ConfigValue.IsNull() {
		return
	}

	var (
		ttl   tf.Notation
		alias types.Object
	)

	check := req.Path.ParentPath()
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, check.AtName("ttl"), &ttl)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, check.AtName("alias"), &alias)...)

	if ttl.IsNull() && alias.IsNull() {
		resp.PlanValue = types.StringValue(time.Duration(p).String())
	} else {
		resp.PlanValue = types.StringNull()
	}
}
