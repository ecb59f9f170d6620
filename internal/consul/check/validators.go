package check

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// AtLeast refuses shorter durations. A malformed one is refused by the type. As the validators below it repeats the
// path in its text, since Terraform shows only the resource's first line for a path into a map of objects.
type AtLeast time.Duration

// Description implements validator.Describer.
func (least AtLeast) Description(context.Context) string {
	return "must be at least " + time.Duration(least).String()
}

// MarkdownDescription implements validator.Describer.
func (least AtLeast) MarkdownDescription(ctx context.Context) string { return least.Description(ctx) }

// ValidateString implements validator.String.
func (least AtLeast) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
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
	if !tf.Given(req.ConfigValue) {
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

// hostAndPort refuses what is no "host:port"; a service may stand behind a slash if it says so.
type hostAndPort struct{ service bool }

func (hostAndPort) Description(context.Context) string { return "must be host:port" }

func (h hostAndPort) MarkdownDescription(ctx context.Context) string { return h.Description(ctx) }

func (h hostAndPort) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !tf.Given(req.ConfigValue) {
		return
	}

	target := req.ConfigValue.ValueString()
	if h.service {
		target, _, _ = strings.Cut(target, "/")
	}

	host, port, err := net.SplitHostPort(target)
	number, malformed := strconv.Atoi(port)

	if err != nil || host == "" || malformed != nil || number < 1 || number > 65535 {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed target",
			fmt.Sprintf("%s is %q, which is not a host and a port. Write both, such as \"10.0.0.101:80\".", req.Path, req.ConfigValue.ValueString()))
	}
}

// secretive are parts of the names of headers that carry secrets.
var secretive = []string{"auth", "cookie", "token", "secret", "password", "api-key", "apikey", "credential", "signature"}

// publicHeader refuses headers that carry secrets by their name: Consul shows them to everybody who may read the service,
// and the state has them.
type publicHeader struct{}

func (publicHeader) Description(context.Context) string {
	return "must not be a header that carries a secret"
}

func (p publicHeader) MarkdownDescription(ctx context.Context) string { return p.Description(ctx) }

func (publicHeader) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	name := strings.ToLower(req.ConfigValue.ValueString())

	if slices.ContainsFunc(secretive, func(part string) bool { return strings.Contains(name, part) }) {
		resp.Diagnostics.AddAttributeError(req.Path, "Secret in a header",
			fmt.Sprintf("The header %q carries a secret, and everybody who may read the service in Consul sees it, as does the state. Let the health page answer without it.", req.ConfigValue.ValueString()))
	}
}
