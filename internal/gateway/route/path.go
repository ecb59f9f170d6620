package route

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// pathPattern has the characters that a path may hold unencoded (RFC 3986, section 3.3). Encoded ones are left out,
// since the engines differ in whether they compare them decoded.
var pathPattern = regexp.MustCompile(`^/[0-9A-Za-z._~!$&'()*+,;=:@/-]*$`)

// pathValidator accepts path prefixes that every engine understands alike and gives back unchanged.
type pathValidator struct{}

func (pathValidator) Description(context.Context) string { return "must be a path such as /shop" }

func (v pathValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (pathValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	if err := checkPath(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed path",
			fmt.Sprintf("%q is not a path of a route: %s. Write a path such as \"/\" or \"/shop\".", req.ConfigValue.ValueString(), err))
	}
}

func checkPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return errors.New("it does not begin with \"/\"")
	}

	if !pathPattern.MatchString(path) {
		return errors.New("it holds characters other than letters, digits and those of \"-._~!$&'()*+,;=:@/\"")
	}

	// Both engines clean a request's path before they compare it, so such a route would never match.
	segments := strings.Split(strings.TrimSuffix(path[1:], "/"), "/")
	if path != "/" && slices.ContainsFunc(segments, func(segment string) bool { return segment == "" || segment == "." || segment == ".." }) {
		return errors.New("it has an empty segment or one that is \".\" or \"..\"")
	}

	return nil
}
