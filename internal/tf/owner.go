package tf

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// OwnerAttribute is the mark by which a resource knows what it made. It is an attribute, since a replacement is deleted
// without the private state of what it replaces.
func OwnerAttribute() schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: "Mark that tells what this state made from what others did.",
		Computed:            true,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseNonNullStateForUnknown()},
	}
}

// Owned returns the owner as it was planned, or a new one that nobody else has.
func Owned(planned types.String) types.String {
	if Given(planned) {
		return planned
	}

	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails

	return types.StringValue(hex.EncodeToString(random))
}
