// Package shortcut answers what a plan mostly asks, whether an object is still as its state says and its configuration wants
// it, without the framework's walks over every attribute. The resource type itself is asked, and whenever it finds or says
// anything the request goes the long way, through the framework.
package shortcut

import (
	"bytes"
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// Full is all that the framework's server can do.
type Full interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
	tfprotov6.StateStoreServer
}

// Server is the framework's with the short way in front.
type Server struct {
	Full

	kinds map[string]func() *kind
	data  func() any
}

// New puts the short way in front of a server. It is for the types whose objects neither read nor plan by what Terraform keeps
// for the provider ("private"); data is what they are configured with, nil while there is none.
func New(ctx context.Context, long Full, types []func() resource.Resource, data func() any) Server {
	return Server{Full: long, kinds: kindsOf(ctx, types), data: data}
}

// UpgradeResourceState takes a state of the current version as it is: Terraform has removed from it what the schema does not
// have.
func (s Server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	kind := s.kind(req.TypeName)
	if kind != nil && req.Version == kind.schema.Version && req.RawState != nil && len(req.RawState.JSON) > 0 {
		return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &tfprotov6.DynamicValue{JSON: req.RawState.JSON}}, nil
	}

	return s.Full.UpgradeResourceState(ctx, req)
}

// ReadResource answers with the state that it was sent if the object is as that says.
func (s Server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	if identity, ok := s.asSaid(ctx, req); ok {
		return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private, NewIdentity: identity}, nil
	}

	return s.Full.ReadResource(ctx, req)
}

// importMark is among what Terraform keeps for the framework between an import and the first read, which removes it.
const importMark = ".import_before_read"

// asSaid asks the type itself whether the object is as its state says. It returns the object's identity.
func (s Server) asSaid(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ResourceIdentityData, bool) {
	kind := s.kind(req.TypeName)
	if kind == nil || req.CurrentState == nil || bytes.Contains(req.Private, []byte(importMark)) {
		return nil, false
	}

	state, err := req.CurrentState.Unmarshal(kind.value)
	if err != nil || state.IsNull() {
		return nil, false
	}

	identity, made := kind.identityOf(req.CurrentIdentity), kind.configured(ctx, s.data())
	if identity == nil || made == nil {
		return nil, false
	}

	resp := resource.ReadResponse{State: tfsdk.State{Raw: state, Schema: kind.schema}, Identity: kind.identified(*identity)}
	made.Read(ctx, resource.ReadRequest{State: resp.State, Identity: kind.identified(*identity)}, &resp)

	if len(resp.Diagnostics) > 0 || resp.Deferred != nil || !resp.State.Raw.Equal(state) {
		return nil, false
	}

	return kind.sameIdentity(req.CurrentIdentity, *identity, resp.Identity.Raw)
}

// PlanResourceChange answers with the state that there is if nothing is proposed beside it and the type plans nothing.
func (s Server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	if identity, ok := s.asPlanned(ctx, req); ok {
		return &tfprotov6.PlanResourceChangeResponse{PlannedState: req.ProposedNewState, PlannedPrivate: req.PriorPrivate, PlannedIdentity: identity}, nil
	}

	return s.Full.PlanResourceChange(ctx, req)
}

// asPlanned asks the type itself whether it plans nothing. It returns the planned identity.
func (s Server) asPlanned(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.ResourceIdentityData, bool) {
	if req.PriorState == nil || req.ProposedNewState == nil || req.Config == nil || len(req.PriorState.MsgPack) == 0 ||
		!bytes.Equal(req.PriorState.MsgPack, req.ProposedNewState.MsgPack) {
		return nil, false
	}

	kind := s.kind(req.TypeName)
	if kind == nil {
		return nil, false
	}

	state, err := req.PriorState.Unmarshal(kind.value)
	if err != nil || state.IsNull() {
		return nil, false
	}

	config, err := req.Config.Unmarshal(kind.value)
	if err != nil || !kind.rulesHold(ctx, config, state) {
		return nil, false
	}

	identity, made := kind.identityOf(req.PriorIdentity), kind.configured(ctx, s.data())
	if identity == nil || made == nil {
		return nil, false
	}

	planned, ok := kind.plansNothing(ctx, made, config, state, *identity)
	if !ok {
		return nil, false
	}

	return kind.sameIdentity(req.PriorIdentity, *identity, planned)
}

func (s Server) kind(name string) *kind {
	if describe := s.kinds[name]; describe != nil {
		return describe()
	}

	return nil
}
