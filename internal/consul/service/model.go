package service

import (
	"maps"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/check"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	Name            types.String           `tfsdk:"name"`
	ID              types.String           `tfsdk:"id"`
	Node            types.String           `tfsdk:"node"`
	Namespace       types.String           `tfsdk:"namespace"`
	Partition       types.String           `tfsdk:"partition"`
	Address         types.String           `tfsdk:"address"`
	Port            types.Int64            `tfsdk:"port"`
	TaggedAddresses map[string]endpoint    `tfsdk:"tagged_addresses"`
	Tags            []string               `tfsdk:"tags"`
	TagOverride     types.Bool             `tfsdk:"enable_tag_override"`
	Meta            map[string]string      `tfsdk:"meta"`
	Weights         *weights               `tfsdk:"weights"`
	Checks          map[string]check.Model `tfsdk:"checks"`
	WaitForPassing  tf.Notation            `tfsdk:"wait_for_passing"`
	Drain           tf.Notation            `tfsdk:"drain"`
	Force           types.Bool             `tfsdk:"force"`
	Draining        types.Bool             `tfsdk:"draining"`
	Owner           types.String           `tfsdk:"owner"`
}

type endpoint struct {
	Address types.String `tfsdk:"address"`
	Port    types.Int64  `tfsdk:"port"`
}

type weights struct {
	Passing types.Int64 `tfsdk:"passing"`
	Warning types.Int64 `tfsdk:"warning"`
}

// Label names the service in errors; while it is imported, only its id is known.
func (m *model) Label() string {
	if m.Name.ValueString() == "" {
		return m.ID.ValueString()
	}

	return m.Name.ValueString()
}

func (m model) identity() catalog.Identity {
	return catalog.Identity{
		Node: m.Node.ValueString(), Name: m.Name.ValueString(), ID: m.ID.ValueString(),
		Namespace: tenancy(m.Namespace), Partition: tenancy(m.Partition),
	}
}

// tenancy leaves out what is the same for those who name none.
func tenancy(name types.String) string {
	if name.ValueString() == "default" {
		return ""
	}

	return name.ValueString()
}

// Identify returns the values of the identity.
func (m *model) Identify() []types.String {
	return []types.String{m.ID, m.Node, m.Namespace, m.Partition}
}

// Own makes the instance this state's.
func (m *model) Own() { m.Owner = tf.Owned(m.Owner) }

// Mark is what tells others whose the instance is.
func (m *model) Mark() catalog.Mark {
	return catalog.Mark{
		Owner: m.Owner.ValueString(), Wait: m.WaitForPassing.Duration(), Drain: m.Drain.Duration(), Force: m.Force.ValueBool(),
	}
}

func (m model) service() catalog.Service {
	service := catalog.Service{
		Identity:    m.identity(),
		Mark:        m.Mark(),
		Address:     m.Address.ValueString(),
		Port:        int(m.Port.ValueInt64()),
		Tagged:      make(map[string]catalog.Endpoint, len(m.TaggedAddresses)),
		Tags:        m.Tags,
		TagOverride: m.TagOverride.ValueBool(),
		Meta:        m.Meta,
		Weights:     catalog.Weights{Passing: int(m.Weights.Passing.ValueInt64()), Warning: int(m.Weights.Warning.ValueInt64())},
		Checks:      check.Definitions(m.Checks),
	}

	for name, endpoint := range m.TaggedAddresses {
		service.Tagged[name] = catalog.Endpoint{Address: endpoint.Address.ValueString(), Port: int(endpoint.Port.ValueInt64())}
	}

	return service
}

// Set takes over what Consul says.
func (m *model) Set(service catalog.Service) {
	m.Name = types.StringValue(service.Name)
	m.ID = types.StringValue(service.ID)
	m.Node = tf.OptionalText(service.Node)
	m.Address = tf.OptionalText(service.Address)
	m.Port = tf.OptionalNumber(service.Port)
	m.WaitForPassing = tf.OptionalDuration(service.Wait)
	m.Drain = tf.OptionalDuration(service.Drain)
	m.Force = types.BoolValue(service.Force)
	m.Draining = types.BoolValue(service.Draining)
	m.Checks = check.Models(service.Checks)
	m.Weights = &weights{
		Passing: types.Int64Value(int64(service.Weights.Passing)),
		Warning: types.Int64Value(int64(service.Weights.Warning)),
	}

	if m.Owner.IsNull() { // as after an import
		m.Owner = tf.OptionalText(service.Owner)
	}

	if service.Namespace != tenancy(m.Namespace) {
		m.Namespace = tf.OptionalText(service.Namespace)
	}

	if service.Partition != tenancy(m.Partition) {
		m.Partition = tf.OptionalText(service.Partition)
	}

	if m.Tags == nil || !service.TagOverride { // who may change them in the catalog is not to be corrected
		m.Tags = append([]string{}, service.Tags...)
	}

	m.TagOverride = types.BoolValue(service.TagOverride)
	m.Meta = map[string]string{}
	maps.Copy(m.Meta, service.Meta)

	m.TaggedAddresses = nil
	for name, tagged := range service.Tagged {
		if m.TaggedAddresses == nil {
			m.TaggedAddresses = make(map[string]endpoint, len(service.Tagged))
		}

		m.TaggedAddresses[name] = endpoint{Address: types.StringValue(tagged.Address), Port: tf.OptionalNumber(tagged.Port)}
	}
}
