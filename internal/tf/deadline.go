package tf

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// Deadline bounds an operation by the user's timeouts block: get is the method of its value for the operation, standard
// is what holds if the user says nothing.
func Deadline(ctx context.Context, get func(context.Context, time.Duration) (time.Duration, diag.Diagnostics), standard time.Duration, diags *diag.Diagnostics) (context.Context, context.CancelFunc) {
	timeout, problems := get(ctx, standard)
	diags.Append(problems...)

	return context.WithTimeout(ctx, timeout)
}
