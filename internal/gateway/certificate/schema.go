package certificate

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const mostNames = 100

func certificateSchema(ctx context.Context) schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A certificate that a Kong gateway shows to clients that ask for one of its server names. The private key is write-only: it is " +
			"in no plan and no state. The plan warns of a certificate that ends within 30 days.",
		Attributes: map[string]schema.Attribute{
			"id":   object.IDAttribute("certificate"),
			"name": object.NameAttribute("certificate", ""),
			"certificate": schema.StringAttribute{
				MarkdownDescription: "Certificates in PEM, the server's own first and then those up to the authority.",
				Required:            true,
				Validators:          []validator.String{chain{}},
				PlanModifiers:       []planmodifier.String{keepEqual{}},
			},
			"private_key_wo": schema.StringAttribute{
				MarkdownDescription: "Private key of the server's certificate in PEM. Write-only.",
				Required:            true,
				WriteOnly:           true,
				Sensitive:           true,
				Validators:          []validator.String{privateKey{}},
			},
			"private_key_wo_version": schema.Int64Attribute{
				MarkdownDescription: "Number of the private key, from 1; raise it when `private_key_wo` changes, so that it is written anew.",
				Required:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"snis": schema.SetAttribute{
				MarkdownDescription: "Server names that the certificate is shown for, such as `shop.example.com` or `*.example.com`; each belongs to one certificate.",
				ElementType:         types.StringType,
				Required:            true,
				Validators:          []validator.Set{setvalidator.SizeBetween(1, mostNames), setvalidator.ValueStringsAre(serverName{})},
			},
			"timeouts": timeouts.AttributesAll(ctx),
		},
	}
}
