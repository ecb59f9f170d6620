package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/shortcut"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// whereabouts adds to a diagnostic the attribute that it is about if that is a nested one: Terraform then shows no more than
// the line on which the resource begins.
type whereabouts struct {
	shortcut.Full
}

func (w whereabouts) ValidateProviderConfig(ctx context.Context, req *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	resp, err := w.Full.ValidateProviderConfig(ctx, req)
	if resp != nil {
		sayWhere(resp.Diagnostics)
	}

	return resp, err
}

func (w whereabouts) ConfigureProvider(ctx context.Context, req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	resp, err := w.Full.ConfigureProvider(ctx, req)
	if resp != nil {
		sayWhere(resp.Diagnostics)
	}

	return resp, err
}

func (w whereabouts) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	resp, err := w.Full.ValidateResourceConfig(ctx, req)
	if resp != nil {
		sayWhere(resp.Diagnostics)
	}

	return resp, err
}

func (w whereabouts) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	resp, err := w.Full.PlanResourceChange(ctx, req)
	if resp != nil {
		sayWhere(resp.Diagnostics)
	}

	return resp, err
}

func (w whereabouts) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	resp, err := w.Full.ApplyResourceChange(ctx, req)
	if resp != nil {
		sayWhere(resp.Diagnostics)
	}

	return resp, err
}

func sayWhere(diagnostics []*tfprotov6.Diagnostic) {
	for _, diagnostic := range diagnostics {
		if diagnostic.Attribute == nil || len(diagnostic.Attribute.Steps()) < 2 {
			continue
		}

		if at := attributeText(diagnostic.Attribute); !strings.Contains(diagnostic.Detail, at) {
			diagnostic.Detail = fmt.Sprintf("%s\n\nThe attribute is %s.", diagnostic.Detail, at)
		}
	}
}

// attributeText is an attribute as HCL refers to it, up to the element of a set, which has no name.
func attributeText(path *tftypes.AttributePath) string {
	var text strings.Builder

	for _, step := range path.Steps() {
		switch step := step.(type) {
		case tftypes.AttributeName:
			text.WriteString("." + string(step))
		case tftypes.ElementKeyString:
			fmt.Fprintf(&text, "[%q]", string(step))
		case tftypes.ElementKeyInt:
			fmt.Fprintf(&text, "[%d]", int64(step))
		default:
			return strings.TrimPrefix(text.String(), ".")
		}
	}

	return strings.TrimPrefix(text.String(), ".")
}
