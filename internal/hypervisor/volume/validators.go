package volume

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

func nameValidator() validator.String {
	return stringvalidator.RegexMatches(regexp.MustCompile(namePattern),
		"must begin with a letter, a digit or an underscore and consist of these and of the characters . : + @ -")
}

// reservedEndings mark the volumes that the provider makes beside those that are declared: copies that are not complete,
// and the seeds of machines.
var reservedEndings = []string{markerEnding, movingEnding, movedEnding, probeEnding, ".seed"}

// reserved returns the ending that reserves the name, or nothing.
func reserved(name string) string {
	for _, ending := range reservedEndings {
		if strings.HasSuffix(name, ending) {
			return ending
		}
	}

	return ""
}

type notReserved struct{}

func (notReserved) Description(context.Context) string {
	return "must not end with " + strings.Join(reservedEndings, " or ")
}

func (v notReserved) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (notReserved) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if ending := reserved(req.ConfigValue.ValueString()); ending != "" {
		resp.Diagnostics.AddAttributeError(req.Path, "Reserved name",
			fmt.Sprintf("Names that end with %q are for volumes that the provider makes by itself. Choose another name.", ending))
	}
}

// sectorSize is the granularity of disks: QEMU rounds any other size.
const sectorSize = 512

type wholeSectors struct{}

func (wholeSectors) Description(context.Context) string {
	return "a multiple of 512 bytes, and more than none"
}

func (v wholeSectors) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v wholeSectors) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	size, err := tf.ParseSize(req.ConfigValue.ValueString())
	if err == nil && (size == 0 || size%sectorSize != 0) { // a malformed size is reported by its type
		resp.Diagnostics.AddAttributeError(req.Path, "Impossible size",
			fmt.Sprintf("%s is no size that a disk can have. Give it %s.", req.ConfigValue.ValueString(), v.Description(ctx)))
	}
}

func hashValidator() validator.String {
	return stringvalidator.RegexMatches(regexp.MustCompile(`^[0-9a-f]{64}$`),
		"must be a SHA-256 in hexadecimal: 64 characters of 0-9 and a-f")
}

// cameOrWent replaces a volume that gets an image or loses it. A file that merely moved is no reason: its hash decides.
func cameOrWent(_ context.Context, req planmodifier.ObjectRequest, resp *objectplanmodifier.RequiresReplaceIfFuncResponse) {
	resp.RequiresReplace = req.StateValue.IsNull() != req.PlanValue.IsNull()
}

type imageURL struct{}

func (imageURL) Description(context.Context) string {
	return "an http or https address without a user name"
}

func (v imageURL) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v imageURL) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	address, err := url.Parse(req.ConfigValue.ValueString())

	switch {
	case err != nil || address.Host == "" || (address.Scheme != "https" && address.Scheme != "http"):
		resp.Diagnostics.AddAttributeError(req.Path, "Impossible address", "Give "+v.Description(ctx)+", such as \"https://cloud.example.org/image.qcow2\".")
	case address.User != nil:
		resp.Diagnostics.AddAttributeError(req.Path, "Secret in an address", "The state would hold the password. Give "+v.Description(ctx)+", or download the image and use file.")
	}
}
