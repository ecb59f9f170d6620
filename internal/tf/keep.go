package tf

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
)

// KeepEqual plans no change for another notation of the same value: from "1m0s", as an import reads it, to "60s". The
// framework compares by meaning what a read or an apply returns, but not what is planned. It is for attributes of a
// NotationType and for lists of them.
type KeepEqual struct{}

var (
	_ planmodifier.String = KeepEqual{}
	_ planmodifier.List   = KeepEqual{}
)

// Description implements planmodifier.Describer.
func (KeepEqual) Description(context.Context) string {
	return "Another notation of the same value is no change."
}

// MarkdownDescription implements planmodifier.Describer.
func (k KeepEqual) MarkdownDescription(ctx context.Context) string { return k.Description(ctx) }

// PlanModifyString keeps the stored text if the planned one means the same.
func (KeepEqual) PlanModifyString(ctx context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	var planned, stored Notation

	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, req.Path, &planned)...)

	if req.StateValue.IsNull() || resp.Diagnostics.HasError() {
		return
	}

	resp.Diagnostics.Append(req.State.GetAttribute(ctx, req.Path, &stored)...)

	if planned.Means(stored) {
		resp.PlanValue = req.StateValue
	}
}

// PlanModifyList keeps the stored list if it has the planned one's length and each element means the same.
func (KeepEqual) PlanModifyList(_ context.Context, req planmodifier.ListRequest, resp *planmodifier.ListResponse) {
	planned, stored := req.PlanValue.Elements(), req.StateValue.Elements()
	if req.PlanValue.IsNull() || req.StateValue.IsNull() || len(planned) != len(stored) {
		return
	}

	for i := range planned {
		if !means(planned[i], stored[i]) {
			return
		}
	}

	resp.PlanValue = req.StateValue
}

func means(planned, stored attr.Value) bool {
	mine, ok := planned.(Notation)
	theirs, known := stored.(Notation)

	return ok && known && mine.Means(theirs)
}
