package upstream

import (
	"context"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// certificateValidator accepts certificates in PEM and nothing else: a private key does not belong here.
type certificateValidator struct{}

func (certificateValidator) Description(context.Context) string { return "must be certificates in PEM" }

func (v certificateValidator) MarkdownDescription(ctx context.Context) string {
	return v.Description(ctx)
}

func (certificateValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	if _, err := gateway.ParseAuthorities(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed certificate",
			fmt.Sprintf("The text is not made of certificates: %s. Give it as file(\"ca.pem\") reads it, with its BEGIN and END lines.", err))
	}
}

// keepSame plans no change for another order or notation of the same certificates.
type keepSame struct{}

func (keepSame) Description(context.Context) string {
	return "Another order or notation of the same certificates is no change."
}

func (k keepSame) MarkdownDescription(ctx context.Context) string { return k.Description(ctx) }

func (keepSame) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if !req.StateValue.IsNull() && !req.PlanValue.IsUnknown() && gateway.SameAuthorities(req.StateValue.ValueString(), req.PlanValue.ValueString()) {
		resp.PlanValue = req.StateValue
	}
}
