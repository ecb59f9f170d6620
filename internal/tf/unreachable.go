package tf

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// Unread is the warning about something that could not be read because its host cannot be reached, or its pool is stopped. It keeps its state,
// and the plan goes on: one dead host must not keep a team from changing the others, nor from starting a pool.
func Unread(thing, name string, err error) diag.Diagnostic {
	return diag.NewWarningDiagnostic(fmt.Sprintf("Unable to read %s %q", thing, name),
		fmt.Sprintf("The plan shows it as it was last seen, and an apply that changes it fails: %s.", err))
}
