package upstream

import (
	"context"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	ID       types.String      `tfsdk:"id"`
	Name     types.String      `tfsdk:"name"`
	Services map[string]member `tfsdk:"services"`
	Targets  map[string]member `tfsdk:"targets"`
	Protocol types.String      `tfsdk:"protocol"`
	Balance  *balance          `tfsdk:"balance"`
	Health   *health           `tfsdk:"health_check"`
	Passive  *passive          `tfsdk:"passive_health"`
	Connect  tf.Notation       `tfsdk:"connect_timeout"`
	Read     tf.Notation       `tfsdk:"read_timeout"`
	Write    tf.Notation       `tfsdk:"write_timeout"`
	Retries  types.Int64       `tfsdk:"retries"`
	TLS      *client           `tfsdk:"tls"`
	Intact   types.Bool        `tfsdk:"intact"`
	Timeouts timeouts.Value    `tfsdk:"timeouts"`
}

type member struct {
	Weight types.Int64 `tfsdk:"weight"`
}

type balance struct {
	Algorithm types.String `tfsdk:"algorithm"`
	HashOn    types.String `tfsdk:"hash_on"`
	HashName  types.String `tfsdk:"hash_name"`
}

type health struct {
	Path           types.String `tfsdk:"path"`
	Status         types.Int64  `tfsdk:"status"`
	Interval       tf.Notation  `tfsdk:"interval"`
	Timeout        tf.Notation  `tfsdk:"timeout"`
	HealthyAfter   types.Int64  `tfsdk:"healthy_after"`
	UnhealthyAfter types.Int64  `tfsdk:"unhealthy_after"`
}

type passive struct {
	Failures types.Int64 `tfsdk:"failures"`
	Window   tf.Notation `tfsdk:"window"`
}

type client struct {
	Verify     types.Bool   `tfsdk:"verify"`
	ServerName types.String `tfsdk:"server_name"`
	CA         types.String `tfsdk:"ca"`
}

// Key is the upstream's name.
func (m *model) Key() string { return m.Name.ValueString() }

// Bounds are what the user says of time.
func (m *model) Bounds() timeouts.Value { return m.Timeouts }

// Value is what the model asks for.
func (m *model) Value() gateway.Upstream {
	upstream := gateway.Upstream{
		Record:   gateway.Record{Name: m.Name.ValueString(), Note: object.NewNote(m.Timeouts).String()},
		Services: weights(m.Services),
		Targets:  weights(m.Targets),
		Protocol: m.Protocol.ValueString(),
		Timeouts: gateway.Timeouts{Connect: object.Duration(m.Connect), Read: object.Duration(m.Read), Write: object.Duration(m.Write)},
		Retries:  gateway.Unsaid,
	}

	if !m.Retries.IsNull() {
		upstream.Retries = int(m.Retries.ValueInt64())
	}

	if m.Balance != nil {
		upstream.Balance = gateway.Balance{
			Algorithm: m.Balance.Algorithm.ValueString(), HashOn: m.Balance.HashOn.ValueString(), HashName: m.Balance.HashName.ValueString(),
		}
	}

	if m.Health != nil {
		upstream.Health = &gateway.HealthCheck{
			Path: m.Health.Path.ValueString(), Status: int(m.Health.Status.ValueInt64()),
			Interval: object.Duration(m.Health.Interval), Timeout: object.Duration(m.Health.Timeout),
			HealthyAfter: int(m.Health.HealthyAfter.ValueInt64()), UnhealthyAfter: int(m.Health.UnhealthyAfter.ValueInt64()),
		}
	}

	if m.Passive != nil {
		upstream.Passive = &gateway.PassiveHealth{Failures: int(m.Passive.Failures.ValueInt64()), Window: object.Duration(m.Passive.Window)}
	}

	if m.TLS != nil {
		upstream.TLS = gateway.TLSClient{SkipVerify: !m.TLS.Verify.ValueBool(), ServerName: m.TLS.ServerName.ValueString(), CA: m.TLS.CA.ValueString()}
	}

	return upstream.Complete()
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

// Set takes over what the gateway says. What it says of something that the user left out shows only if it is not what
// the provider writes then.
func (m *model) Set(ctx context.Context, upstream gateway.Upstream) {
	note := object.ReadNote(upstream.Note)
	m.Timeouts = note.Restore(ctx, m.Timeouts)

	m.ID = types.StringValue(upstream.Name)
	m.Name = types.StringValue(upstream.Name)
	m.Intact = types.BoolValue(!upstream.Altered)
	m.Services = members(upstream.Services)
	m.Targets = members(upstream.Targets)
	m.Protocol = types.StringValue(upstream.Protocol)
	m.Connect = object.Shown(m.Connect, upstream.Timeouts.Connect, gateway.DefaultConnectTimeout)
	m.Read = object.Shown(m.Read, upstream.Timeouts.Read, gateway.DefaultReadTimeout)
	m.Write = object.Shown(m.Write, upstream.Timeouts.Write, gateway.DefaultWriteTimeout)
	m.Retries = shown(m.Retries, upstream.Retries, gateway.DefaultRetries)

	if upstream.Retries == gateway.Unsaid {
		m.Retries = types.Int64Null()
	}

	if usual := (gateway.Balance{Algorithm: gateway.RoundRobin}); upstream.Balance != usual || m.Balance != nil {
		m.Balance = &balance{
			Algorithm: types.StringValue(upstream.Balance.Algorithm),
			HashOn:    object.Text(upstream.Balance.HashOn),
			HashName:  object.Text(upstream.Balance.HashName),
		}
	}

	if upstream.TLS != (gateway.TLSClient{}) || m.TLS != nil {
		ca := object.Text(upstream.TLS.CA)
		if m.TLS != nil && gateway.SameAuthorities(m.TLS.CA.ValueString(), upstream.TLS.CA) {
			ca = m.TLS.CA // Kong has each certificate by itself, without what stood around it
		}

		m.TLS = &client{Verify: types.BoolValue(!upstream.TLS.SkipVerify), ServerName: object.Text(upstream.TLS.ServerName), CA: ca}
	}

	m.Health = m.Health.set(upstream)
	m.Passive = m.Passive.set(upstream.Passive)
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

func (h *health) set(upstream gateway.Upstream) *health {
	check := upstream.Health
	if check == nil {
		return nil
	}

	if h == nil {
		h = &health{Interval: tf.NullDuration(), Timeout: tf.NullDuration()}
	}

	now := &health{
		Path: types.StringValue(check.Path), Status: types.Int64Value(int64(check.Status)),
		Interval: object.Same(h.Interval, check.Interval), Timeout: object.Same(h.Timeout, check.Timeout),
		HealthyAfter: shown(h.HealthyAfter, check.HealthyAfter, 1), UnhealthyAfter: shown(h.UnhealthyAfter, check.UnhealthyAfter, 1),
	}

	if upstream.Stream() {
		now.Path, now.Status = types.StringValue(defaultPath), types.Int64Value(defaultStatus) // they mean nothing there
	}

	return now
}

func (p *passive) set(check *gateway.PassiveHealth) *passive {
	if check == nil {
		return nil
	}

	if p == nil {
		p = &passive{Window: tf.NullDuration()}
	}

	return &passive{Failures: types.Int64Value(int64(check.Failures)), Window: object.Shown(p.Window, check.Window, gateway.DefaultWindow)}
}

// shown is a number, left out if it is the default and the user left it out.
func shown(before types.Int64, now, standard int) types.Int64 {
	if before.IsNull() && now == standard {
		return before
	}

	return types.Int64Value(int64(now))
}

// plain is what of a model counts when two are compared.
func (m model) plain() model {
	m.ID, m.Intact, m.Timeouts = types.StringNull(), types.BoolNull(), timeouts.Value{}

	for _, limit := range []*tf.Notation{&m.Connect, &m.Read, &m.Write} {
		*limit = object.Shown(tf.NullDuration(), limit.Duration(), time.Duration(0))
	}

	if m.TLS != nil {
		tls := *m.TLS
		tls.CA = types.StringValue(gateway.CanonicalAuthorities(tls.CA.ValueString()))
		m.TLS = &tls
	}

	return m
}
