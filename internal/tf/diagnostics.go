// Package tf has what every resource needs of the framework and the framework does not have: attribute types whose
// values are equal by meaning ("4GiB" and "4096MiB"), and the one shape that our errors have. It knows no client.
package tf

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// Failed is the diagnostic of an operation that failed: the summary says `Unable to <verb> <thing> "<name>"`, the
// detail gives the cause.
func Failed(verb, thing, name string, err error) diag.Diagnostic {
	return diag.NewErrorDiagnostic(summary(verb, thing, name), Sentence(err))
}

// FailedAt is Failed for an error that a line of HCL caused.
func FailedAt(at path.Path, verb, thing, name string, err error) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, summary(verb, thing, name), Sentence(err))
}

func summary(verb, thing, name string) string {
	return fmt.Sprintf("Unable to %s %s %q", verb, thing, name)
}

// Sentence writes an error, which by Go's habit begins small and ends without a period, as people are written to.
func Sentence(err error) string {
	text := err.Error()
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]

	if strings.HasSuffix(text, ".") || strings.Contains(text, "\n") {
		return text
	}

	return text + "."
}
