package vm

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

// TestWhatIsStoredOfAFailedCreationHasNoSecret holds what the framework does not do for a creation that fails: it refuses the
// whole state then, and the machine would be lost.
func TestWhatIsStoredOfAFailedCreationHasNoSecret(t *testing.T) {
	plan := model{CloudInit: &cloudInit{UserData: types.StringValue("#!/bin/sh\n"), UserDataWO: types.StringValue("tops3cret")}}

	stored := plan.withoutSecrets()
	if !stored.CloudInit.UserDataWO.IsNull() || !stored.CloudInit.UserData.Equal(plan.CloudInit.UserData) {
		t.Errorf("What is stored is %+v", stored.CloudInit)
	}

	if plan.CloudInit.UserDataWO.ValueString() != "tops3cret" {
		t.Error("The rest of the creation has lost the secret")
	}
}
