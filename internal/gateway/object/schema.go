package object

import (
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// IDAttribute is the "id" of a thing, such as "route".
func IDAttribute(thing string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: fmt.Sprintf("The %s's name.", thing),
		Computed:            true,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// NameAttribute is the "name" of a thing; more goes on about its change.
func NameAttribute(thing, more string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: fmt.Sprintf("Name of the %s, unique in the gateway; changing it replaces the %s%s.", thing, thing, more),
		Required:            true,
		Validators:          NameValidators(),
		PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
}

// NameValidators check names of a gateway's objects.
func NameValidators() []validator.String {
	return []validator.String{stringvalidator.RegexMatches(gateway.NamePattern, gateway.NameRule), stringvalidator.LengthAtMost(gateway.MaxName)}
}

// IntactAttribute shows that somebody changed a thing in the gateway where no other attribute does: it is planned to be
// true, so an apply sets the thing right.
func IntactAttribute(thing string) schema.BoolAttribute {
	return schema.BoolAttribute{
		MarkdownDescription: fmt.Sprintf("Whether what the gateway holds of the %s beside these attributes is as the provider writes it. "+
			"`false` is somebody's change behind Terraform's back, and the next apply repairs it.", thing),
		Computed: true,
		Default:  booldefault.StaticBool(true),
	}
}
