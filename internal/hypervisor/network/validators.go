package network

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// A network's name becomes part of its id and of the names of files; a bridge's name is a Linux link's, which has at
// most 15 characters.
var (
	namePattern   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:+@-]*$`)
	bridgePattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$`)
	domainPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)
	macPattern    = regexp.MustCompile(`^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$`)
)

func nameValidator() validator.String {
	return stringvalidator.RegexMatches(namePattern,
		"must begin with a letter, a digit or an underscore and consist of these and of the characters . : + @ -")
}

func bridgeValidator() validator.String {
	return stringvalidator.RegexMatches(bridgePattern, "must be the name of a link: at most 15 letters, digits and characters of _ . -")
}

func domainValidator() validator.String {
	return stringvalidator.RegexMatches(domainPattern, "must be a DNS domain without a dot at its end, such as \"lan.example\"")
}

func macValidator() validator.String {
	return stringvalidator.RegexMatches(macPattern, "must be the MAC of an interface in lower case, such as \"52:54:00:12:34:56\"")
}

// guestValidator checks the keys of reservations: a host name, or the MAC itself for a guest that gets none.
func guestValidator() validator.String {
	return stringvalidator.Any(macValidator(), stringvalidator.RegexMatches(domainPattern, "must be a host name, such as \"web-1\""))
}

// addressValidator checks an IP address, with the length of its prefix if subnet is set, and its notation: libvirt gives
// back the usual one, which would look like a change.
type addressValidator struct{ subnet bool }

func (v addressValidator) Description(context.Context) string {
	if v.subnet {
		return "an IP address with the length of its prefix, such as \"10.0.0.1/24\""
	}

	return "an IP address, such as \"10.0.0.10\""
}

func (v addressValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v addressValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	given := req.ConfigValue.ValueString()

	usual, err := v.usual(given)

	switch {
	case err != nil:
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed address", fmt.Sprintf("%q is not %s.", given, v.Description(ctx)))
	case usual != given:
		resp.Diagnostics.AddAttributeError(req.Path, "Unusual notation", fmt.Sprintf("Write %q as %q.", given, usual))
	}
}

func (v addressValidator) usual(text string) (string, error) {
	if v.subnet {
		prefix, err := netip.ParsePrefix(text)

		return prefix.String(), err
	}

	address, err := netip.ParseAddr(text)

	return address.String(), err
}
