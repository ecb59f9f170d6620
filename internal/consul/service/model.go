package service

import (
	"maps"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	Name           types.String      `tfsdk:"name"`
	ID             types.String      `tfsdk:"id"`
	Node           types.String      `tfsdk:"node"`
	Address        types.String      `tfsdk:"address"`
	Port           types.Int64       `tfsdk:"port"`
	Tags           []string          `tfsdk:"tags"`
	Meta           map[string]string `tfsdk:"meta"`
	Checks         map[string]check  `tfsdk:"checks"`
	WaitForPassing tf.Notation       `tfsdk:"wait_for_passing"`
}

type check struct {
	HTTP            types.String `tfsdk:"http"`
	TCP             types.String `tfsdk:"tcp"`
	Interval        tf.Notation  `tfsdk:"interval"`
	Timeout         tf.Notation  `tfsdk:"timeout"`
	Status          types.String `tfsdk:"status"`
	DeregisterAfter tf.Notation  `tfsdk:"deregister_critical_service_after"`
}

// label names the service in errors; while it is imported, only its id is known.
func (m model) label() string {
	if m.Name.ValueString() == "" {
		return m.ID.ValueString()
	}

	return m.Name.ValueString()
}

func (m model) identity() catalog.Identity {
	return catalog.Identity{Node: m.Node.ValueString(), Name: m.Name.ValueString(), ID: m.ID.ValueString()}
}

func (m model) service() catalog.Service {
	service := catalog.Service{
		Identity: m.identity(),
		Address:  m.Address.ValueString(),
		Port:     int(m.Port.ValueInt64()),
		Tags:     m.Tags,
		Meta:     m.Meta,
		Checks:   make(map[string]catalog.Check, len(m.Checks)),
		Wait:     m.WaitForPassing.Duration(),
	}

	for key, check := range m.Checks {
		service.Checks[key] = check.check()
	}

	return service
}

func (c check) check() catalog.Check {
	return catalog.Check{
		HTTP:            c.HTTP.ValueString(),
		TCP:             c.TCP.ValueString(),
		Interval:        c.Interval.Duration(),
		Timeout:         c.Timeout.Duration(),
		Status:          c.Status.ValueString(),
		DeregisterAfter: c.DeregisterAfter.Duration(),
	}
}

// set takes over what Consul says.
func (m *model) set(service catalog.Service) {
	m.Name = types.StringValue(service.Name)
	m.ID = types.StringValue(service.ID)
	m.Node = optionalText(service.Node)
	m.Address = optionalText(service.Address)
	m.Port = optionalNumber(service.Port)
	m.WaitForPassing = optionalDuration(service.Wait)

	m.Tags = append([]string{}, service.Tags...)
	m.Meta = map[string]string{}
	maps.Copy(m.Meta, service.Meta)

	m.Checks = make(map[string]check, len(service.Checks))
	for key, from := range service.Checks {
		m.Checks[key] = checkOf(from)
	}
}

func checkOf(from catalog.Check) check {
	return check{
		HTTP:            optionalText(from.HTTP),
		TCP:             optionalText(from.TCP),
		Interval:        tf.Duration(from.Interval),
		Timeout:         tf.Duration(from.Timeout),
		Status:          types.StringValue(from.Status),
		DeregisterAfter: optionalDuration(from.DeregisterAfter),
	}
}

func optionalText(text string) types.String {
	if text == "" {
		return types.StringNull()
	}

	return types.StringValue(text)
}

func optionalNumber(number int) types.Int64 {
	if number == 0 {
		return types.Int64Null()
	}

	return types.Int64Value(int64(number))
}

func optionalDuration(duration time.Duration) tf.Notation {
	if duration == 0 {
		return tf.NullDuration()
	}

	return tf.Duration(duration)
}
