package route

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp/syntax"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// patternValidator accepts regular expressions for paths that every engine reads alike.
type patternValidator struct{}

func (patternValidator) Description(context.Context) string {
	return "must be a regular expression for a path, such as /v[0-9]+/"
}

func (v patternValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (patternValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	if err := checkPattern(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed path pattern",
			fmt.Sprintf("%q is not a pattern of a route: %s. Write a regular expression such as \"/v[0-9]+/\".", req.ConfigValue.ValueString(), err))
	}
}

func checkPattern(pattern string) error {
	if !strings.HasPrefix(pattern, "/") {
		return errors.New("it does not begin with \"/\"")
	}

	if _, err := syntax.Parse(pattern, syntax.Perl); err != nil {
		return err
	}

	if strings.ContainsFunc(pattern, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("it holds characters other than printable ASCII")
	}

	quoted, whole := strings.CutSuffix(pattern, "$")
	if literal, only := gateway.Literal(quoted); whole && only {
		return fmt.Errorf("it stands for one path only. Name %q in exact_paths", literal)
	}

	if strings.HasPrefix(pattern, "/(?") && !strings.HasPrefix(pattern, "/(?:") {
		return errors.New("it sets flags, which the engines understand differently")
	}

	return nil
}

// urlValidator accepts addresses that can be asked for over HTTP.
type urlValidator struct{}

func (urlValidator) Description(context.Context) string {
	return "must be an address such as http://10.0.0.100:8000/health"
}

func (v urlValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v urlValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	address, err := url.Parse(req.ConfigValue.ValueString())
	if err != nil || (address.Scheme != "http" && address.Scheme != "https") || address.Host == "" || address.User != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed address", "It "+v.Description(ctx)+", without a user name or password.")
	}
}
