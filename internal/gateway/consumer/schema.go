package consumer

import (
	"context"
	"regexp"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	longest      = 128
	mostOfAKind  = 50
	hmacOfJWT    = "HS256"
	algorithms   = "`HS256`, `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `ES256`, `ES384`, `ES512`, `PS256`, `PS384`, `PS512` or `EdDSA`"
	charactersOf = "must consist of printable characters without commas and slashes"
)

// tagText is what one of Kong's tags can hold, where labels are kept.
var tagText = regexp.MustCompile(`^[^\x00-\x1f\x7f,/]+$`)

func consumerSchema(ctx context.Context) schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Somebody who sends requests to a Kong gateway, with the groups that access lists name and the credentials that prove who " +
			"they are. Secrets are write-only: they are in no plan and no state. Credentials that others have given the consumer stay.",
		Attributes: map[string]schema.Attribute{
			"id": object.IDAttribute("consumer"),
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the consumer (Kong's `username`), unique in the gateway; changing it replaces the consumer with all credentials.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.LengthBetween(1, longest)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"custom_id": schema.StringAttribute{
				MarkdownDescription: "What other systems call the consumer, unique in the gateway. Defaults to nothing.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthBetween(1, longest)},
			},
			"groups": schema.SetAttribute{
				MarkdownDescription: "Groups that the consumer is in, for plugins of the type `acl`. Defaults to none.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators: []validator.Set{
					setvalidator.SizeBetween(1, mostOfAKind), setvalidator.ValueStringsAre(stringvalidator.LengthBetween(1, longest)),
				},
			},
			"keys": credentials("Keys for plugins of the type `key-auth`, by labels of your own.", map[string]schema.Attribute{
				"key_wo": secret("The key.", true), "key_wo_version": version("key_wo"),
			}),
			"basic_auth": credentials("Passwords for plugins of the type `basic-auth`, by user name.", map[string]schema.Attribute{
				"password_wo": secret("The password.", true), "password_wo_version": version("password_wo"),
			}),
			"hmac_auth": credentials("Secrets for plugins of the type `hmac-auth`, by user name.", map[string]schema.Attribute{
				"secret_wo": secret("The secret that signatures are made with.", true), "secret_wo_version": version("secret_wo"),
			}),
			"jwt": credentials("What JWTs are checked with, for plugins of the type `jwt`, by issuer (the claim `iss`).", map[string]schema.Attribute{
				"algorithm": schema.StringAttribute{
					MarkdownDescription: "Algorithm of the signature: " + algorithms + ". Defaults to `HS256`.",
					Optional:            true,
					Computed:            true,
					Default:             stringdefault.StaticString(hmacOfJWT),
					Validators: []validator.String{stringvalidator.OneOf("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384",
						"ES512", "PS256", "PS384", "PS512", "EdDSA")},
				},
				"public_key": schema.StringAttribute{
					MarkdownDescription: "Public key in PEM, for all algorithms but those that begin with `HS`.",
					Optional:            true,
					Validators:          []validator.String{publicKey{}},
				},
				"secret_wo": secret("The secret of an algorithm that begins with `HS`.", false), "secret_wo_version": version("secret_wo"),
			}),
			"timeouts": timeouts.AttributesAll(ctx),
		},
	}
}

func credentials(description string, attributes map[string]schema.Attribute) schema.MapNestedAttribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: description,
		Optional:            true,
		Validators: []validator.Map{
			mapvalidator.SizeBetween(1, mostOfAKind),
			mapvalidator.KeysAre(stringvalidator.LengthBetween(1, longest), stringvalidator.RegexMatches(tagText, charactersOf)),
		},
		NestedObject: schema.NestedAttributeObject{Attributes: attributes},
	}
}

func secret(description string, required bool) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description + " Write-only.",
		Required:            required,
		Optional:            !required,
		WriteOnly:           true,
		Sensitive:           true,
		Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
	}
}

func version(of string) schema.Int64Attribute {
	return schema.Int64Attribute{
		MarkdownDescription: "Number of the secret, from 1; raise it when `" + of + "` changes, so that it is written anew.",
		Required:            true,
		Validators:          []validator.Int64{int64validator.AtLeast(1)},
	}
}
