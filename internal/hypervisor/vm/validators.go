package vm

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/cloudinit"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type atLeastOneMiB struct{}

func (atLeastOneMiB) Description(context.Context) string { return "at least 1MiB, in whole KiB" }

func (v atLeastOneMiB) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v atLeastOneMiB) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	size, err := tf.ParseSize(req.ConfigValue.ValueString())
	if err == nil && (size < 1<<20 || size%1024 != 0) { // a malformed size is reported by its type
		resp.Diagnostics.AddAttributeError(req.Path, "Impossible amount of memory",
			fmt.Sprintf("%s is no amount that a machine can have. Give it %s.", req.ConfigValue.ValueString(), v.Description(ctx)))
	}
}

func oneLine() validator.String {
	return stringvalidator.RegexMatches(regexp.MustCompile(`^[^\r\n]*$`), "must be a single line")
}

// partValidator refuses secret user data that cannot stand beside the user data that is given, too.
type partValidator struct{}

func (partValidator) Description(context.Context) string {
	return "one script or one cloud-config if it stands beside user_data"
}

func (v partValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (partValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	at := req.Path.ParentPath().AtName("user_data")

	var beside types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, at, &beside)...)

	if beside.ValueString() == "" || req.ConfigValue.ValueString() == "" {
		return
	}

	for _, part := range []struct {
		at   path.Path
		text types.String
	}{{at, beside}, {req.Path, req.ConfigValue}} {
		if err := cloudinit.CheckPart(part.text.ValueString()); err != nil {
			resp.Diagnostics.AddAttributeError(part.at, "User data that cannot be joined", tf.Sentence(err))
		}
	}
}

// ipValidator checks an IP address of a version.
type ipValidator struct {
	version int // 4, 6, or 0 for either
}

func (v ipValidator) Description(context.Context) string {
	if v.version == 0 {
		return "an IP address"
	}

	return fmt.Sprintf("an IPv%d address", v.version)
}

func (v ipValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v ipValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	address, err := netip.ParseAddr(req.ConfigValue.ValueString())
	if err != nil || (v.version == 4 && !address.Is4()) || (v.version == 6 && !address.Is6()) {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed address",
			fmt.Sprintf("%q is not %s.", req.ConfigValue.ValueString(), v.Description(ctx)))
	}
}

type prefixValidator struct{}

func (prefixValidator) Description(context.Context) string {
	return "an IP address with its prefix length, such as 10.0.0.101/24"
}

func (v prefixValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v prefixValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	if _, err := netip.ParsePrefix(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed address",
			fmt.Sprintf("%q is not %s.", req.ConfigValue.ValueString(), v.Description(ctx)))
	}
}

type hostPortValidator struct{}

func (hostPortValidator) Description(context.Context) string {
	return "an address and a port, such as 10.0.0.101:80"
}

func (v hostPortValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v hostPortValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	host, port, err := net.SplitHostPort(req.ConfigValue.ValueString())
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}

	if err != nil || host == "" {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed address",
			fmt.Sprintf("%q is not %s.", req.ConfigValue.ValueString(), v.Description(ctx)))
	}
}

func addressValidators() []validator.List {
	return []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(prefixValidator{})}
}

func nameserverValidators() []validator.List {
	return []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(ipValidator{})}
}
