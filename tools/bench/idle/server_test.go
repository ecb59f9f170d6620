package idle

import (
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

func newServer() server {
	return server{ProviderServer: providerserver.NewProtocol6(provider.New("test")())()}
}

func TestSchemasAreOurs(t *testing.T) {
	ours := providerserver.NewProtocol6(provider.New("test")())()

	want, err := ours.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}

	got, err := newServer().GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}

	if _, found := got.ResourceSchemas["hypervisor_vm"]; !found {
		t.Error("There is no hypervisor_vm")
	}

	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadReturnsThePriorState(t *testing.T) {
	state := &tfprotov6.DynamicValue{MsgPack: []byte("state")}

	got, err := newServer().ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: "hypervisor_vm", CurrentState: state, Private: []byte("private"),
	})
	if err != nil {
		t.Fatal(err)
	}

	want := &tfprotov6.ReadResourceResponse{NewState: state, Private: []byte("private")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStoredStateIsTakenAsItIs(t *testing.T) {
	stored := []byte(`{"name":"web-1"}`)

	got, err := newServer().UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
		TypeName: "hypervisor_vm", RawState: &tfprotov6.RawState{JSON: stored},
	})
	if err != nil {
		t.Fatal(err)
	}

	want := &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &tfprotov6.DynamicValue{JSON: stored}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestApplyIsRefused(t *testing.T) {
	prior := &tfprotov6.DynamicValue{MsgPack: []byte("prior")}

	got, err := newServer().ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{TypeName: "hypervisor_vm", PriorState: prior})
	if err != nil {
		t.Fatal(err)
	}

	if len(got.Diagnostics) != 1 || got.Diagnostics[0].Severity != tfprotov6.DiagnosticSeverityError || got.NewState != prior {
		t.Errorf("The answer is %+v, and should be an error and the prior state", got)
	}
}
