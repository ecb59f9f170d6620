// Package certificate is the gateway_certificate resource type.
package certificate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// soon is how long before its end a certificate is worth a warning.
const soon = 30 * 24 * time.Hour

// New makes the resource type.
func New() resource.Resource { return object.New[model](kind()) }

// NewList makes the list of the gateway's certificates.
func NewList() list.ListResource { return object.NewList[model](kind()) }

func kind() object.Kind[gateway.Certificate] {
	return object.Kind[gateway.Certificate]{
		Type: "gateway_certificate", Thing: "gateway certificate", Schema: certificateSchema,
		Check: func(engine gateway.Engine, certificate gateway.Certificate) []gateway.Unsupported {
			return engine.CheckCertificate(certificate)
		},
		Put: func(ctx context.Context, engine gateway.Engine, certificate gateway.Certificate) error {
			return engine.PutCertificate(ctx, certificate)
		},
		Get: func(ctx context.Context, engine gateway.Engine, name string) (gateway.Certificate, error) {
			return engine.Certificate(ctx, name)
		},
		List: func(ctx context.Context, engine gateway.Engine) ([]gateway.Certificate, error) {
			return engine.Certificates(ctx)
		},
		Delete: func(ctx context.Context, engine gateway.Engine, of gateway.Record) error {
			return engine.DeleteCertificate(ctx, of)
		},
		Record: func(certificate *gateway.Certificate) *gateway.Record { return &certificate.Record },
		Same: func(existing, wanted gateway.Certificate) bool {
			return existing.Version == wanted.Version && equal(existing.Chain, wanted.Chain) &&
				slices.Equal(existing.SNIs, slices.Sorted(slices.Values(wanted.SNIs)))
		},
		Plan: plan,
	}
}

// plan holds the key against the certificate and warns of the end of what it covers.
func plan(ctx context.Context, _ gateway.Engine, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var certificates, key types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("certificate"), &certificates)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("private_key_wo"), &key)...)

	parsed, err := parse(certificates.ValueString())
	if certificates.IsUnknown() || err != nil || resp.Diagnostics.HasError() {
		return
	}

	if !key.IsUnknown() && !key.IsNull() && !fits(certificates.ValueString(), key.ValueString()) {
		resp.Diagnostics.AddAttributeError(path.Root("private_key_wo"), "Foreign private key",
			"The private key is not that of the first certificate. Give the key that the certificate was made with, and the server's own certificate first.")
	}

	ends := parsed[0].NotAfter
	switch left := time.Until(ends); {
	case left <= 0:
		resp.Diagnostics.AddAttributeWarning(path.Root("certificate"), "Certificate has ended",
			fmt.Sprintf("The certificate of %s ended at %s, so clients refuse it. Renew it.", parsed[0].Subject, ends.Format(time.RFC3339)))
	case left < soon:
		resp.Diagnostics.AddAttributeWarning(path.Root("certificate"), "Certificate ends soon",
			fmt.Sprintf("The certificate of %s ends at %s, in %d days. Renew it before.", parsed[0].Subject, ends.Format(time.RFC3339), int(left.Hours()/24))) //nolint:mnd // hours of a day
	}
}
