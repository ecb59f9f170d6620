package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// refuseUnknown reports what in the provider block is known only after an apply, since a client without its address
// would silently use a default one. A host's URI may be unknown: the host is then not asked while planning.
func refuseUnknown(block tftypes.Value) (diags diag.Diagnostics) {
	_ = tftypes.Walk(block, func(at *tftypes.AttributePath, value tftypes.Value) (bool, error) { // the callback never fails
		if value.IsKnown() || isURI(at) {
			return true, nil
		}

		diags.AddError("Unknown value in the provider block",
			"The provider cannot be configured with "+attributeText(at)+", which is known only after an apply. "+
				"Apply what it comes from first (terraform apply -target=...), or write the value itself.")

		return false, nil
	})

	return diags
}

func isURI(at *tftypes.AttributePath) bool {
	steps := at.Steps()

	return len(steps) == 3 && steps[0] == tftypes.AttributeName("hosts") && steps[2] == tftypes.AttributeName("uri")
}
