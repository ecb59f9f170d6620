package provider

import (
	"bytes"
	"context"
	"sync"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/vm"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// full is all that the framework's server can do.
type full interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
	tfprotov6.StateStoreServer
}

// server is the framework's, with a short way for what a plan mostly meets: a machine that is as its state says and as its
// configuration wants it. The framework walks every attribute of it a dozen times; the short way asks the resource type
// itself, and whenever it finds or says anything the request goes the long way.
type server struct {
	full

	clients *sharedClients
}

// sharedClients are the configured clients, once there are.
type sharedClients struct {
	mu      sync.Mutex
	clients *backend.Backend
}

func (s *sharedClients) set(clients *backend.Backend) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.clients = clients
}

func (s *sharedClients) get() *backend.Backend {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.clients
}

// Server makes the server's factory; version is as for New.
func Server(version string) func() tfprotov6.ProviderServer {
	return func() tfprotov6.ProviderServer {
		p := hypervisorProvider{version: version, clients: &sharedClients{}}

		inner, ok := providerserver.NewProtocol6(p)().(full)
		if !ok {
			panic("the framework's server lacks a part of the protocol") // its types are fixed when the provider is built
		}

		return server{full: inner, clients: p.clients}
	}
}

// machine is what the short way knows of the type hypervisor_vm: the one of which there are thousands.
var machine = sync.OnceValue(func() (m struct {
	schema   schema.Schema
	kind     tftypes.Type
	identity identityschema.Schema
	defaults []attributeDefault
},
) {
	ctx := context.Background()
	made := vm.New()

	var described resource.SchemaResponse
	made.Schema(ctx, resource.SchemaRequest{}, &described)

	m.schema, m.kind = described.Schema, described.Schema.Type().TerraformType(ctx)
	m.defaults = defaultsOf(ctx, described.Schema.Attributes)

	if identified, ok := made.(resource.ResourceWithIdentity); ok {
		var response resource.IdentitySchemaResponse
		identified.IdentitySchema(ctx, resource.IdentitySchemaRequest{}, &response)
		m.identity = response.IdentitySchema
	}

	return m
})

const machineType = "hypervisor_vm"

// UpgradeResourceState takes a state of the current version as it is: Terraform has removed from it what the schema does not
// have.
func (s server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	if req.TypeName == machineType && req.Version == machine().schema.Version && req.RawState != nil && len(req.RawState.JSON) > 0 {
		return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &tfprotov6.DynamicValue{JSON: req.RawState.JSON}}, nil
	}

	return s.full.UpgradeResourceState(ctx, req)
}

// ReadResource answers with the state that it was sent if the machine is as that says.
func (s server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	if req.TypeName == machineType && s.asSaid(ctx, req) {
		return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private, NewIdentity: req.CurrentIdentity}, nil
	}

	return s.full.ReadResource(ctx, req)
}

func (s server) asSaid(ctx context.Context, req *tfprotov6.ReadResourceRequest) bool {
	made, ok := s.configured(ctx)
	if !ok || req.CurrentIdentity == nil || req.CurrentIdentity.IdentityData == nil {
		return false
	}

	state, err := req.CurrentState.Unmarshal(machine().kind)
	if err != nil || state.IsNull() {
		return false
	}

	identity, err := req.CurrentIdentity.IdentityData.Unmarshal(machine().identity.Type().TerraformType(ctx))
	if err != nil || identity.IsNull() {
		return false
	}

	resp := resource.ReadResponse{
		State:    tfsdk.State{Raw: state, Schema: machine().schema},
		Identity: &tfsdk.ResourceIdentity{Raw: identity, Schema: machine().identity},
	}
	made.Read(ctx, resource.ReadRequest{State: resp.State, Identity: &tfsdk.ResourceIdentity{Raw: identity, Schema: machine().identity}}, &resp)

	return len(resp.Diagnostics) == 0 && resp.Deferred == nil && resp.State.Raw.Equal(state) && resp.Identity.Raw.Equal(identity)
}

// configured makes a resource that has the clients, if they are there.
func (s server) configured(ctx context.Context) (resource.Resource, bool) {
	clients := s.clients.get()
	made := vm.New()

	configurable, ok := made.(resource.ResourceWithConfigure)
	if clients == nil || !ok {
		return nil, false
	}

	configurable.Configure(ctx, resource.ConfigureRequest{ProviderData: clients}, &resource.ConfigureResponse{})

	return made, true
}

// PlanResourceChange answers with the state that there is if nothing is proposed beside it and the type plans nothing.
func (s server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	if req.TypeName == machineType && s.asPlanned(ctx, req) {
		return &tfprotov6.PlanResourceChangeResponse{
			PlannedState: req.ProposedNewState, PlannedPrivate: req.PriorPrivate, PlannedIdentity: req.PriorIdentity,
		}, nil
	}

	return s.full.PlanResourceChange(ctx, req)
}

// asPlanned relies on what holds for all our attributes: their plan modifiers act on changes only.
func (s server) asPlanned(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) bool {
	if req.PriorState == nil || req.ProposedNewState == nil || req.Config == nil || len(req.PriorState.MsgPack) == 0 ||
		!bytes.Equal(req.PriorState.MsgPack, req.ProposedNewState.MsgPack) {
		return false
	}

	made, ok := s.configured(ctx)
	planner, plans := made.(resource.ResourceWithModifyPlan)

	if !ok || !plans {
		return false
	}

	state, err := req.PriorState.Unmarshal(machine().kind)
	if err != nil || state.IsNull() {
		return false
	}

	config, err := req.Config.Unmarshal(machine().kind)
	if err != nil || !defaultsHold(machine().defaults, config, state) {
		return false
	}

	resp := resource.ModifyPlanResponse{Plan: tfsdk.Plan{Raw: state, Schema: machine().schema}}
	planner.ModifyPlan(ctx, resource.ModifyPlanRequest{
		Config: tfsdk.Config{Raw: config, Schema: machine().schema},
		Plan:   resp.Plan,
		State:  tfsdk.State{Raw: state, Schema: machine().schema},
	}, &resp)

	return len(resp.Diagnostics) == 0 && len(resp.RequiresReplace) == 0 && resp.Deferred == nil && resp.Plan.Raw.Equal(state)
}
