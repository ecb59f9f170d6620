package service

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func (r *serviceResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var (
		node, address types.String
		checks        types.Map
		wait          tf.Notation
	)

	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("node"), &node)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("address"), &address)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("checks"), &checks)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("wait_for_passing"), &wait)...)

	if resp.Diagnostics.HasError() {
		return
	}

	if given(node) && address.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("address"), "Missing address",
			"An instance on a node of the catalog has no agent whose address it could have. Add the instance's address, such as address = \"10.0.0.101\".")
	}

	if given(node) && given(wait.StringValue) {
		resp.Diagnostics.AddAttributeError(path.Root("wait_for_passing"), "Nothing to wait for",
			"Consul itself runs no checks for a node of the catalog, so a wait for them may never end. Leave out wait_for_passing, or leave out node and register through an agent.")
	}

	if given(wait.StringValue) && !checks.IsUnknown() && len(checks.Elements()) == 0 {
		resp.Diagnostics.AddAttributeError(path.Root("wait_for_passing"), "Nothing to wait for",
			"The instance has no checks, so it passes at once. Add checks, or leave out wait_for_passing.")
	}

	for key, check := range checks.Elements() {
		resp.Diagnostics.Append(validateCheck(path.Root("checks").AtMapKey(key), key, check)...)
	}
}

func given(text types.String) bool { return !text.IsNull() && !text.IsUnknown() }

// validateCheck reports a check with no kind or with two.
func validateCheck(at path.Path, key string, value attr.Value) (diagnostics diag.Diagnostics) {
	check, ok := value.(types.Object)
	if !ok || check.IsUnknown() || check.IsNull() {
		return nil
	}

	http, tcp := check.Attributes()["http"], check.Attributes()["tcp"]

	switch {
	case http.IsUnknown() || tcp.IsUnknown():
	case http.IsNull() && tcp.IsNull():
		diagnostics.AddAttributeError(at, "Missing kind of check",
			fmt.Sprintf("Check %q says neither http nor tcp. Give it one of them, such as http = \"http://10.0.0.101/health\" or tcp = \"10.0.0.101:80\".", key))
	case !http.IsNull() && !tcp.IsNull():
		diagnostics.AddAttributeError(at, "Two kinds of check",
			fmt.Sprintf("Check %q says both http and tcp. Keep one of them, and make the other a check of its own.", key))
	}

	return diagnostics
}

// atLeast refuses shorter durations. A malformed one is refused by the type. As the validators below it repeats the
// path in its text, since Terraform shows only the resource's first line for a path into a map of objects.
type atLeast time.Duration

func (least atLeast) Description(context.Context) string {
	return "must be at least " + time.Duration(least).String()
}

func (least atLeast) MarkdownDescription(ctx context.Context) string { return least.Description(ctx) }

func (least atLeast) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	duration, err := time.ParseDuration(req.ConfigValue.ValueString())
	if err != nil || duration < 0 || duration >= time.Duration(least) {
		return
	}

	resp.Diagnostics.AddAttributeError(req.Path, "Duration too short",
		fmt.Sprintf("%s is %q, and the least is %s. Write %[3]q or more.", req.Path, req.ConfigValue.ValueString(), time.Duration(least).String()))
}

// webAddress refuses what is no URL of HTTP, and passwords in it.
type webAddress struct{}

func (webAddress) Description(context.Context) string {
	return "must be a URL that begins with http:// or https:// and holds no user name or password"
}

func (w webAddress) MarkdownDescription(ctx context.Context) string { return w.Description(ctx) }

func (webAddress) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !given(req.ConfigValue) {
		return
	}

	target, err := url.Parse(req.ConfigValue.ValueString())

	switch {
	case err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https"):
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed URL",
			fmt.Sprintf("%s is not a URL that Consul can ask. Write the whole of it, such as \"http://10.0.0.101/health\".", req.Path))
	case target.User != nil:
		resp.Diagnostics.AddAttributeError(req.Path, "Password in a URL",
			fmt.Sprintf("%s holds a user name or password, and everybody who may read the service in Consul sees it. Let the health page answer without one.", req.Path))
	}
}

// hostAndPort refuses what is no "host:port".
type hostAndPort struct{}

func (hostAndPort) Description(context.Context) string { return "must be host:port" }

func (h hostAndPort) MarkdownDescription(ctx context.Context) string { return h.Description(ctx) }

func (hostAndPort) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !given(req.ConfigValue) {
		return
	}

	host, port, err := net.SplitHostPort(req.ConfigValue.ValueString())
	number, malformed := strconv.Atoi(port)

	if err != nil || host == "" || malformed != nil || number < 1 || number > 65535 {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed target",
			fmt.Sprintf("%s is %q, which is not a host and a port. Write both, such as \"10.0.0.101:80\".", req.Path, req.ConfigValue.ValueString()))
	}
}
