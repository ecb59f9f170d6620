package object

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// RequireVersion refuses a write-only value without its version: without one, a new value would never be written.
func RequireVersion(ctx context.Context, config tfsdk.Config, at, versionAt path.Path, secret attr.Value) (diags diag.Diagnostics) {
	if secret.IsNull() {
		return nil
	}

	var version types.Int64
	diags.Append(config.GetAttribute(ctx, versionAt, &version)...)

	if version.IsNull() && !diags.HasError() {
		diags.AddAttributeError(at, "Missing version", fmt.Sprintf("%s is in no state, so that nobody could tell when it changes. "+
			"Set %s, beginning with 1, and raise it with every change.", at, versionAt))
	}

	return diags
}
