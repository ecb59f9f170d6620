package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// kinds are the attributes of which a check has exactly one.
var kinds = []string{"http", "tcp", "udp", "grpc", "h2ping", "ttl", "script", "os_service", "alias"}

// belongs says to which kinds an attribute belongs that not all have.
var belongs = map[string][]string{
	"request":    {"http"},
	"docker":     {"script"},
	"tls":        {"http", "tcp", "grpc", "h2ping"},
	"interval":   {"http", "tcp", "udp", "grpc", "h2ping", "script", "os_service"},
	"timeout":    {"http", "tcp", "udp", "grpc", "h2ping", "script", "os_service"},
	"thresholds": {"http", "tcp", "udp", "grpc", "h2ping", "script", "os_service"},
}

// Validate reports checks that no Consul could run: with no kind or several, or with attributes that their kind does not
// have. With onNode they are of the catalog, where nobody but consul-esm runs them.
func Validate(checks types.Map, onNode bool) (diagnostics diag.Diagnostics) {
	for key, value := range checks.Elements() {
		check, ok := value.(types.Object)
		if !ok || check.IsUnknown() || check.IsNull() {
			continue
		}

		at := path.Root("checks").AtMapKey(key)
		found := given(check.Attributes(), kinds)

		switch {
		case slices.ContainsFunc(kinds, func(kind string) bool { return check.Attributes()[kind].IsUnknown() }):
		case len(found) == 0:
			diagnostics.AddAttributeError(at, "Missing kind of check",
				fmt.Sprintf("Check %q says none of %s. Give it one of them, such as http = \"http://10.0.0.101/health\" or tcp = \"10.0.0.101:80\".", key, strings.Join(kinds, ", ")))
		case len(found) > 1:
			diagnostics.AddAttributeError(at, "Two kinds of check",
				fmt.Sprintf("Check %q says both %s. Keep one of them, and make the other a check of its own.", key, strings.Join(found, " and ")))
		default:
			diagnostics.Append(validateKind(at, key, found[0], check.Attributes(), onNode)...)
		}
	}

	return diagnostics
}

// given returns which of the attributes are not null.
func given(attributes map[string]attr.Value, names []string) (found []string) {
	for _, name := range names {
		if value := attributes[name]; value != nil && !value.IsNull() {
			found = append(found, name)
		}
	}

	return found
}

func validateKind(at path.Path, key, kind string, attributes map[string]attr.Value, onNode bool) (diagnostics diag.Diagnostics) {
	for _, name := range given(attributes, slices.Sorted(maps.Keys(belongs))) {
		if !slices.Contains(belongs[name], kind) {
			diagnostics.AddAttributeError(at.AtName(name), "Attribute of another kind of check",
				fmt.Sprintf("Check %q has %s, which checks of the kind %s do not have. Leave it out.", key, name, kind))
		}
	}

	if onNode {
		diagnostics.Append(validateOnNode(at, key, kind, attributes)...)
	}

	for _, name := range []string{"request", "thresholds", "alias", "tls"} {
		if name == "tls" && kind != "http" {
			continue // its presence says enough
		}

		if object, ok := attributes[name].(types.Object); ok && saysNothing(object) {
			diagnostics.AddAttributeError(at.AtName(name), "Nothing said",
				fmt.Sprintf("Check %q has %s, but nothing in it that is not so anyway. Leave it out, or say something in it.", key, name))
		}
	}

	if object, ok := attributes["thresholds"].(types.Object); ok {
		diagnostics.Append(validateThresholds(at.AtName("thresholds"), key, object)...)
	}

	return diagnostics
}

// validateOnNode refuses what consul-esm, which runs the checks of nodes without an agent, does not do.
func validateOnNode(at path.Path, key, kind string, attributes map[string]attr.Value) (diagnostics diag.Diagnostics) {
	if kind != "http" && kind != "tcp" {
		diagnostics.AddAttributeError(at.AtName(kind), "Check that nobody would run",
			fmt.Sprintf("Check %q is of the kind %s. On a node without an agent checks are run by consul-esm, which knows http and tcp only. Use one of these, or register through an agent.", key, kind))
	}

	if len(given(attributes, []string{"thresholds"})) > 0 {
		diagnostics.AddAttributeError(at.AtName("thresholds"), "Thresholds in the catalog",
			fmt.Sprintf("Check %q has thresholds, which only an agent keeps. Leave them out, or register through an agent.", key))
	}

	if request, ok := attributes["request"].(types.Object); ok && !request.IsNull() && !request.IsUnknown() {
		if disabled, ok := request.Attributes()["disable_redirects"].(types.Bool); ok && disabled.ValueBool() {
			diagnostics.AddAttributeError(at.AtName("request").AtName("disable_redirects"), "Redirects in the catalog",
				fmt.Sprintf("Check %q has disable_redirects, which only an agent does. Leave it out, or register through an agent.", key))
		}
	}

	return diagnostics
}

// saysNothing reports whether all that the object has is null, false or 0.
func saysNothing(object types.Object) bool {
	if object.IsNull() || object.IsUnknown() {
		return false
	}

	for _, value := range object.Attributes() {
		switch value := value.(type) {
		case types.Bool:
			if value.IsUnknown() || value.ValueBool() {
				return false
			}
		case types.Int64:
			if value.IsUnknown() || value.ValueInt64() != 0 {
				return false
			}
		default:
			if !value.IsNull() {
				return false
			}
		}
	}

	return true
}

func validateThresholds(at path.Path, key string, object types.Object) (diagnostics diag.Diagnostics) {
	warning, known := object.Attributes()["warning"].(types.Int64)
	critical, alsoKnown := object.Attributes()["critical"].(types.Int64)

	if known && alsoKnown && !warning.IsUnknown() && !critical.IsUnknown() && warning.ValueInt64() > critical.ValueInt64() {
		diagnostics.AddAttributeError(at.AtName("warning"), "Warning after critical",
			fmt.Sprintf("Check %q warns after %d failures and is critical after %d, so it would never warn. Make warning at most critical.", key, warning.ValueInt64(), critical.ValueInt64()))
	}

	return diagnostics
}
