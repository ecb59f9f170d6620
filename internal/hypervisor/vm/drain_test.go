package vm

import (
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// TestMachineStartsWithoutConsul holds that a Consul that does not answer, such as before the first apply of a platform has
// made it, neither fails nor delays a machine whose services nobody has drained.
func TestMachineStartsWithoutConsul(t *testing.T) {
	clients := backend.New(backend.Config{Consul: catalog.Config{Address: "http://127.0.0.1:1", Timeout: time.Millisecond}})
	machine := model{Name: types.StringValue("web-1"), Running: types.BoolValue(true), Drain: &drain{Services: []string{"up"}, Wait: tf.Duration(time.Second)}}

	diags := machine.comeBackIfGone(t.Context(), clients)
	if diags.HasError() || diags.WarningsCount() != 1 {
		t.Fatalf("It is not one warning: %v", diags)
	}

	complains(t, "a Consul that does not answer", diags, "The machine is up")

	if err := machine.leave(t.Context(), clients); err == nil || !strings.Contains(err.Error(), "take drain away and apply that first") {
		t.Errorf("Leaving a Consul that does not answer: %v", err)
	}
}
