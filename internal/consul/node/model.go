package node

import (
	"maps"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/consul/check"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	Name            types.String           `tfsdk:"name"`
	Partition       types.String           `tfsdk:"partition"`
	Address         types.String           `tfsdk:"address"`
	TaggedAddresses map[string]string      `tfsdk:"tagged_addresses"`
	Meta            map[string]string      `tfsdk:"meta"`
	Probe           types.Bool             `tfsdk:"probe"`
	Checks          map[string]check.Model `tfsdk:"checks"`
	Force           types.Bool             `tfsdk:"force"`
	Owner           types.String           `tfsdk:"owner"`
}

// partition leaves out what is the same for those who name none.
func (m model) partition() string {
	if m.Partition.ValueString() == "default" {
		return ""
	}

	return m.Partition.ValueString()
}

// Label names the node in errors.
func (m *model) Label() string { return m.Name.ValueString() }

// Identify returns the values of the identity.
func (m *model) Identify() []types.String { return []types.String{m.Name, m.Partition} }

// Own makes the node this state's.
func (m *model) Own() { m.Owner = tf.Owned(m.Owner) }

// Mark is what tells others whose the node is.
func (m *model) Mark() catalog.Mark {
	return catalog.Mark{Owner: m.Owner.ValueString(), Force: m.Force.ValueBool()}
}

func (m model) node() catalog.Node {
	return catalog.Node{
		Mark:      m.Mark(),
		Name:      m.Name.ValueString(),
		Partition: m.partition(),
		Address:   m.Address.ValueString(),
		Tagged:    m.TaggedAddresses,
		Meta:      m.Meta,
		Probe:     m.Probe.ValueBool(),
		Checks:    check.Definitions(m.Checks),
	}
}

// Set takes over what Consul says.
func (m *model) Set(node catalog.Node) {
	m.Name = types.StringValue(node.Name)
	m.Address = types.StringValue(node.Address)
	m.Probe = types.BoolValue(node.Probe)
	m.Force = types.BoolValue(node.Force)
	m.Checks = check.Models(node.Checks)
	m.Meta = map[string]string{}
	maps.Copy(m.Meta, node.Meta)

	m.TaggedAddresses = nil
	if len(node.Tagged) > 0 {
		m.TaggedAddresses = node.Tagged
	}

	if node.Partition != m.partition() {
		m.Partition = tf.OptionalText(node.Partition)
	}

	if m.Owner.IsNull() { // as after an import
		m.Owner = tf.OptionalText(node.Owner)
	}
}
