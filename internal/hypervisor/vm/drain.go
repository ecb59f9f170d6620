package vm

import (
	"context"
	"fmt"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const defaultDrain = 10 * time.Second

// drain says whose instances leave before the machine is disturbed.
type drain struct {
	Services []string    `tfsdk:"services"`
	Wait     tf.Notation `tfsdk:"wait"`
}

func drainAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "What leaves Consul's DNS before the machine is restarted, stopped, replaced or destroyed, and comes back when it passes its checks. " +
			"Meant are those instances of the services that stand on a node of the machine's name or have one of its addresses. " +
			"If Consul cannot be asked, the machine is left alone.",
		Optional: true,
		Attributes: map[string]schema.Attribute{
			"services": schema.SetAttribute{
				MarkdownDescription: "Names of the services in Consul.",
				ElementType:         types.StringType,
				Required:            true,
				Validators:          []validator.Set{setvalidator.SizeAtLeast(1), setvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
			},
			"wait": schema.StringAttribute{
				MarkdownDescription: "How long they are out of service before the machine is disturbed: time for DNS answers and gateways to forget them. Defaults to `10s`.",
				CustomType:          tf.DurationType(),
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(defaultDrain.String()),
				PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
			},
		},
	}
}

func drainedAttribute() schema.Attribute {
	return schema.BoolAttribute{
		MarkdownDescription: "Whether an interrupted apply left the running machine's services drained. The plan always says `false`, so the next apply puts them back.",
		Computed:            true,
		Default:             booldefault.StaticBool(false),
	}
}

// services is the machine as Consul's services show it.
func (m model) services() catalog.Machine {
	machine := catalog.Machine{Name: m.Name.ValueString(), Services: m.Drain.Services}

	for _, addresses := range m.Addresses.Elements() {
		list, ok := addresses.(types.List)
		if !ok {
			continue
		}

		for _, address := range list.Elements() {
			if text, ok := address.(types.String); ok {
				machine.Addresses = append(machine.Addresses, text.ValueString())
			}
		}
	}

	return machine
}

// withServices does something about the machine's services in Consul, if it drains any.
func (m model) withServices(clients *backend.Backend, do func(*catalog.Client, catalog.Machine) error) error {
	if m.Drain == nil {
		return nil
	}

	consul, err := clients.Consul()
	if err != nil {
		return err
	}

	return do(consul, m.services())
}

// leave takes the machine's services out of Consul's DNS and waits. It comes before anything that disturbs the machine.
func (m model) leave(ctx context.Context, clients *backend.Backend) error {
	err := m.withServices(clients, func(consul *catalog.Client, machine catalog.Machine) error {
		return consul.Drain(ctx, machine, m.Drain.Wait.Duration())
	})
	if err != nil {
		return fmt.Errorf("%w. The machine was left alone; to go on without draining it, take drain away and apply that first", err)
	}

	return nil
}

// comeBack puts the running machine's services, which are known to have left, back into Consul's DNS once they pass their checks.
func (m model) comeBack(ctx context.Context, clients *backend.Backend) error {
	if !m.Running.ValueBool() {
		return nil
	}

	return m.withServices(clients, func(consul *catalog.Client, machine catalog.Machine) error {
		return consul.Restore(ctx, machine)
	})
}

// comeBackIfGone is comeBack for a machine that starts: it asks first whether anything made its services leave. A Consul that does not
// answer is a warning then, since the machine is as it should be, and may be one of Consul's own servers.
func (m model) comeBackIfGone(ctx context.Context, clients *backend.Backend) (diags diag.Diagnostics) {
	var gone bool

	name := m.Name.ValueString()

	err := m.withServices(clients, func(consul *catalog.Client, machine catalog.Machine) (err error) {
		gone, err = consul.IsDrained(catalog.Patiently(ctx), machine)

		return err
	})

	switch {
	case err != nil:
		diags.AddWarning(unreadDrain(name), tf.Sentence(err)+" The machine is up. If an earlier apply left its services drained, the next plan says so.")
	case gone:
		if err := m.comeBack(ctx, clients); err != nil {
			diags.Append(tf.Failed("start", "VM", name, err))
		}
	}

	return diags
}

func unreadDrain(name string) string {
	return fmt.Sprintf("Unable to read whether VM %q is drained", name)
}

// setDrained reads whether an interrupted apply left the machine's services drained. They are those of a machine that
// runs: one that is stopped has them drained for good.
func (m *model) setDrained(ctx context.Context, clients *backend.Backend) (diags diag.Diagnostics) {
	var drained bool

	err := m.withServices(clients, func(consul *catalog.Client, machine catalog.Machine) (err error) {
		drained, err = consul.IsDrained(ctx, machine)

		return err
	})
	if err != nil {
		diags.AddWarning(unreadDrain(m.Name.ValueString()), tf.Sentence(err))
	}

	m.Drained = types.BoolValue(drained && m.Running.ValueBool())

	return diags
}
