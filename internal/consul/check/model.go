package check

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Model is a check as Terraform has it.
type Model struct {
	HTTP            types.String `tfsdk:"http"`
	Request         *request     `tfsdk:"request"`
	TCP             types.String `tfsdk:"tcp"`
	UDP             types.String `tfsdk:"udp"`
	GRPC            types.String `tfsdk:"grpc"`
	H2Ping          types.String `tfsdk:"h2ping"`
	TTL             tf.Notation  `tfsdk:"ttl"`
	Script          []string     `tfsdk:"script"`
	Docker          *docker      `tfsdk:"docker"`
	OSService       types.String `tfsdk:"os_service"`
	Alias           *alias       `tfsdk:"alias"`
	TLS             *tls         `tfsdk:"tls"`
	Thresholds      *thresholds  `tfsdk:"thresholds"`
	Interval        tf.Notation  `tfsdk:"interval"`
	Timeout         tf.Notation  `tfsdk:"timeout"`
	Status          types.String `tfsdk:"status"`
	DeregisterAfter tf.Notation  `tfsdk:"deregister_critical_service_after"`
}

type request struct {
	Method           types.String      `tfsdk:"method"`
	Headers          map[string]string `tfsdk:"headers"`
	Body             types.String      `tfsdk:"body"`
	DisableRedirects types.Bool        `tfsdk:"disable_redirects"`
}

type docker struct {
	Container types.String `tfsdk:"container"`
	Shell     types.String `tfsdk:"shell"`
}

type alias struct {
	Service types.String `tfsdk:"service"`
	Node    types.String `tfsdk:"node"`
}

type tls struct {
	SkipVerify types.Bool   `tfsdk:"skip_verify"`
	ServerName types.String `tfsdk:"server_name"`
}

type thresholds struct {
	Passing  types.Int64 `tfsdk:"passing"`
	Warning  types.Int64 `tfsdk:"warning"`
	Critical types.Int64 `tfsdk:"critical"`
}

// Definitions converts checks to what Consul is told.
func Definitions(models map[string]Model) map[string]catalog.Check {
	checks := make(map[string]catalog.Check, len(models))
	for key, model := range models {
		checks[key] = model.definition()
	}

	return checks
}

func (m Model) definition() catalog.Check {
	check := catalog.Check{
		HTTP:            m.HTTP.ValueString(),
		TCP:             m.TCP.ValueString(),
		UDP:             m.UDP.ValueString(),
		GRPC:            m.GRPC.ValueString(),
		H2Ping:          m.H2Ping.ValueString(),
		TTL:             m.TTL.Duration(),
		Script:          m.Script,
		OSService:       m.OSService.ValueString(),
		Interval:        m.Interval.Duration(),
		Timeout:         m.Timeout.Duration(),
		Status:          m.Status.ValueString(),
		DeregisterAfter: m.DeregisterAfter.Duration(),
	}

	if r := m.Request; r != nil {
		check.Method, check.Headers, check.Body = r.Method.ValueString(), r.Headers, r.Body.ValueString()
		check.DisableRedirects = r.DisableRedirects.ValueBool()
	}

	if m.Docker != nil {
		check.Container, check.Shell = m.Docker.Container.ValueString(), m.Docker.Shell.ValueString()
	}

	if m.Alias != nil {
		check.AliasService, check.AliasNode = m.Alias.Service.ValueString(), m.Alias.Node.ValueString()
	}

	if m.TLS != nil {
		check.TLS = check.HTTP == "" // an URL says it
		check.SkipVerify, check.ServerName = m.TLS.SkipVerify.ValueBool(), m.TLS.ServerName.ValueString()
	}

	if t := m.Thresholds; t != nil {
		check.SuccessBeforePassing = int(t.Passing.ValueInt64())
		check.FailuresBeforeWarning = int(t.Warning.ValueInt64())
		check.FailuresBeforeCritical = int(t.Critical.ValueInt64())
	}

	return check
}

// Models converts what Consul says. It never returns nil: without checks the attribute is an empty map.
func Models(checks map[string]catalog.Check) map[string]Model {
	models := make(map[string]Model, len(checks))
	for key, check := range checks {
		models[key] = modelOf(check)
	}

	return models
}

func modelOf(from catalog.Check) Model {
	model := Model{
		HTTP:            tf.OptionalText(from.HTTP),
		TCP:             tf.OptionalText(from.TCP),
		UDP:             tf.OptionalText(from.UDP),
		GRPC:            tf.OptionalText(from.GRPC),
		H2Ping:          tf.OptionalText(from.H2Ping),
		TTL:             tf.OptionalDuration(from.TTL),
		Script:          from.Script,
		OSService:       tf.OptionalText(from.OSService),
		Interval:        tf.OptionalDuration(from.Interval),
		Timeout:         tf.OptionalDuration(from.Timeout),
		Status:          types.StringValue(from.Status),
		DeregisterAfter: tf.OptionalDuration(from.DeregisterAfter),
	}

	if from.Method != "" || len(from.Headers) > 0 || from.Body != "" || from.DisableRedirects {
		model.Request = &request{
			Method: tf.OptionalText(from.Method), Headers: from.Headers, Body: tf.OptionalText(from.Body),
			DisableRedirects: types.BoolValue(from.DisableRedirects),
		}
	}

	if from.Container != "" {
		model.Docker = &docker{Container: types.StringValue(from.Container), Shell: tf.OptionalText(from.Shell)}
	}

	if from.AliasService != "" || from.AliasNode != "" {
		model.Alias = &alias{Service: tf.OptionalText(from.AliasService), Node: tf.OptionalText(from.AliasNode)}
	}

	if from.TLS || from.SkipVerify || from.ServerName != "" {
		model.TLS = &tls{SkipVerify: types.BoolValue(from.SkipVerify), ServerName: tf.OptionalText(from.ServerName)}
	}

	if from.SuccessBeforePassing+from.FailuresBeforeWarning+from.FailuresBeforeCritical > 0 {
		model.Thresholds = &thresholds{
			Passing:  types.Int64Value(int64(from.SuccessBeforePassing)),
			Warning:  types.Int64Value(int64(from.FailuresBeforeWarning)),
			Critical: types.Int64Value(int64(from.FailuresBeforeCritical)),
		}
	}

	return model
}
