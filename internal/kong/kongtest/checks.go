package kongtest

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
)

// on makes a check of a judgement about one Go type. A value of another type is the kind's business.
func on[T any](judge func(T) string) check {
	return func(value any) string {
		typed, ok := value.(T)
		if !ok {
			return ""
		}

		return judge(typed)
	}
}

func between(low, high int) check {
	return on(func(number float64) string {
		if number < float64(low) || number > float64(high) {
			return fmt.Sprintf("value should be between %d and %d", low, high)
		}

		return ""
	})
}

func oneOf(allowed ...string) func(string) string {
	return func(text string) string {
		if !slices.Contains(allowed, text) {
			return "expected one of: " + strings.Join(allowed, ", ")
		}

		return ""
	}
}

var asciiName = regexp.MustCompile(`^[A-Za-z0-9._~\-\x{80}-\x{10FFFF}]*$`)

func utf8Name(text string) string {
	if !asciiName.MatchString(text) {
		return "invalid value '" + text + "': the only accepted ascii characters are alphanumerics or ., -, _, and ~"
	}

	return ""
}

func tag(text string) string {
	bad := func(r rune) bool { return r < ' ' || r == ',' || r == '/' || r == 0x7f || r == '\uFFFD' }
	if strings.ContainsFunc(text, bad) {
		return "invalid tag '" + text + "': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"
	}

	return ""
}

var (
	hostname = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)
	pathText = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%\\{}^|<>"\x60]*$`)
)

func isHost(text string) bool {
	if _, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return true
	}

	return hostname.MatchString(text)
}

func host(text string) string {
	if !isHost(text) {
		return "invalid value: " + text
	}

	return ""
}

// path judges a service's path, which is literal.
func path(text string) string {
	switch {
	case !strings.HasPrefix(text, "/"):
		return "should start with: /"
	case strings.Contains(text, "//"):
		return "must not have empty segments"
	case !pathText.MatchString(text):
		return "invalid path: '" + text + "' (characters outside of the reserved list of RFC 3986 found)"
	}

	return ""
}

// routePath judges a route's path: a prefix, or a regular expression after "~".
func routePath(text string) string {
	switch {
	case strings.HasPrefix(text, "~/"):
		return pattern(text[1:])
	case !strings.HasPrefix(text, "/"):
		return "should start with: / (fixed path) or ~/ (regex path)"
	default:
		return path(text)
	}
}

// pcreWords are PCRE2's words for the mistakes that Go's parser, which knows fewer constructs, finds as well.
var pcreWords = map[syntax.ErrorCode]string{
	syntax.ErrMissingParen:          "missing closing parenthesis",
	syntax.ErrUnexpectedParen:       "unmatched closing parenthesis",
	syntax.ErrMissingBracket:        "missing terminating ] for character class",
	syntax.ErrMissingRepeatArgument: "quantifier does not follow a repeatable item",
}

func pattern(text string) string {
	var problem *syntax.Error
	if _, err := syntax.Parse(text, syntax.Perl); !errors.As(err, &problem) || pcreWords[problem.Code] == "" {
		return ""
	}

	return "invalid regex: '" + text + "' (PCRE returned: pcre2_compile() failed: " + pcreWords[problem.Code] + ` in "` + text + `")`
}

// routeHost judges a route's host: a name, with a port or without, with one wildcard as its first or last label.
func routeHost(text string) string {
	if strings.Count(text, "*") > 1 {
		return "only one wildcard must be specified"
	}
	if strings.Contains(text, "*") && !strings.HasPrefix(text, "*.") && !strings.HasSuffix(text, ".*") {
		return "invalid wildcard: must be placed at leftmost or rightmost label"
	}

	name, _, _ := strings.Cut(strings.Replace(text, "*", "wildcard", 1), ":")
	if !isHost(name) {
		return "invalid hostname: " + text
	}

	return ""
}

func hostHeader(text string) string {
	if name, _, _ := strings.Cut(text, ":"); !isHost(name) {
		return "invalid hostname: " + text
	}

	return ""
}

func upstreamName(name string) string {
	prefix := "Invalid name ('" + name + "'); "
	if _, err := netip.ParseAddr(name); err == nil {
		return prefix + "no ip addresses allowed"
	}
	if before, port, found := strings.Cut(name, ":"); found && isHost(before) && port != "" {
		return prefix + "no port allowed"
	}
	if !hostname.MatchString(name) {
		return prefix + "must be a valid hostname"
	}

	return ""
}

const badTarget = "Invalid target; not a valid hostname or ip address"

// normalTarget spells a target as Kong stores it: port 8000 if there is none, IPv6 addresses in full.
func normalTarget(text string) (target string, ok bool) {
	if address, err := netip.ParseAddr(text); err == nil && address.Is6() {
		return "[" + address.StringExpanded() + "]:8000", true
	}

	name, port := text, "8000"
	if colon := strings.LastIndex(text, ":"); colon > strings.LastIndex(text, "]") {
		name, port = text[:colon], text[colon+1:]
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || !isHost(name) {
		return "", false
	}
	if address, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil && address.Is6() {
		name = "[" + address.StringExpanded() + "]"
	}

	return name + ":" + strconv.FormatUint(number, 10), true
}

func target(text string) string {
	if _, ok := normalTarget(text); !ok {
		return badTarget
	}

	return ""
}

func uuidText(text string) string {
	if !isID(text) {
		return "expected a valid UUID"
	}

	return ""
}
