package upstream

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	ID       types.String      `tfsdk:"id"`
	Name     types.String      `tfsdk:"name"`
	Services map[string]member `tfsdk:"services"`
	Targets  map[string]member `tfsdk:"targets"`
	Retries  types.Int64       `tfsdk:"retries"`
}

type member struct {
	Weight types.Int64 `tfsdk:"weight"`
}

// Key is the upstream's name.
func (m *model) Key() string { return m.Name.ValueString() }

// Value is what the model asks for.
func (m *model) Value() gateway.Upstream {
	return gateway.Upstream{
		Name:     m.Name.ValueString(),
		Services: weights(m.Services),
		Targets:  weights(m.Targets),
		Retries:  int(m.Retries.ValueInt64()),
	}
}

// Set takes over what the gateway says.
func (m *model) Set(upstream gateway.Upstream) {
	m.ID = types.StringValue(upstream.Name)
	m.Name = types.StringValue(upstream.Name)
	m.Services = members(upstream.Services)
	m.Targets = members(upstream.Targets)
	m.Retries = types.Int64Value(int64(upstream.Retries))

	if upstream.Retries < 0 {
		m.Retries = types.Int64Null() // missing in the gateway: differs from every number, so the next apply writes it
	}
}

func weights(members map[string]member) map[string]gateway.Member {
	if members == nil {
		return nil
	}

	weights := make(map[string]gateway.Member, len(members))
	for name, member := range members {
		weights[name] = gateway.Member{Weight: int(member.Weight.ValueInt64())}
	}

	return weights
}

func members(weights map[string]gateway.Member) map[string]member {
	if weights == nil {
		return nil
	}

	members := make(map[string]member, len(weights))
	for name, weight := range weights {
		members[name] = member{Weight: types.Int64Value(int64(weight.Weight))}
	}

	return members
}
