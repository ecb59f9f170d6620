package volume

import (
	"context"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

func nameValidator() validator.String {
	return stringvalidator.RegexMatches(regexp.MustCompile(namePattern),
		"must begin with a letter, a digit or an underscore and consist of these and of the characters . : + @ -")
}

func hashValidator() validator.String {
	return stringvalidator.RegexMatches(regexp.MustCompile(`^[0-9a-f]{64}$`),
		"must be a SHA-256 in hexadecimal: 64 characters of 0-9 and a-f")
}

// cameOrWent replaces a volume that gets an image or loses it. A file that merely moved is no reason: its hash decides.
func cameOrWent(_ context.Context, req planmodifier.ObjectRequest, resp *objectplanmodifier.RequiresReplaceIfFuncResponse) {
	resp.RequiresReplace = req.StateValue.IsNull() != req.PlanValue.IsNull()
}
