package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

var hostPattern = regexp.MustCompile(`^[0-9a-z]([0-9a-z-]*[0-9a-z])?(\.[0-9a-z]([0-9a-z-]*[0-9a-z])?)*$`)

// targetValidator accepts "address:port" in the one form that every engine gives back unchanged.
type targetValidator struct{}

func (targetValidator) Description(context.Context) string {
	return "must be address:port, such as 10.0.0.101:80"
}

func (v targetValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (targetValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	if err := checkTarget(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed target",
			fmt.Sprintf("%q is not a target: %s. Write an IP address or a host name and a port, such as \"10.0.0.101:80\" or \"[fd00::101]:80\".",
				req.ConfigValue.ValueString(), err))
	}
}

func checkTarget(target string) error {
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		if address, ok := errors.AsType[*net.AddrError](err); ok {
			return errors.New(address.Err)
		}

		return err
	}

	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 || strconv.FormatUint(number, 10) != port {
		return fmt.Errorf("the port %q is not a number from 1 to 65535", port)
	}

	if address, err := netip.ParseAddr(host); err == nil {
		if canonical := address.String(); canonical != host || address.Zone() != "" {
			return fmt.Errorf("the address %q is written %q", host, address.WithZone("").String())
		}
	} else if !hostPattern.MatchString(host) {
		return fmt.Errorf("%q is neither an IP address nor a host name in lower case", host)
	}

	if canonical := net.JoinHostPort(host, port); canonical != target {
		return fmt.Errorf("it is written %q", canonical)
	}

	return nil
}
